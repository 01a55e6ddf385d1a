"""Records become documents: which values are the text, its tokens, which of them are learnt, and what is left out and why."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import grain
import numpy as np

from .. import embeddings
from ..embeddings import Kind, Placed
from ..errors import Problem
from ..tokenizer import Tokenizer
from .files import Unreadable
from .filters import Filters
from .kinds import Found
from . import windows
from .records import Record, bad_record
from .settings import Settings

_IDS = ("input_ids", "tokens", "ids")
_TEXT = ("text", "txt", "content")
BAD = "bad"
"""The reason that broken records are counted under."""
BEYOND = "with no answer within the context"
"""The reason that conversations of which nothing would be learnt are counted under."""


@dataclass
class Document:
    """Tokens that belong together."""

    ids: np.ndarray
    mask: np.ndarray | None = None
    """1 for each token that is learnt; None: all are."""
    type: int = -1
    """Which of `data.types.values` the record is of; -1: none."""
    epoch: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """How many records before it were left out for the first time, by reason."""
    embeddings: Mapping[str, Placed] = field(default_factory=dict)
    """What stands in the place of its tokens that are -1, by kind."""

    def part(self, start: int, size: int) -> Document:
        """So many of its tokens from one on, with what belongs to them."""
        inside = slice(start, start + size)
        mask = None if self.mask is None else self.mask[inside]
        given = {name: placed.part(start, size) for name, placed in self.embeddings.items()}
        return Document(self.ids[inside], mask, self.type, embeddings=given)


def fits(document: Document, row: Mapping[str, np.ndarray]) -> bool:
    """Whether a row has room for a document's vectors beside those that it has."""
    return all(
        int(row[embeddings.SLOTS.format(name)].max()) + 1 + len(placed.vectors) <= len(row[embeddings.VECTORS.format(name)])
        for name, placed in document.embeddings.items()
    )


def lay(document: Document, row: Mapping[str, np.ndarray], at: int, segment: int) -> None:
    """Writes a document, which has room there, into the arrays of a row from the place `at` on."""
    place = slice(at, at + document.ids.size)
    row["tokens"][place] = document.ids
    if "segments" in row:
        row["segments"][place] = segment
    if "mask" in row:
        row["mask"][place] = 1 if document.mask is None else document.mask
    if "types" in row:
        row["types"][place] = document.type
    for name, placed in document.embeddings.items():
        slots, vectors = row[embeddings.SLOTS.format(name)], row[embeddings.VECTORS.format(name)]
        numbers = int(slots.max()) + 1 + np.arange(len(placed.vectors))
        slots[at + placed.at] = numbers
        vectors[numbers, : placed.vectors.shape[1]] = placed.vectors


@dataclass(frozen=True)
class Dropped:
    """A record that is left out, and why."""

    reason: str
    epoch: int = 0

    @property
    def counts(self) -> bool:
        """Whether it is counted: once, however often the data are read."""
        return self.epoch == 0


