"""Files of tokenized documents as they are written: one class a format, each for what reads it (kinds.py).

A shard is written under a hidden name and gets its own when it is whole and on the disk.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from .. import checksums
from . import streams


class Writer(Protocol):
    """Takes the documents of a shard; of a long one, its pieces."""

    def __init__(self, path: str, dtype: np.dtype) -> None: ...

    def add(self, ids: np.ndarray) -> None:
        """The next document."""

    def close(self) -> None:
        """Writes what is left."""


class _Bin:
    """Token ids one after the other, little-endian, without a header."""

    def __init__(self, path: str, dtype: np.dtype) -> None:
        self._file, self._dtype = open(path, "wb"), dtype.newbyteorder("<")

    def add(self, ids: np.ndarray) -> None:
        self._file.write(ids.astype(self._dtype).tobytes())

    def close(self) -> None:
        self._file.close()


class _TfRecord:
    """A tf.train.Example a document, with the feature `input_ids`."""

    def __init__(self, path: str, dtype: np.dtype) -> None:
        self._file = open(path, "wb")

    def add(self, ids: np.ndarray) -> None:
        data = streams.example(input_ids=ids)
        head = struct.pack("<Q", len(data))
        parts = (head, streams.masked_crc(head), data, streams.masked_crc(data))
        self._file.write(b"".join(part if isinstance(part, bytes) else struct.pack("<I", part) for part in parts))

    def close(self) -> None:
        self._file.close()


class _Hdf5:
    """A data set `input_ids` whose rows are documents, each as long as it is."""

    _ROWS_AT_ONCE: ClassVar[int] = 1024

    def __init__(self, path: str, dtype: np.dtype) -> None:
        import h5py

        self._file = h5py.File(path, "w")
        kind = h5py.vlen_dtype(dtype)
        self._data = self._file.create_dataset("input_ids", (0,), kind, maxshape=(None,), chunks=(self._ROWS_AT_ONCE,))
        self._dtype, self._waiting = dtype, []

    def add(self, ids: np.ndarray) -> None:
        self._waiting.append(ids.astype(self._dtype))
        if len(self._waiting) == self._ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        first = self._data.shape[0]
        self._data.resize((first + len(self._waiting),))
        # One by one: rows of the same length would be taken for a matrix.
        for number, ids in enumerate(self._waiting, first):
            self._data[number] = ids
        self._waiting = []

    def close(self) -> None:
        if self._waiting:
            self._flush()
        self._file.close()


class _ArrayRecord:
    """The same Examples as in TFRecord; each is read by its number."""

    def __init__(self, path: str, dtype: np.dtype) -> None:
        from array_record.python.array_record_module import ArrayRecordWriter

        self._writer = ArrayRecordWriter(path, "group_size:1")

    def add(self, ids: np.ndarray) -> None:
        self._writer.write(streams.example(input_ids=ids))

    def close(self) -> None:
        self._writer.close()


FORMATS: dict[str, tuple[str, type[Writer]]] = {
    "bin": (".bin", _Bin),
    "tfrecord": (".tfrecord", _TfRecord),
    "hdf5": (".h5", _Hdf5),
    "arrayrecord": (".array_record", _ArrayRecord),
}
"""How names of shards end, and what writes them."""


class Shard:
    """A shard that is being written."""

    def __init__(self, folder: Path, number: int, kind: str, dtype: np.dtype) -> None:
        suffix, writer = FORMATS[kind]
        self._path = folder / f"tokens-{number:05}{suffix}"
        self._draft = folder / f".{self._path.name}"
        self._writer = writer(str(self._draft), dtype)
        self.tokens = self.documents = 0

    def add(self, ids: np.ndarray, ends: bool = True) -> None:
        """The next document, or a piece of it: whether it ends with it."""
        self._writer.add(ids)
        self.tokens += ids.size
        self.documents += ends

    def finish(self) -> dict[str, Any]:
        """Gives the shard its name; what the index says of it."""
        self._writer.close()
        with open(self._draft, "rb") as stream:
            os.fsync(stream.fileno())
        written = checksums.of(self._draft)
        self._draft.rename(self._path)
        return {"file": self._path.name, "tokens": self.tokens, "documents": self.documents, **written}

    def drop(self) -> None:
        """Leaves nothing of it."""
        self._writer.close()
        self._draft.unlink(missing_ok=True)
