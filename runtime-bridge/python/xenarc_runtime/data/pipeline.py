"""From the configuration's section `data` to batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import grain
import numpy as np

from .. import tokenizer
from ..artifact import Artifact, Port
from ..errors import Problem
from ..program import named, placements
from . import tokens, windows
from .batches import Batches
from .feed import Feed, kind_of, share_of
from .source import Source

_PREFETCH = 2


class Pipeline:
    """All data of a run; made by open."""

    def __init__(self, artifact: Artifact, sources: list[Source], weights: list[float], seed: int, path: str) -> None:
        self._artifact, self._sources, self._weights = artifact, sources, weights
        self.seed, self.path = seed, path
        self.files = sum(source.files for source in sources)
        self.train_tokens = _sum(source.train_tokens for source in sources)
        self.validation_tokens = _sum(source.validation_tokens for source in sources)
        units = {source.unit for source in sources}
        self.unit = units.pop() if len(units) == 1 else "tokens"
        prints = [source.fingerprint for source in sources]
        self.fingerprint = prints[0] if len(prints) == 1 else hashlib.sha256("".join(prints).encode()).hexdigest()

    def facts(self) -> dict[str, Any]:
        """What the `start` event says of the data."""
        return {
            "train_tokens": self.train_tokens,
            "validation_tokens": self.validation_tokens,
            "unit": self.unit,
            "files": self.files,
            "data": self.path,
        }

    def identity(self) -> dict[str, Any]:
        """What a checkpoint keeps, to tell whether a run goes on with the same data."""
        return {"path": self.path, "sha256": self.fingerprint, "seed": self.seed}

    @property
    def has_validation(self) -> bool:
        """Whether there is a target to evaluate on."""
        return self.validation_tokens is None or self.validation_tokens > 1

    def feed(self, state: dict[str, Any] | None = None) -> Feed:
        """Batches from the beginning, or from where a feed's state was taken."""
        ports = named(self._artifact.program("train_step").inputs, "batch")
        first = ports[0]
        share = share_of(first, placements(self._artifact, [first])[first.name])
        kinds = tuple(kind_of(port) for port in ports)
        batches = Batches(self._sources, self._weights, self.seed, share, first.shape[-1], kinds)
        ahead = grain.experimental.ThreadPrefetchIterDataset(batches, prefetch_buffer_size=_PREFETCH)
        return Feed(ahead, ports, share, state)

    def validation(self, ports: Sequence[Port]) -> Iterator[dict[str, np.ndarray]]:
        """The validation data in whole batches for the ports of `eval_step`, `[batch, window]`, by their names.

        Every process gets the same. What is left of the last batch is empty.
        """
        rows = (row for source in self._sources for row in source.validation())
        while found := list(islice(rows, ports[0].shape[0])):
            batch = {}
            for port in ports:
                batch[port.name] = np.full(port.shape, windows.EMPTY[kind_of(port)], np.int32)
                batch[port.name][: len(found)] = [row[kind_of(port)] for row in found]
            yield batch


def open(artifact: Artifact, path: Path | None = None) -> Pipeline:
    """The data that an artifact's configuration names, or those at `path`. Raises Problem where they are not there, or bad."""
    configured = artifact.config.get("data")
    configured = configured if isinstance(configured, dict) else {}
    found = path or configured.get("path")
    if not found:
        raise Problem("data_missing", "There is no text to train on.", "Give a UTF-8 file or a folder with --data.")
    port = named(artifact.program("train_step").inputs, "batch")[0]
    source = tokens.from_text(Path(found), artifact.setting("data", "validation", float), port.shape[-1], tokenizer.open(artifact))
    return Pipeline(artifact, [source], [1.0], artifact.setting("train", "seed", int), str(found))


def _sum(counts: Iterator[int | None]) -> int | None:
    """None when one of them is not known."""
    known = list(counts)
    return None if None in known else sum(known)
