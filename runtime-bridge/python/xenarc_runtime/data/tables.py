"""Formats whose records are found by number: Parquet, Arrow, HDF5, ArrayRecord, JSON, CSV, and text files in pieces.

A table has a length and gives the record of a number; it opens its file when it is first asked, in every process for itself.
"""

from __future__ import annotations

import csv
import io
import re
from collections import OrderedDict
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from .. import pieces
from .files import File, Unreadable, conversion
from .streams import LONGEST, parse_example, parse_json

_KEPT_GROUPS = 4
"""Groups of rows of a Parquet file that are kept decoded: neighbours in the order of reading are in few."""


class Table:
    """The records of one file, by number."""

    group: int | None = None
    """Records that are read together, where one alone costs as much as all of these."""
    in_pieces = False
    """Whether the records are the pieces of one document."""
    at_any_place = True
    """Whether the file is read at any place; else it may be compressed as a whole."""

    def __init__(self, file: File, field: str | None) -> None:
        self.file, self.field = file, field

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, number: int) -> Any:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {"file": self.file, "field": self.field}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)


class TextFile(Table):
    """A text file, of which each piece is a record. A compressed one has a single piece, an empty one none."""

    in_pieces, at_any_place = True, False

    @cached_property
    def _starts(self) -> list[int]:
        """The first byte of every piece, and the end of the last."""
        size = self.file.size()
        if size == 0:
            return [0]
        starts = [0]
        if size > pieces.SIZE and not self.file.is_compressed:
            with self.file.open() as stream:
                while size - starts[-1] > pieces.SIZE:
                    near = stream.seek(starts[-1] + pieces.SIZE - pieces.NEAR)
                    text = stream.read(pieces.NEAR).decode("utf-8", "surrogateescape")
                    starts.append(near + len(text[: pieces.end(text)].encode("utf-8", "surrogateescape")))
        return [*starts, size]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> str:
        start, end = self._starts[number : number + 2]
        with self.file.stream(start) as stream:
            data = stream.read(None if len(self) == 1 else end - start)
        try:
            return data.decode("utf-8").removeprefix("" if number else "\ufeff")
        except UnicodeDecodeError as error:
            raise Unreadable(f"it is not UTF-8 (byte {start + error.start:,}: {error.reason})", conversion(data)) from None


class Json(Table):
    """The values of a list, or one value, in a JSON file, which is read as a whole."""

    at_any_place = False

    @cached_property
    def _values(self) -> list[Any]:
        with self.file.stream() as stream:
            data = stream.read()
        try:
            found = parse_json(data)
        except Unreadable:
            parse_json(data.partition(b"\n")[0])
            raise Unreadable("it has a JSON value a line, as files of the kind jsonl do") from None
        return found if isinstance(found, list) else [found]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: int) -> Any:
        return self._values[number]


class Csv(Table):
    """Rows of a file of comma-separated values, or of tab-separated ones (`.tsv`), which is read as a whole. The first row names the columns."""

    at_any_place = False

    @cached_property
    def _rows(self) -> list[list[str]]:
        delimiter = "\t" if ".tsv" in self.file.name.lower() else ","
        csv.field_size_limit(LONGEST)
        with io.TextIOWrapper(self.file.stream(), "utf-8-sig", newline="") as text:
            try:
                return [row for row in csv.reader(text, delimiter=delimiter, strict=True) if row]
            except UnicodeDecodeError as error:
                raise Unreadable(f"it is not UTF-8 ({error.reason})", conversion(error.object)) from None

    def __len__(self) -> int:
        return max(0, len(self._rows) - 1)

    def __getitem__(self, number: int) -> dict[str, str]:
        names, row = self._rows[0], self._rows[number + 1]
        if len(row) != len(names):
            raise Unreadable(f"it has {len(row)} value{'' if len(row) == 1 else 's'}, and the first row names {len(names)}")
        return dict(zip(names, row, strict=True))


class Parquet(Table):
    """Rows of a Parquet file."""

    @cached_property
    def _opened(self) -> tuple[pa.parquet.ParquetFile, np.ndarray]:
        opened = pa.parquet.ParquetFile(self.file.open() if self.file.is_remote else self.file.name)
        counts = [opened.metadata.row_group(group).num_rows for group in range(opened.num_row_groups)]
        return opened, np.cumsum([0, *counts])

    @cached_property
    def _groups(self) -> OrderedDict[int, pa.Table]:
        return OrderedDict()

    @property
    def group(self) -> int:
        return max(1, int(np.max(np.diff(self._opened[1]), initial=1)))

    def __len__(self) -> int:
        return int(self._opened[1][-1])

    def __getitem__(self, number: int) -> dict[str, Any]:
        opened, starts = self._opened
        group = int(np.searchsorted(starts, number, "right")) - 1
        if group not in self._groups:
            columns = None if self.field is None else _columns(opened.schema_arrow, self.field)
            self._groups[group] = opened.read_row_group(group, columns=columns)
            if len(self._groups) > _KEPT_GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end(group)
        return _row(self._groups[group], number - int(starts[group]))


