"""Weights under the names, and in the layout, of Hugging Face's `transformers`, by the map in the artifact's manifest.

The map is data (emit/manifest.ts): a name with axes in braces, and which axes each dimension is. Everything is done with
views of what is read, one layer at a time.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .artifact import Port
from .dtypes import to_numpy
from .errors import Problem
from .stored import Index, Stored, Weights

_PLACE = re.compile(r"\{([\w ]+)\}")

Entry = Mapping[str, Any]
"""Of the manifest: `name` and `dimensions`."""


def description(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of config.json, floating numbers as such."""

    def typed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {key: typed(inner, key) for key, inner in value.items()}
        return float(value) if key in theirs["floats"] and isinstance(value, int) else value

    return typed(theirs["config"])


class _Layout:
    """How one parameter is spread over tensors there."""

    def __init__(self, port: Port, entry: Entry) -> None:
        self._sizes = dict(zip(port.axes, port.shape, strict=True))
        self._axes = port.axes
        self._name = entry["name"]
        self._places = [axes.split(" ") for axes in _PLACE.findall(self._name)]
        self._dimensions: list[list[str]] = entry["dimensions"]
        self._inner = [axis for dimension in self._dimensions for axis in dimension]
        """The axes within a tensor there, in the order in which they lie there."""
        self.shape = tuple(math.prod(self._sizes[axis] for axis in dimension) for dimension in self._dimensions)

    def tensors(self) -> Iterator[tuple[str, dict[str, int]]]:
        """Each tensor's name, and where along the outer axes it stands."""
        outer = [axis for place in self._places for axis in place]
        for at in itertools.product(*(range(self._sizes[axis]) for axis in outer)):
            where = dict(zip(outer, at, strict=True))
            numbers = iter([self._number(place, where) for place in self._places])
            yield _PLACE.sub(lambda _: str(next(numbers)), self._name), where  # noqa: B023

    def _number(self, place: list[str], where: dict[str, int]) -> int:
        number = 0
        for axis in place:
            number = number * self._sizes[axis] + where[axis]
        return number

    def theirs(self, ours: np.ndarray, where: dict[str, int]) -> np.ndarray:
        """What was read of ours at a place, as it lies there."""
        rest = [axis for axis in self._axes if axis not in where]
        return ours.reshape([self._sizes[axis] for axis in rest]).transpose(
            [rest.index(axis) for axis in self._inner]
        ).reshape(self.shape)

    def ours(self, theirs: np.ndarray, where: dict[str, int]) -> np.ndarray:
        """A tensor there as it lies here; a view."""
        rest = [axis for axis in self._axes if axis not in where]
        return theirs.reshape([self._sizes[axis] for axis in self._inner]).transpose(
            [self._inner.index(axis) for axis in rest]
        )

    def index(self, where: dict[str, int]) -> Index:
        """All that stands at a place."""
        return tuple(
            slice(where[axis], where[axis] + 1) if axis in where else slice(0, size)
            for axis, size in self._sizes.items()
        )

    def within(self, where: dict[str, int], index: Index) -> tuple[Index, Index] | None:
        """Where a place lies in a part of ours, and which part of the place that is; None where it does not."""
        target: list[slice | int] = []
        part: list[slice] = []
        for axis, along in zip(self._axes, index, strict=True):
            start, stop, _ = along.indices(self._sizes[axis])
            if axis not in where:
                target.append(slice(None))
                part.append(along)
            elif start <= where[axis] < stop:
                target.append(where[axis] - start)
            else:
                return None
        return tuple(target), tuple(part)  # type: ignore[return-value]


def to_theirs(weights: Weights, ports: Mapping[str, Port], entries: Mapping[str, Entry]) -> dict[str, Stored]:
    """Our tensors as they are called and lie there: layer by layer, what has no layers around them."""
    found: list[tuple[tuple[float, ...], str, Stored]] = []
    behind = False
    for position, (name, tensor) in enumerate(weights.items()):
        layout = _Layout(ports[name], entries[name])
        for theirs, where in layout.tensors():
            behind = behind or bool(where)

            def read(index: Index, tensor: Stored = tensor, layout: _Layout = layout, where: dict[str, int] = where) -> np.ndarray:
                return layout.theirs(tensor.read(layout.index(where)), where)[index]

            alone = math.inf if behind else -1
            found.append(((*(where.values() or [alone]), position), theirs, Stored(layout.shape, tensor.dtype, read)))
    return {theirs: tensor for _, theirs, tensor in sorted(found, key=lambda each: each[0])}


_SIZES = "Set the model's sizes to those of the weights' config.json."


def to_ours(
    theirs: Weights, ports: Mapping[str, Port], entries: Mapping[str, Entry], hint: str = _SIZES
) -> dict[str, Stored]:
    """Tensors from there as they are called and lie here; of what is not there, nothing. Raises Problem for other shapes than the model's."""
    ours: dict[str, Stored] = {}
    for name, port in ports.items():
        if name not in entries:
            continue
        layout = _Layout(port, entries[name])
        places = list(layout.tensors())
        present = [theirs[other] for other, _ in places if other in theirs]
        if len(present) < len(places):
            continue
        for other, _ in places:
            if theirs[other].shape != layout.shape:
                raise Problem(
                    "weights",
                    f"`{other}` is {theirs[other]}; the model's `{name}` makes it {list(layout.shape)}.",
                    hint,
                )
        dtype = present[0].dtype

        def read(
            index: Index, port: Port = port, layout: _Layout = layout, places: list = places, dtype: str = dtype
        ) -> np.ndarray:
            out = np.empty([len(range(*s.indices(n))) for s, n in zip(index, port.shape, strict=True)], to_numpy(dtype))
            for other, where in places:
                found = layout.within(where, index)
                if found is not None:
                    target, part = found
                    out[target] = layout.ours(theirs[other].all(), where)[part]
            return out

        ours[name] = Stored(port.shape, dtype, read)
    return ours


def names_of(port: Port, entry: Entry) -> list[str]:
    """The names of the tensors there that a parameter is spread over."""
    return [name for name, _ in _Layout(port, entry).tensors()]