class Examiner:
    """Makes the document of a record, or says why there is none."""

    def __init__(
        self, found: Found, settings: Settings, tokenizer: Tokenizer, kinds: Mapping[str, Kind] = MappingProxyType({})
    ) -> None:
        """`kinds`: of what records may have in the place of tokens."""
        self._kinds = kinds
        self._found, self._field = found, found.source.field
        self._settings, self._tokenizer = settings, tokenizer
        self._filters = Filters(settings.filters)
        self._limit = settings.vocabulary or tokenizer.vocab_size
        self.duplicates: frozenset[tuple[int, int]] = frozenset()
        """Records, by file and number, of which there is an earlier one."""
        if tokenizer.eos is not None:
            self._end = np.array([tokenizer.eos], np.int32)
        else:
            self._end = tokenizer.encode("" if settings.packing else "\n", special=False).astype(np.int32)

    def __call__(self, record: Record) -> Document | Dropped:
        if (record.file, record.number) in self.duplicates:
            return Dropped("duplicate", record.epoch)
        try:
            found = self._examine(record)
            if isinstance(found, Document):
                found.epoch = record.epoch
            return found
        except Exception as error:
            bad_record(self._found, record.file, record.number, error, self._settings.skip_bad)
            return Dropped(BAD, record.epoch)

    def text(self, record: Record) -> str | None:
        """What a record says; None if it is broken and such are left out."""
        try:
            return self._text(self.value(record))
        except Exception as error:
            bad_record(self._found, record.file, record.number, error, self._settings.skip_bad)
            return None

    def _text(self, value: str | np.ndarray | dict[str, Any]) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, np.ndarray):
            return self._tokenizer.decode(self._checked(value).tolist())
        return json.dumps(value, ensure_ascii=False, default=str)

    def _examine(self, record: Record) -> Document | Dropped:
        parsed = self._parsed(record)
        value = self._value(parsed)
        reason = self._filters.of_text(self._text(value)) if self._filters.need_text else None
        if reason is not None:
            return Dropped(reason, record.epoch)
        document = self._document(record, value)
        document.type = self._type(parsed)
        self._place(document, parsed)
        reason = "empty" if document.ids.size == 0 else self._filters.of_length(document.ids.size)
        return document if reason is None else Dropped(reason, record.epoch)

    def _type(self, values: Any) -> int:
        """What data.types says of a record of these values; of one that has no such field, nothing."""
        types = self._settings.types
        if types is None or not isinstance(values, dict) or types["field"] not in values:
            return -1
        found = _single(values[types["field"]])
        found = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        if found not in types["values"]:
            raise Unreadable(f"its `{types['field']}` is {_described(found)}, which data.types.values does not list")
        return types["values"].index(found)

    def _place(self, document: Document, values: Any) -> None:
        """Puts in among the tokens what a record has to stand in their place."""
        if not isinstance(values, dict):
            return
        # A tar file's members have the name of what they hold, and that of its form.
        keys = ((name, key) for name in self._kinds for key in (name, f"{name}.npy"))
        given = {name: values[key] for name, key in keys if key in values}
        if not given:
            return
        try:
            found = {name: self._kinds[name].vectors(value, f"its `{name}`") for name, value in given.items()}
        except Problem as problem:
            raise Unreadable(problem.message) from None
        first = {name: self._first(values, name, document.ids.size) for name in found}
        places = np.concatenate([np.full(len(vectors), first[name]) for name, vectors in found.items()])
        # Behind which others, of those that are put in, each comes to stand.
        at = places + np.argsort(np.argsort(places, kind="stable"), kind="stable")
        document.ids = np.insert(document.ids, places, windows.IGNORED)
        document.mask = None if document.mask is None else np.insert(document.mask, places, 0)
        ends = np.cumsum([len(vectors) for vectors in found.values()])
        document.embeddings = {
            name: Placed(own, vectors) for (name, vectors), own in zip(found.items(), np.split(at, ends[:-1]), strict=True)
        }

    def _first(self, values: dict[str, Any], name: str, tokens: int) -> int:
        """How many of a record's tokens stand before the vectors of a kind: by default none."""
        at = values.get(f"{name}_at", 0)
        if isinstance(at, bool) or not isinstance(at, (int, np.integer)) or not 0 <= at <= tokens:
            raise Unreadable(f"its `{name}_at` is {_described(at)}, where a whole number is expected, of 0 to its {tokens:,} tokens")
        return int(at)

    def _document(self, record: Record, value: str | np.ndarray | dict[str, Any]) -> Document:
        if self._settings.whole and not isinstance(value, dict):
            raise Unreadable(f"it is {_described(value)}, where data.format={self._settings.format} expects an object")
        if isinstance(value, str):
            ids = self._tokenizer.encode_piece(value, record.begins, record.ends).astype(np.int32)
            if record.ends and self._end.size and ids.size and (self._tokenizer.eos is None or ids[-1] != self._end[0]):
                ids = np.append(ids, self._end)
            return Document(self._checked(ids))
        if isinstance(value, np.ndarray):
            return Document(self._checked(value))
        from .. import chat

        ids, mask = chat.format_record(value, self._tokenizer, self._settings.raw)
        return Document(self._checked(np.asarray(ids)), np.asarray(mask, np.int32))

    def _checked(self, ids: np.ndarray) -> np.ndarray:
        if ids.size:
            worst = int(ids.min()) if ids.min() < 0 else int(ids.max())
            if not 0 <= worst < self._limit:
                raise Unreadable(f"the token id {worst:,} is beyond the vocabulary of {self._limit:,}")
        return ids.astype(np.int32)

    def value(self, record: Record) -> str | np.ndarray | dict[str, Any]:
        """The text, the token ids or the conversation in a record."""
        return self._value(self._parsed(record))

    def _parsed(self, record: Record) -> Any:
        if isinstance(record.payload, Unreadable):
            raise record.payload
        return self._found.kind.parse(record.payload)

    def _value(self, value: Any) -> str | np.ndarray | dict[str, Any]:
        if isinstance(value, dict):
            value = self._of_fields(value)
        if isinstance(value, bytes):
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Unreadable(f"it is not UTF-8 (byte {error.start:,}: {error.reason})") from None
        if isinstance(value, (str, dict)):
            return value
        if isinstance(value, (list, np.ndarray)):
            return _ids(value)
        raise Unreadable(f"it is {_described(value)}, where a text or a list of token ids is expected")

    def _of_fields(self, values: dict[str, Any]) -> Any:
        """The value that the source's `field` names, else that of a usual name, else the only text."""
        if self._field is not None:
            if self._field not in values:
                has = ", ".join(map(str, values)) or "none"
                raise Unreadable(f"it has no field `{self._field}`; it has: {has}", "Name one that it has with `field`.")
            return _single(values[self._field])
        if self._settings.whole:
            return values
        for name in _IDS:
            if name in values:
                return values[name]
        for name in _TEXT:
            if name in values:
                return _single(values[name])
        texts = [value for value in map(_single, values.values()) if isinstance(value, (str, bytes))]
        if len(texts) == 1:
            return texts[0]
        raise Unreadable(f"which of its fields is the text? It has: {', '.join(map(str, values)) or 'none'}", _whose(values))