class Arrow(Table):
    """Rows of an Arrow file, of the streaming kind (what Hugging Face `datasets` saves) or of the other; mapped, not read."""

    @cached_property
    def _batches(self) -> tuple[list[pa.RecordBatch], np.ndarray]:
        mapped = pa.memory_map(self.file.local())
        try:
            batches = list(pa.ipc.open_stream(mapped))
        except pa.ArrowInvalid:
            opened = pa.ipc.open_file(mapped)
            batches = [opened.get_batch(number) for number in range(opened.num_record_batches)]
        return batches, np.cumsum([0, *(batch.num_rows for batch in batches)])

    def __len__(self) -> int:
        return int(self._batches[1][-1])

    def __getitem__(self, number: int) -> dict[str, Any]:
        batches, starts = self._batches
        part = int(np.searchsorted(starts, number, "right")) - 1
        row = batches[part].slice(number - int(starts[part]), 1)
        row.validate(full=True)
        return _row(row, 0)


def _columns(schema: pa.Schema, field: str) -> list[str]:
    if field not in schema.names:
        raise Unreadable(f"it has no column `{field}`; it has: {', '.join(schema.names)}", "Name one that it has with `field`.")
    return [field]


def _row(table: pa.Table | pa.RecordBatch, number: int) -> dict[str, Any]:
    """A row by its columns' names; lists of numbers are arrays."""
    found = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        value = column[number]
        is_list = isinstance(value, pa.ListScalar) and value.is_valid and pa.types.is_integer(value.type.value_type)
        found[name] = value.values.to_numpy(zero_copy_only=False) if is_list else value.as_py()
    return found


class Hdf5(Table):
    """Rows of a data set in an HDF5 file: texts, or token ids of one or of several lengths.

    It is the data set at the path `field`, or the only one, or that of a usual name.
    """

    @cached_property
    def _data(self) -> Any:
        import h5py

        opened = h5py.File(self.file.open() if self.file.is_remote else self.file.name, "r")
        names: list[str] = []
        opened.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        wanted = self.field or next((name for name in _USUAL if name in names), names[0] if len(names) == 1 else None)
        if wanted not in names:
            missing = f"no data set `{wanted}`" if wanted else "several data sets"
            raise Unreadable(f"it has {missing}; it has: {', '.join(names) or 'none'} (the source's `field` names one)")
        data = opened[wanted]
        if data.external or data.is_virtual:
            raise Unreadable(f"its data set `{wanted}` leads to other files")
        if data.ndim == 0:
            raise Unreadable(f"its data set `{wanted}` has no rows")
        if data.dtype.itemsize * int(np.prod(data.shape[1:])) > LONGEST:
            raise Unreadable(f"rows of its data set `{wanted}` are longer than {LONGEST:,} bytes")
        return data

    def __len__(self) -> int:
        return self._data.shape[0]

    def __getitem__(self, number: int) -> Any:
        value = self._data[number]
        return value.decode("utf-8") if isinstance(value, bytes) else value

    @property
    def is_run(self) -> bool:
        """Whether the rows are tokens of one run, rather than records."""
        return self._data.ndim == 1 and self._data.dtype.kind in "iu"

    def read(self, start: int, count: int) -> np.ndarray:
        """So many tokens of a run."""
        return self._data[start : start + count]


_USUAL = ("tokens", "input_ids", "ids", "text", "content")


class ArrayRecord(Table):
    """Records of an ArrayRecord file: serialized tf.train.Examples, JSON values or texts."""

    @cached_property
    def _reader(self) -> Any:
        from array_record.python.array_record_module import ArrayRecordReader

        reader = ArrayRecordReader(self.file.local())
        if not reader.ok():
            raise Unreadable("it is no ArrayRecord file, or it is damaged")
        return reader

    def __len__(self) -> int:
        return self._reader.num_records()

    def __getitem__(self, number: int) -> Any:
        data = self._reader.read([number])[0]
        if not self._reader.ok():
            raise Unreadable("it is damaged")
        # An Example begins with a line feed, and its length may look like a bracket.
        if re.match(rb'[ \t\r]*[{\["]', data):
            return parse_json(data)
        try:
            return parse_example(data)
        except Unreadable:
            return data
