"""All records of some sources, one after the other and once: what `data tokenize` and `data stats` read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from ..errors import Problem
from ..tokenizer import Tokenizer
from .documents import Examiner
from .files import Unreadable, fingerprint
from .kinds import Found, Kind, find_source
from .records import Record, StreamRecords, TableRecords, bad_record
from .runs import Run
from .settings import Settings, SourceSettings
from .tokens import runs_of

Value = str | np.ndarray | dict[str, Any]
"""A text, token ids, or a conversation."""

T = TypeVar("T")

_RUN_PIECE = 1 << 22
"""Tokens of a run that are read at a time."""


@dataclass(frozen=True)
class Item:
    """A record."""

    value: Value | None
    """None: it is broken, and such are left out."""
    source: int
    file: int
    number: int
    """Of the record in its file, from 0."""
    after: Any
    """The position of the next record, as JSON."""
    share: float
    """How much of its source is read with it, from 0 to 1."""
    begins: bool = True
    ends: bool = True
    """Whether a document begins, and ends, with it."""


class Reader:
    """Sources and their files. Raises Problem where there are none."""

    def __init__(
        self, sources: Sequence[SourceSettings], skip_bad: bool, tokenizer: Tokenizer, conversations: bool = False
    ) -> None:
        self.sources = tuple(sources)
        self._conversations = conversations
        self._settings = Settings(sources=self.sources, seed=0, validation=0.0, skip_bad=skip_bad)
        self._tokenizer = tokenizer
        self.found = [find_source(source) for source in self.sources]

    def fingerprints(self) -> list[str]:
        """SHA-256 of what tells the files of each source from others."""
        return [fingerprint(found.files) for found in self.found]

    def items(self, position: Any = None) -> Iterator[Item]:
        """The records from a position on."""
        first, inside = position or (0, None)
        for number in range(first, len(self.sources)):
            yield from self._of_source(number, inside if number == first else None)

    def _of_source(self, number: int, position: Any) -> Iterator[Item]:
        found = self.found[number]
        kind, files = found.kind, found.files
        runs = runs_of(found, self._tokenizer.vocab_size)
        if runs is not None:
            yield from self._of_run(number, runs)
            return
        examiner = Examiner(found, self._settings, self._tokenizer)
        sizes = np.array([max(1, file.size()) for file in files], float)
        before = np.cumsum(sizes) - sizes

        def item(record: Record, after: Any, inside: float) -> Item:
            share = float((before[record.file] + sizes[record.file] * min(1.0, inside)) / sizes.sum())
            made = Item(None, number, record.file, record.number, [number, after], share, record.begins, record.ends)
            return replace(made, value=self.attempt(made, lambda: self._conversation(kind, record) or examiner.value(record)))

        if kind.table is not None:
            records = TableRecords(found, 0.0, False)
            for at in range(position or 0, len(records)):
                yield item(records[at], at + 1, (at + 1) / len(records))
            return
        stream = iter(StreamRecords(found, 0.0, False))
        if position is not None:
            stream.set_state(position)
        for record in stream:
            after = stream.get_state()
            yield item(record, after, after["at"] / sizes[record.file])

    def _conversation(self, kind: Kind, record: Record) -> dict[str, Any] | None:
        if not self._conversations or isinstance(record.payload, Unreadable):
            return None
        value = kind.parse(record.payload)
        return value if isinstance(value, dict) and not value.keys().isdisjoint(("messages", "prompt")) else None

    def attempt(self, item: Item, work: Callable[[], T]) -> T | None:
        """What some work on a record gives; None if it is broken, and such are left out."""
        try:
            return work()
        except Exception as error:
            found = self.found[item.source]
            bad_record(found, item.file, item.number, error, self._settings.skip_bad, "--skip-bad")
            return None

    def _of_run(self, number: int, runs: list[Run]) -> Iterator[Item]:
        """Token ids without an end: as many at a time as are read at once."""
        total = max(1, sum(run.size for run in runs))
        done = 0
        for file, run in enumerate(runs):
            for start in range(0, run.size, _RUN_PIECE):
                width = min(_RUN_PIECE, run.size - start)
                done += width
                yield Item(run.read(np.array([start]), width)[0], number, file, 0, None, done / total)


def text_of(value: Value) -> str:
    """A text to tokenize. Raises Problem for what is none."""
    if isinstance(value, str):
        return value
    raise Problem("data_record", "The data are token ids already.", "They can be trained on as they are.")
