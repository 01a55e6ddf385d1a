"""Long runs of tokens, of which any window is read at once: arrays, files of token ids, and several of them joined."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from .files import File, Unreadable, bad_file
from .tables import Hdf5


class Run(Protocol):
    """A run of `size` tokens."""

    size: int

    def read(self, starts: np.ndarray, width: int) -> np.ndarray:
        """The windows `[rows, width]` that begin at `starts`."""

    def where(self, at: int) -> str:
        """What has the token `at`, and which of its tokens that is."""


class ArrayRun:
    """Tokens in memory, of what is called `name`."""

    def __init__(self, tokens: np.ndarray, name: str = "") -> None:
        self._tokens, self.size, self._name = tokens, tokens.size, name

    def read(self, starts: np.ndarray, width: int) -> np.ndarray:
        """See Run."""
        return self._tokens[starts[:, None] + np.arange(width)]

    def where(self, at: int) -> str:
        """See Run."""
        return _token(self._name, at)


class FileRun:
    """A file of token ids, little-endian, without a header; mapped, not read, and by every process for itself."""

    def __init__(self, file: File, dtype: str) -> None:
        self.file, self.dtype = file, np.dtype(dtype).newbyteorder("<")
        self.size, rest = divmod(file.size(), self.dtype.itemsize)
        if rest:
            raise bad_file(file, Unreadable(f"its {file.size():,} bytes are not a whole number of {dtype} tokens"))

    @cached_property
    def _tokens(self) -> np.ndarray:
        return np.memmap(self.file.local(), self.dtype, "r", shape=(self.size,))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_tokens"}

    def read(self, starts: np.ndarray, width: int) -> np.ndarray:
        """See Run."""
        found = np.empty((starts.size, width), self.dtype)
        for row, start in zip(found, starts, strict=True):
            row[:] = self._tokens[start : start + width]
        return found

    def where(self, at: int) -> str:
        """See Run."""
        return _token(self.file.name, at)


def _token(name: str, at: int) -> str:
    return f"{name}, token {at + 1:,}"


def type_of(file: File, vocabulary: int) -> str:
    """The type of a file's token ids: what the index of `xenarc data tokenize` beside it says, else one that fits the vocabulary."""
    fitting = "uint16" if vocabulary <= 1 << 16 else "uint32"
    index = Path(file.name).with_name("index.json")
    if file.is_remote or not index.is_file():
        return fitting
    try:
        dtype = json.loads(index.read_bytes())["dtype"]
    except (ValueError, KeyError, TypeError):
        return fitting
    return dtype if dtype in ("uint8", "uint16", "uint32") else fitting


class TableRun:
    """A data set of token ids in an HDF5 file."""

    def __init__(self, table: Hdf5) -> None:
        self._table, self.size = table, len(table)

    def read(self, starts: np.ndarray, width: int) -> np.ndarray:
        """See Run."""
        return np.stack([self._table.read(int(start), width) for start in starts])

    def where(self, at: int) -> str:
        """See Run."""
        return _token(self._table.file.name, at)


class Joined:
    """Runs one after the other."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = runs
        self._starts = np.cumsum([0, *(run.size for run in runs)])
        self.size = int(self._starts[-1])

    def read(self, starts: np.ndarray, width: int) -> np.ndarray:
        """See Run."""
        first = np.searchsorted(self._starts, starts, "right") - 1
        whole = starts + width <= self._starts[first + 1]
        found: np.ndarray | None = None
        for number in np.unique(first[whole]):
            rows = np.flatnonzero(whole & (first == number))
            part = self._runs[number].read(starts[rows] - self._starts[number], width)
            found = np.empty((starts.size, width), part.dtype) if found is None else found
            found[rows] = part
        across = {int(row): self._across(int(first[row]), int(starts[row]), width) for row in np.flatnonzero(~whole)}
        if found is None:
            found = np.empty((starts.size, width), np.result_type(*across.values()))
        for row, window in across.items():
            found[row] = window
        return found

    def where(self, at: int) -> str:
        """See Run."""
        number = int(np.searchsorted(self._starts, at, "right")) - 1
        return self._runs[number].where(at - int(self._starts[number]))

    def _across(self, number: int, start: int, width: int) -> np.ndarray:
        """A window that begins in one run and ends in a later one."""
        pieces = []
        while width > 0:
            at = start - int(self._starts[number])
            count = min(width, self._runs[number].size - at)
            if count > 0:
                pieces.append(self._runs[number].read(np.array([at]), count)[0])
            number, start, width = number + 1, start + count, width - count
        return np.concatenate(pieces)
