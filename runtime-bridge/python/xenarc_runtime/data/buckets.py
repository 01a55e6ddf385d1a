"""Batches of documents of about one length: each is run by a program for its length, so that little is filled up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import grain
import numpy as np

from . import windows
from .documents import Document, lay
from .rows import Documents, DocumentSource
from .source import Made, Share, restoring

_BATCHES_AT_A_TIME = 32
_SOURCES = 4
"""The stream of random numbers that sources are chosen by."""


@dataclass(frozen=True)
class Bucket:
    """An entry point and the shape of its batches."""

    entry: str
    rows: int
    width: int


class BucketBatches(grain.IterDataset):
    """Whole batches for the shortest entry point that documents fit: see batches.Batches.

    Documents are taken so many at a time, divided by length, and given out as batches fill. Those left at the end fill up
    the batches of the next longer bucket, so that nothing is carried over: the position is where they began and how many
    batches were given out since. One that is longer than all buckets is cut, or shortened where it must stay whole.
    """

    def __init__(
        self,
        sources: list[DocumentSource],
        weights: list[float],
        seed: int,
        buckets: list[Bucket],
        ports: windows.Ports,
        whole: bool,
    ) -> None:
        super().__init__()
        self.sources, self.seed, self.ports, self.whole = sources, seed, ports, whole
        self.shares = np.cumsum(weights) / np.sum(weights)
        self.buckets = sorted(buckets, key=lambda bucket: bucket.width)
        self.share = Share(np.arange(1), 1)

    def set_slice(self, sl: slice, sequential_slice: bool = False) -> None:
        """See Batches."""
        self.share = replace(self.share, worker=sl.start, workers=sl.step)

    def __iter__(self) -> _BucketIterator:
        return _BucketIterator(self)


class _BucketIterator(grain.DatasetIterator):
    def __init__(self, of: BucketBatches) -> None:
        super().__init__()
        self._of = of
        self._documents: list[Documents] = [next(iter(s.documents(of.share).values())) for s in of.sources]
        self._taken = 0
        """Documents so far."""
        self._at_once = _BATCHES_AT_A_TIME * max(bucket.rows for bucket in of.buckets)
        self._begin()

    def _begin(self) -> None:
        self._start = {"documents": [documents.state() for documents in self._documents], "taken": self._taken}
        self._given = 0
        self._batches = self._divided()

    def __next__(self) -> Made:
        made = next(self._batches, None)
        while made is None:
            self._begin()
            made = next(self._batches, None)
        self._given += 1
        return made

    def get_state(self) -> dict[str, Any]:
        return {**self._start, "given": self._given}

    def set_state(self, state: dict[str, Any]) -> None:
        with restoring():
            for documents, position in zip(self._documents, state["documents"], strict=True):
                documents.restore(position)
            self._taken = state["taken"]
            self._begin()
            for _ in range(state["given"]):
                next(self)

    def _divided(self) -> Iterator[Made]:
        """The batches of the next documents."""
        of = self._of
        waiting: list[list[Document]] = [[] for _ in of.buckets]
        dropped: Counter[str] = Counter()
        widths = [bucket.width for bucket in of.buckets]
        for _ in range(self._at_once):
            document = self._next()
            dropped += document.dropped
            for piece in self._pieces(document, widths[-1]):
                number = int(np.searchsorted(widths, piece.ids.size))
                waiting[number].append(piece)
                if len(waiting[number]) == of.buckets[number].rows:
                    yield self._batch(number, waiting[number], dropped)
                    waiting[number], dropped = [], Counter()
        for number, bucket in enumerate(of.buckets):
            while len(waiting[number]) >= bucket.rows or (waiting[number] and number + 1 == len(of.buckets)):
                yield self._batch(number, waiting[number][: bucket.rows], dropped)
                waiting[number], dropped = waiting[number][bucket.rows :], Counter()
            if number + 1 < len(of.buckets):
                waiting[number + 1] += waiting[number]

    def _next(self) -> Document:
        of = self._of
        chosen = 0
        if len(of.sources) > 1:
            number = self._taken * of.share.workers + of.share.worker
            share = (windows.draws(of.seed, number, 1, _SOURCES)[0] >> np.uint64(11)) * 2.0**-53
            chosen = int(np.searchsorted(of.shares[:-1], share, side="right"))
        self._taken += 1
        return self._documents[chosen].next()

    def _pieces(self, document: Document, width: int) -> Iterator[Document]:
        """The document, or what there is of it in rows of the longest bucket: each token but the first is a target once."""
        for start in range(0, max(1, document.ids.size - 1), width - 1):
            yield document.part(start, width)
            if self._of.whole:
                return

    def _batch(self, number: int, documents: list[Document], dropped: Counter[str]) -> Made:
        bucket = self._of.buckets[number]
        rows = windows.empty(self._of.ports, (bucket.rows, bucket.width))
        for row, document in enumerate(documents):
            lay(document, {name: array[row] for name, array in rows.items()}, 0, 1)
        return bucket.entry, rows, dict(dropped)
