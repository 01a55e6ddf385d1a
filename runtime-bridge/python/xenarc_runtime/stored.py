"""Tensors that lie somewhere and are read by parts: in a checkpoint, in safetensors files, under other names than they are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .dtypes import to_numpy

Index = tuple[slice, ...]


@dataclass(frozen=True)
class Stored:
    """A tensor of which `read` gives a part; `dtype` is MLIR's name."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[Index], np.ndarray]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return math.prod(self.shape) * to_numpy(self.dtype).itemsize

    def all(self) -> np.ndarray:
        """The whole tensor."""
        return self.read(whole(self.shape))

    def converted(self, dtype: str) -> Stored:
        """The same in another element type."""
        if dtype == self.dtype:
            return self
        return Stored(self.shape, dtype, lambda index: self.read(index).astype(to_numpy(dtype)))

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


Weights = Mapping[str, Stored]


def whole(shape: tuple[int, ...]) -> Index:
    """The index of everything."""
    return tuple(slice(0, size) for size in shape)


def few(names: list[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(f"`{n}`" for n in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
