"""The records of a source, one after the other or by number, with what is needed to go on at any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO

import grain
import numpy as np

from ..errors import Problem, sentence
from . import windows
from .files import Unreadable, bad_file, said
from .kinds import Found
from .source import Share
from .tables import Table

_ORDER = 2
"""The stream of random numbers that files and groups of records are ordered by."""

_SPREAD = 0x9E3779B1
"""The golden ratio times 2^32: its multiples are spread evenly."""
_FILES_APART = 7919


@dataclass(frozen=True)
class Record:
    """What a source has at one place: a payload to be parsed, or an Unreadable."""

    file: int
    number: int
    """In its file, from 0."""
    payload: Any
    epoch: int = 0
    begins: bool = True
    """Whether a document begins with it; else it goes on with that of the record before."""
    ends: bool = True
    """Whether the document ends with it."""


_OF_RECORD = ("data_record", "tokenizer")
"""Kinds of problems that are a record's; any other is that of what it is read with."""


def bad_record(
    found: Found, file: int, number: int, error: Exception, skips: bool, option: str = "data.onBadRecord: skip"
) -> None:
    """Raises what is wrong with a record, as a problem; where such are skipped, as `option` says, only what is not the record's fault."""
    if isinstance(error, Problem) and error.kind not in _OF_RECORD:
        raise error
    if not skips:
        mend = isinstance(error, (Problem, Unreadable)) and error.hint or "Mend it, or leave it out."
        raise Problem(
            "data_record",
            f"{found.files[file].name}, {found.kind.unit} {number + 1:,}: {sentence(said(error))}",
            f"{mend} All such records are left out and counted with {option}.",
        ) from None


