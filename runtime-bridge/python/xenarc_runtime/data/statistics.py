"""What some data are: how many records and tokens, how long, how many of them twice, and how well they can be foretold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from .. import events
from ..errors import Problem
from ..tokenizer import Tokenizer
from . import duplicates
from .kinds import Found
from .reading import Reader, Value

_PROGRESS_SECONDS = 0.5
_SIMILARITY = 0.8
_COMPARED = 50_000
"""Records that are compared with each other for nearness, which takes a kilobyte of each."""
_DENSE = 2048
"""The largest vocabulary of which a count is kept for every pair of tokens."""
_AT_ONCE = 1 << 22
"""Tokens that are counted at a time."""


@dataclass
class Lengths:
    """Of one source."""

    bytes: int = 0
    """Of UTF-8; of token ids that were read as such it is not known."""
    bad: int = 0
    tokens: list[int] = field(default_factory=list)
    """Of every record."""
    text: bool = True


class Entropy:
    """Counts tokens, and pairs of neighbours in a document."""

    def __init__(self, vocabulary: int) -> None:
        self._size = vocabulary
        self._single = np.zeros(vocabulary, np.int64)
        self._pairs = np.zeros(vocabulary * vocabulary if vocabulary <= _DENSE else 0, np.int64)
        self._keys, self._counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._waiting: list[np.ndarray] = []
        self._waits = 0

    def add(self, ids: np.ndarray) -> None:
        """The next document."""
        if ids.size:
            self._waiting.append(ids)
            self._waits += ids.size
        if self._waits >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        ids = np.concatenate(self._waiting).astype(np.int64)
        ends = np.cumsum([part.size for part in self._waiting])[:-1]
        self._waiting, self._waits = [], 0
        self._single += np.bincount(ids, minlength=self._size)
        keys = np.delete(ids[:-1] * self._size + ids[1:], ends - 1)
        if self._pairs.size:
            self._pairs += np.bincount(keys, minlength=self._pairs.size)
            return
        keys, inverse = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        counts = np.concatenate([self._counts, np.ones(inverse.size - self._counts.size, np.int64)])
        self._keys, self._counts = keys, np.bincount(inverse, counts).astype(np.int64)

    def result(self) -> dict[str, Any]:
        """Nats a token: without knowing what came before, and knowing the token before. Natural logarithms; None without pairs."""
        self._flush()
        pairs = self._pairs if self._pairs.size else self._counts
        keys = np.arange(pairs.size) if self._pairs.size else self._keys
        firsts = np.bincount(keys // self._size, pairs, minlength=self._size)
        return {
            "used": int(np.count_nonzero(self._single)),
            "unigram": _entropy(self._single),
            "bigram": _entropy(pairs) - _entropy(firsts) if pairs.sum() else None,
        }


def _entropy(counts: np.ndarray) -> float:
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log(shares)).sum())


def statistics(reader: Reader, tokenizer: Tokenizer, tokenizer_name: str) -> None:
    """Emits `working` events and one `statistics` event."""
    started = time.monotonic()
    sources = [Lengths() for _ in reader.sources]
    entropy = Entropy(tokenizer.vocab_size)
    repeats = Duplicates()
    last = 0.0
    for item in reader.items():
        source = sources[item.source]
        text = None if item.value is None else text_in(item.value)
        encode = partial(tokenizer.encode_piece, text, item.begins, item.ends)
        ids = item.value if text is None else reader.attempt(item, encode)
        if ids is None:
            source.bad += 1
            continue
        if text is None:
            source.text = False
        else:
            source.bytes += len(text.encode("utf-8", "surrogateescape"))
        for worst in (int(ids.max(initial=0)), int(ids.min(initial=0))):
            if not 0 <= worst < tokenizer.vocab_size:
                raise Problem(
                    "usage",
                    f"{reader.sources[item.source].path} has the token id {worst:,}, and the tokenizer {tokenizer_name} has"
                    f" {tokenizer.vocab_size:,} ids.",
                    "Name the tokenizer that the data were made with: --tokenizer.",
                )
        if item.begins or not source.tokens:
            source.tokens.append(ids.size)
        else:
            source.tokens[-1] += ids.size
        entropy.add(ids)
        repeats.add(ids if text is None else text)
        now = time.monotonic()
        if now - last >= _PROGRESS_SECONDS:
            last = now
            done = (item.source + item.share) / len(sources)
            events.emit("working", done=done, tokens=sum(sum(source.tokens) for source in sources))
    if not any(source.tokens for source in sources):
        raise Problem("data_empty", "There is no record to count.", "Look at the sources.")
    lengths = np.concatenate([np.array(source.tokens, np.int64) for source in sources])
    tokens, size = int(lengths.sum()), sum(source.bytes for source in sources)
    events.emit(
        "statistics",
        tokenizer=tokenizer_name,
        unit=tokenizer.unit,
        vocabulary=tokenizer.vocab_size,
        sources=[_described(*each) for each in zip(reader.found, sources, strict=True)],
        lengths=list(_histogram(lengths)),
        duplicates=repeats.result(),
        **entropy.result(),
        tokens_per_byte=tokens / size if size and all(source.text for source in sources) else None,
        seconds=round(time.monotonic() - started, 3),
    )


class Duplicates:
    """Records that say the same as an earlier one, or nearly."""

    def __init__(self) -> None:
        self._is_known, self._is_near = duplicates.exact(), duplicates.near(_SIMILARITY)
        self._records = self._exact = self._near = self._compared = 0

    def add(self, value: str | np.ndarray) -> None:
        """The next record."""
        text = value if isinstance(value, str) else value.astype("<u4").tobytes().decode("latin-1")
        self._records += 1
        if self._is_known(text):
            self._exact += 1
        elif isinstance(value, str) and self._compared < _COMPARED:
            self._compared += 1
            self._near += self._is_near(text)

    def result(self) -> dict[str, Any]:
        """How many of each kind, and how many records were compared for nearness."""
        return {"records": self._records, "exact": self._exact, "near": self._near, "compared": self._compared}


def text_in(value: Value) -> str | None:
    """What a record says: a text, or all that is said in a conversation; None for token ids."""
    if isinstance(value, np.ndarray):
        return None
    return value if isinstance(value, str) else "\n".join(_said(value))


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name in ("messages", "prompt", "completion", "content"):
            if name in value:
                yield from _said(value[name])
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner)


def _histogram(lengths: np.ndarray) -> Iterator[dict[str, int]]:
    """How many lengths there are from each power of two to the next, where there are any."""
    classes = np.zeros(lengths.size, np.int64)
    positive = lengths > 0
    classes[positive] = np.floor(np.log2(lengths[positive])).astype(np.int64) + 1
    counts = np.bincount(classes) if lengths.size else np.zeros(0, np.int64)
    for number in np.flatnonzero(counts).tolist():
        low = 0 if number == 0 else 1 << (number - 1)
        yield {"from": low, "to": 0 if number == 0 else 2 * low - 1, "records": int(counts[number])}


def _described(found: Found, lengths: Lengths) -> dict[str, Any]:
    tokens = np.array(lengths.tokens or [0], np.int64)
    return {
        "path": found.source.path,
        "kind": found.kind.name,
        "files": len(found.files),
        "records": len(lengths.tokens),
        "bad": lengths.bad,
        "bytes": lengths.bytes if lengths.text else None,
        "tokens": int(tokens.sum()),
        "shortest": int(tokens.min()),
        "median": int(np.median(tokens)),
        "longest": int(tokens.max()),
    }
