"""Documents become rows: laid one after the other into rows of so many tokens, cut where a row is full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import grain
import numpy as np

from ..errors import Problem
from .. import embeddings
from . import windows
from .documents import BEYOND, Document, Dropped, Examiner, Sieve, fits, lay, nothing_left
from .files import fingerprint
from .kinds import Found
from .records import Record, StreamRecords, TableRecords
from .source import Form, Row, Share

_VALIDATION_ROWS = 1024
"""How many rows are evaluated where the configuration does not say."""
_SEEDS_APART = 1_000_003


class Documents(Protocol):
    """Documents one after the other, with a position."""

    def next(self) -> Document:
        """The next one. Raises StopIteration after the last."""

    def state(self) -> Any:
        """The position before the next one, as JSON."""

    def restore(self, state: Any) -> None:
        """Goes to a position."""


class TableDocuments:
    """Every so many documents of the table at `path`: its `lane` of `lanes`. The position is a number."""

    def __init__(self, documents: grain.MapDataset, path: str, lane: int, lanes: int) -> None:
        self._documents, self._path, self._lane, self._lanes = documents, path, lane, lanes
        self._next = 0

    def next(self) -> Document:
        """See Documents."""
        dropped: Counter[str] = Counter()
        reasons: set[str] = set()
        for _ in range(4 * len(self._documents) + self._lanes):
            # Each round lanes change places: a lane that met the same few records for ever might have none that is kept.
            place = self._next * self._lanes + (self._lane + self._next) % self._lanes
            found = self._documents[place]
            self._next += 1
            if isinstance(found, Document):
                found.dropped = dropped
                return found
            dropped[found.reason] += found.counts
            reasons.add(found.reason)
        raise nothing_left(self._path, reasons)

    def state(self) -> int:
        """See Documents."""
        return self._next

    def restore(self, state: int) -> None:
        """See Documents."""
        self._next = state


class StreamDocuments:
    """The documents of a Grain pipeline, of which each knows how many records were left out since the beginning of what was read."""

    def __init__(self, iterator: grain.DatasetIterator) -> None:
        self._iterator = iterator
        self._told: Counter[str] = Counter()

    def next(self) -> Document:
        """See Documents."""
        document = next(self._iterator)
        # They may come in another order than they were read in.
        known = self._told | document.dropped
        document.dropped, self._told = known - self._told, known
        return document

    def state(self) -> dict[str, Any]:
        """See Documents."""
        return {"documents": self._iterator.get_state(), "told": dict(self._told)}

    def restore(self, state: dict[str, Any]) -> None:
        """See Documents."""
        self._iterator.set_state(state["documents"])
        self._told = Counter(state["told"])


class Packer:
    """Lays documents into rows.

    A document that is cut goes on in the next row with the token it was cut after, so that each token is a target once. With `whole`
    none is cut: one that does not fit any more begins the next row, and of one longer than a row the beginning is taken. So does
    one that has more vectors than the row has room for.
    With `alone` a row has one document. State: the position before the document that is being laid, and how much of it was.
    """

    def __init__(self, documents: Documents, whole: bool, alone: bool) -> None:
        self._documents, self._whole, self._alone = documents, whole, alone
        self._before = documents.state()
        self._document: Document | None = None
        self._at = 0
        self.dropped: Counter[str] = Counter()

    def fill(self, row: Row) -> bool:
        """Writes the next row into arrays `[window]`; whether there was anything to write."""
        width, at, segment = row["tokens"].size, 0, 0
        while at < width:
            if self._document is None:
                self._before = self._documents.state()
                try:
                    self._document = self._documents.next()
                except StopIteration:
                    return at > 0
                self._at = 0
                self.dropped += self._document.dropped
            document, segment = self._document, segment + 1
            if at > 0 and (self._alone or (self._whole and document.ids.size > width - at)):
                break
            piece = document.part(self._at, width - at)
            if at > 0 and not fits(piece, row):
                break
            lay(piece, row, at, segment)
            at += piece.ids.size
            if self._whole or self._at + piece.ids.size == document.ids.size:
                self._document = None
            else:
                self._at += piece.ids.size - 1
        return True

    def state(self) -> list[Any]:
        """The position, as JSON."""
        return [self._documents.state(), None] if self._document is None else [self._before, self._at]

    def restore(self, state: list[Any]) -> None:
        """Goes to a position."""
        self._before, at = state
        self._documents.restore(self._before)
        self._document = None
        if at is not None:
            self._document, self._at = self._documents.next(), at


class PackedRows:
    """Rows of documents (source.Rows): one packer for each, or one for all of them.

    The position is that of the packers, by names that no other process's packers have.
    """

    def __init__(self, packers: dict[str, Packer], of_rows: int) -> None:
        self._packers, self._of_rows = packers, of_rows
        self._in_order = list(packers.values())

    def fill(self, batch: Row, places: np.ndarray, numbers: np.ndarray) -> Counter[str]:
        """See Rows."""
        dropped: Counter[str] = Counter()
        for place in places:
            packer = self._in_order[place if len(self._in_order) > 1 else 0]
            packer.fill({name: rows[place] for name, rows in batch.items()})
            dropped += packer.dropped
            packer.dropped.clear()
        return dropped

    def state(self) -> dict[str, Any]:
        """See Rows."""
        return {name: packer.state() for name, packer in self._packers.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """See Rows. Raises ValueError for a position of batches of another size."""
        rows = [name for name in state if name.startswith("row")]
        if rows and len(rows) != self._of_rows:
            raise ValueError(state)
        readers = [name for name in state if name.startswith("reader")]
        for name, packer in self._packers.items():
            if readers and name.startswith("reader") and name not in readers:
                raise Problem(
                    "data_position",
                    "The run's data were divided among another number of processes; streams of records cannot be divided anew.",
                    "Resume with as many processes as before.",
                )
            packer.restore(state[name])


class DocumentSource:
    """A source whose records are documents (source.Source)."""

    position = "record"

    def __init__(self, found: Found, form: Form, number: int = 0) -> None:
        """`number`: which of the mixture's sources it is."""
        settings, kind = form.settings, found.kind
        self.found, self._form, self._settings = found, form, settings
        self._seed = settings.seed + _SEEDS_APART * number
        self.examiner = Examiner(found, settings, form.tokenizer, embeddings.kinds(form.ports))
        self.unit, self.records = form.tokenizer.unit, None
        self.train_tokens = None
        self.validation_tokens = None if settings.validation > 0 else 0
        self.fingerprint = fingerprint(found.files)
        self._rows: list[Row] | None = None
        if kind.table is not None:
            self._train, self._held_out = (self._table(held_out) for held_out in (False, True))
            self.records = len(self._train)
        if settings.validation < 1 and next(self.in_order(False), None) is None:
            raise Problem("data_empty", f"There is no record to train on in {found.source.path}.", "Give more data.")

    def _table(self, held_out: bool) -> TableRecords:
        return TableRecords(self.found, self._settings.validation, held_out)

    def rows(self, share: Share) -> PackedRows:
        """See Source."""
        packers = {name: self._packer(documents) for name, documents in self.documents(share).items()}
        return PackedRows(packers, share.of_rows)

    def _packer(self, documents: Documents) -> Packer:
        return Packer(documents, self._settings.whole, self._settings.alone)

    def documents(self, share: Share) -> dict[str, Documents]:
        """Documents to train on: for every row a lane, or one stream for all of them."""
        path = self.found.source.path
        if self.found.kind.table is not None:
            order = self._train.shuffled(self._seed) if self._settings.shuffle > 1 else self._train
            found = order.map(self.examiner).map(self._teaching)
            lanes = share.of_rows * share.workers
            first = share.worker * share.of_rows
            return {f"row {row}": TableDocuments(found, path, first + int(row), lanes) for row in share.rows}
        shuffle = self._settings.shuffle
        order = self._seed if shuffle > 1 else None
        records = StreamRecords(self.found, self._settings.validation, False, order, share)
        found = Sieve(records.map(self.examiner).map(self._teaching), path)
        if shuffle > 1:
            found = grain.experimental.WindowShuffleIterDataset(found, window_size=shuffle, seed=self._seed & 0xFFFFFFFF)
        return {f"reader {share.reader} of {share.readers}": StreamDocuments(found.__iter__())}

    def _teaching(self, found: Document | Dropped) -> Document | Dropped:
        """What is found, unless nothing of it would be learnt."""
        if not isinstance(found, Document) or found.mask is None or "mask" not in self._form.ports:
            return found
        # The first token of a row is nobody's target.
        return found if found.mask[1 : self._form.width].any() else Dropped(BEYOND, found.epoch)

    def in_order(self, held_out: bool) -> Iterator[Record]:
        """The records of one part, once, in the order of the files."""
        if self.found.kind.table is not None:
            records = self._held_out if held_out else self._train
            return (records[number] for number in range(len(records)))
        return iter(StreamRecords(self.found, self._settings.validation, held_out))

    def validation(self) -> Iterator[Row]:
        """See Source; those of a part that is kept apart are made once."""
        if self._settings.validation == 1 and self._settings.validation_rows is None:
            return self._validation()
        if self._rows is None:
            self._rows = list(islice(self._validation(), self._settings.validation_rows or _VALIDATION_ROWS))
        return iter(self._rows)

    def _validation(self) -> Iterator[Row]:
        if self._settings.validation == 0:
            return
        found = map(self.examiner, self.in_order(held_out=True))
        packer = self._packer(_Once(document for document in found if isinstance(document, Document)))
        while packer.fill(row := windows.empty(self._form.ports, (self._form.width,))):
            yield row


class _Once:
    """Documents that come once; there is no going back."""

    def __init__(self, documents: Iterator[Document]) -> None:
        self._documents = documents

    def next(self) -> Document:
        """See Documents."""
        return next(self._documents)

    def state(self) -> None:
        """See Documents."""

    def restore(self, state: None) -> None:
        """See Documents."""