class TableRecords(grain.MapDataset):
    """The records of tables, numbered through all of them from 0; past the end they begin again.

    The last `validation` share of them is kept apart: `held_out` says which part these are.
    """

    def __init__(self, found: Found, validation: float, held_out: bool) -> None:
        super().__init__()
        self._files = found.files
        self._tables = [found.kind.table(file, found.source.field) for file in found.files]
        self._validation, self._held_out = validation, held_out

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(self._length(number) for number in range(len(self._tables)))])

    def _length(self, file: int) -> int:
        try:
            return len(self._tables[file])
        except Exception as error:
            raise bad_file(self._files[file], error) from None

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first of these records, and the one after the last."""
        count = int(self._starts[-1])
        split = count - round(count * self._validation)
        return (split, count) if self._held_out else (0, split)

    def __len__(self) -> int:
        return self.span[1] - self.span[0]

    def __getitem__(self, index: int) -> Record:
        epoch, place = divmod(index, len(self))
        number = self.span[0] + place
        file = int(np.searchsorted(self._starts, number, "right")) - 1
        number -= int(self._starts[file])
        table = self._tables[file]
        try:
            payload = table[number]
        except Exception as error:
            payload = error if isinstance(error, Unreadable) else Unreadable(said(error))
        in_pieces = table.in_pieces
        begins, ends = not in_pieces or number == 0, not in_pieces or number == len(table) - 1
        return Record(file, number, payload, epoch, begins, ends)

    def shuffled(self, seed: int) -> grain.MapDataset:
        """In another order in every epoch, a function of the seed and the epoch; what is read together stays together."""
        groups = self._groups
        if (np.diff(groups) <= 1).all():
            return self.shuffle(seed=seed & 0xFFFFFFFF)
        return _ShuffledGroups(self, groups, seed)

    @cached_property
    def _groups(self) -> np.ndarray:
        """Where groups of records that are read together begin, and the end."""
        starts = [
            np.arange(first, end, table.group or 1)
            for table, first, end in zip(self._tables, self._starts, self._starts[1:], strict=False)
        ]
        within = np.concatenate(starts) - self.span[0]
        return np.append(np.unique(np.clip(within, 0, len(self) - 1)), len(self))


class _ShuffledGroups(grain.MapDataset):
    """Groups in random order, records within each in random order."""

    def __init__(self, records: TableRecords, groups: np.ndarray, seed: int) -> None:
        super().__init__(records)
        self._groups, self._seed = groups, seed
        self._sizes = np.diff(groups)
        self._epoch: tuple[int, np.ndarray, np.ndarray] | None = None

    def __len__(self) -> int:
        return len(self._parent)

    def __getitem__(self, index: int) -> Record:
        epoch, place = divmod(index, len(self))
        order, starts = self._order(epoch)
        at = int(np.searchsorted(starts, place, "right")) - 1
        group = int(order[at])
        size = int(self._sizes[group])
        seed = int(windows.draws(self._seed, epoch, 1, _ORDER + 1)[0] ^ np.uint64(group)) & 0xFFFFFFFF
        within = grain.experimental.index_shuffle(place - int(starts[at]), max_index=size - 1, seed=seed, rounds=4)
        return self._parent[epoch * len(self) + int(self._groups[group]) + within]

    def _order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        if self._epoch is None or self._epoch[0] != epoch:
            order = np.argsort(windows.draws(self._seed, epoch, self._sizes.size, _ORDER), kind="stable")
            self._epoch = (epoch, order, np.cumsum([0, *self._sizes[order]]))
        return self._epoch[1:]


class StreamRecords(grain.IterDataset):
    """The records of files that are read from beginning to end.

    About a share `validation` of the records, by their numbers, is kept apart: `held_out` says which part these are. With a
    seed the files are in another order in every epoch. With `share`, its part of the records, over and over: readers share
    files if there are enough, else records. Without, all of them once.
    """

    def __init__(
        self, found: Found, validation: float, held_out: bool, seed: int | None = None, share: Share | None = None
    ) -> None:
        super().__init__()
        files = found.files
        self.kind, self.files, self.seed, self.repeats = found.kind, files, seed, share is not None
        self._validation, self._held_out = validation, held_out
        readers = 1 if share is None else share.readers * share.workers
        reader = 0 if share is None else share.reader * share.workers + share.worker
        by_file = len(files) >= readers
        self.chosen = np.arange(len(files))[reader if by_file else 0 :: readers if by_file else 1]
        self.every, self.first = (1, 0) if by_file else (readers, reader)

    def has(self, file: int, number: int) -> bool:
        """Whether a record is among these."""
        spread = (number + file * _FILES_APART + 1) * _SPREAD & 0xFFFFFFFF
        held_out = spread < self._validation * 2**32
        return held_out == self._held_out and number % self.every == self.first

    def __iter__(self) -> _StreamIterator:
        return _StreamIterator(self)


class _StreamIterator(grain.DatasetIterator):
    """State: the epoch, which of its files, the byte and the number of the next record."""

    def __init__(self, of: StreamRecords) -> None:
        super().__init__()
        self._of = of
        self._epoch = self._file = self._at = self._number = 0
        self._given = False
        """Whether this epoch has had a record."""
        self._stream: BinaryIO | None = None
        self._reading: Iterator[tuple[int, Any]] = iter(())
        """The records of the stream, from the position on."""

    def __next__(self) -> Record:
        of = self._of
        while True:
            if self._file >= len(of.chosen):
                self._end_epoch()
            file = int(self._order()[self._file])
            end, payload = self._read(file)
            number, self._number = self._number, self._number + 1
            if end is None:
                self._leave()
                self._file, self._at, self._number = self._file + 1, 0, 0
            else:
                self._at = end
            broken = end is None and payload is not None and of.first == 0
            if broken or (payload is not None and of.has(file, number)):
                self._given = True
                return Record(file, number, payload, self._epoch)

    def _read(self, file: int) -> tuple[int | None, Any]:
        """The next record of a file and where it ends; None: the file has no more."""
        try:
            if self._stream is None:
                self._stream = self._of.files[file].stream(self._at)
                self._reading = self._of.kind.stream(self._stream, self._at)
            return next(self._reading, (None, None))
        except Problem:
            raise
        except Exception as error:
            return None, error if isinstance(error, Unreadable) else Unreadable(said(error))

    def _leave(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def close(self) -> None:
        """Closes the file."""
        super().close()
        self._leave()

    def _order(self) -> np.ndarray:
        of = self._of
        if of.seed is None or of.chosen.size == 1:
            return of.chosen
        return of.chosen[np.argsort(windows.draws(of.seed, self._epoch, of.chosen.size, _ORDER), kind="stable")]

    def _end_epoch(self) -> None:
        if not self._of.repeats:
            raise StopIteration
        if not self._given:
            names = self._of.files[0].name if len(self._of.files) == 1 else f"{len(self._of.files)} files"
            raise Problem(
                "data_empty",
                f"There is no record in {names} for one of the processes that read." if self._of.every > 1 else f"There is no record in {names}.",
                "Give more data, or fewer data.workers." if self._of.every > 1 else "Give more data.",
            )
        self._epoch, self._given = self._epoch + 1, False
        self._file = self._at = self._number = 0

    def get_state(self) -> dict[str, Any]:
        return {
            "epoch": self._epoch,
            "file": self._file,
            "at": self._at,
            "record": self._number,
            "given": self._given,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self._leave()
        self._epoch, self._file, self._at = state["epoch"], state["file"], state["at"]
        self._number, self._given = state["record"], state["given"]
