"""Tensors that lie somewhere and are read by parts: in a checkpoint, in safetensors files, under other names than they are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .dtypes import to_numpy
from .errors import Problem

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

_SIZES = "Set the model's layers and sizes to those that the weights were trained with."


def whole(shape: tuple[int, ...]) -> Index:
    """The index of everything."""
    return tuple(slice(0, size) for size in shape)


def compare_names(path: Path, wanted: list[str], found: Weights, hint: str = _SIZES) -> None:
    """Raises Problem that lists what is wanted and was not found at a path, and what was found besides."""
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in set(wanted)]
    if not missing and not extra:
        return
    wrong = [f"{what} {few(names)}" for what, names in (("lacks", missing), ("has besides", extra)) if names]
    raise Problem("weights", f"The weights in {path} are those of another model: it {', and '.join(wrong)}.", hint)


def few(names: list[str], most: int = 5) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(f"`{n}`" for n in names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
