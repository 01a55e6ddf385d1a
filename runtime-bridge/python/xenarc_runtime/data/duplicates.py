"""Records that say what an earlier one says: found before training, by reading everything once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from .. import events
from .rows import DocumentSource

_WORDS = 5
"""Words in a run: texts are compared by the sets of their runs."""
_PERMUTATIONS = 128
"""Of the MinHash: the similarity is known to about 1 / sqrt(128)."""

IsKnown = Callable[[str], bool]
"""Whether a text was there before; it is remembered."""


def leave_out(sources: Sequence[DocumentSource], how: str, similarity: float) -> None:
    """Has the sources leave out what has an earlier duplicate: in a source before, in training data if it is for validation.

    `exact`: the same text. `near`: the runs of words of both have about the `similarity` in common (Jaccard), by MinHash and
    locality-sensitive hashing (Broder, 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", 3.4).
    """
    is_known = near(similarity) if how == "near" else exact()
    found: list[set[tuple[int, int]]] = [set() for _ in sources]
    count = 0
    for held_out in (False, True):
        for source, duplicates in zip(sources, found, strict=True):
            for record in source.in_order(held_out):
                text = source.examiner.text(record)
                count += 1
                if text is not None and is_known(text):
                    duplicates.add((record.file, record.number))
    for source, duplicates in zip(sources, found, strict=True):
        source.examiner.duplicates = frozenset(duplicates)
    left_out = sum(map(len, found))
    events.emit("log", level="info", message=f"{left_out:,} of {count:,} records are left out: duplicates ({how}).")


def exact() -> IsKnown:
    """Tells equal texts."""
    seen: set[bytes] = set()

    def is_known(text: str) -> bool:
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = digest in seen
        seen.add(digest)
        return known

    return is_known


def near(similarity: float) -> IsKnown:
    """Tells texts of about the `similarity`."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=similarity, num_perm=_PERMUTATIONS)
    sketches: list[MinHash] = []

    def is_known(text: str) -> bool:
        words = re.findall(r"\w+", text.lower())
        runs = {" ".join(words[at : at + _WORDS]) for at in range(max(1, len(words) - _WORDS + 1))}
        sketch = MinHash(num_perm=_PERMUTATIONS)
        sketch.update_batch([run.encode("utf-8", "surrogatepass") for run in runs])
        if any(sketches[number].jaccard(sketch) >= similarity for number in index.query(sketch)):
            return True
        index.insert(len(sketches), sketch)
        sketches.append(sketch)
        return False

    return is_known