def _whose(values: dict[str, Any]) -> str:
    """What says how a record is read of which none of the values is the text."""
    for name, of in (("chat", ("messages",)), ("completion", ("prompt", "completion"))):
        if values.keys() >= set(of):
            return f"It is more than a text: train on it as it is, with data.format: {name}."
    return "Name it with `field`."


def _single(value: Any) -> Any:
    """The one text in a list, as tf.train.Example has it."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], (str, bytes)) else value


def _ids(value: list[Any] | np.ndarray) -> np.ndarray:
    ids = np.asarray(value)
    if ids.size == 0:
        return np.zeros(0, np.int64)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise Unreadable(f"token ids are expected, a list of whole numbers; it is {_described(value)}")
    return ids


def _described(value: Any) -> str:
    text = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 40 else f"{text[:37]}..."


class Sieve(grain.IterDataset):
    """The documents among documents and dropped records of the source at `path`; each knows how many were dropped since the beginning."""

    def __init__(self, parent: grain.IterDataset, path: str) -> None:
        super().__init__(parent)
        self._path = path

    def __iter__(self) -> _SieveIterator:
        return _SieveIterator(self._parent.__iter__(), self._path)


class _SieveIterator(grain.DatasetIterator):
    def __init__(self, parent: grain.DatasetIterator, path: str) -> None:
        super().__init__(parent)
        self._path = path
        self._epoch = 0
        """The epoch of the last document."""
        self._dropped: Counter[str] = Counter()

    def __next__(self) -> Document:
        reasons: set[str] = set()
        while True:
            found = next(self._parent)
            if isinstance(found, Document):
                self._epoch, found.dropped = found.epoch, self._dropped
                return found
            if found.counts:
                self._dropped = self._dropped + Counter([found.reason])
            reasons.add(found.reason)
            if found.epoch > self._epoch + 1:
                raise nothing_left(self._path, reasons)

    def get_state(self) -> dict[str, Any]:
        return {"parent": self._parent.get_state(), "epoch": self._epoch, "dropped": dict(self._dropped)}

    def set_state(self, state: dict[str, Any]) -> None:
        self._parent.set_state(state["parent"])
        self._epoch, self._dropped = state["epoch"], Counter(state["dropped"])


def nothing_left(path: str, reasons: set[str]) -> Problem:
    """That every record of the source at `path` was dropped."""
    hint = "Look at data.filters, and at the data themselves."
    if reasons == {BEYOND}:
        hint = "Compile the model with a longer context, or give shorter prompts."
    return Problem("data_empty", f"No record of {path} is left to train on ({', '.join(sorted(reasons))}).", hint)
