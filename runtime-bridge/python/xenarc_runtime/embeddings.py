"""Vectors that stand in the place of tokens: those of a prompt, from files, and what they must be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from .artifact import Artifact
from .errors import Problem
from .run import read_tensors

SLOTS, VECTORS = "embeddings/{}/slots", "embeddings/{}/vectors"
"""The names of a program's inputs for a kind: which vector stands at each position, -1 where a token does; and the vectors."""

_MAGIC = b"\x93NUMPY"


@dataclass(frozen=True)
class Kind:
    """One kind of vectors."""

    most: int
    """In a sequence."""
    width: int
    """The most dimensions."""

    def vectors(self, given: Any, what: str) -> np.ndarray:
        """Vectors `[number, dimensions]` (f32), of one vector, of several, or of the bytes of a `.npy` file.

        Raises Problem for what are none of this kind; `what` names them.
        """
        found = _array(_of_npy(given, what) if isinstance(given, bytes) else given, what)
        if found.ndim == 1:
            found = found[None]
        if found.ndim != 2 or found.dtype.kind not in "fiu" and found.dtype not in _SHORT or 0 in found.shape:
            raise _unfit(f"{what} is {found.dtype}{list(found.shape)}; expected vectors of numbers: [{self.most}, {self.width}] at the most")
        number, width = found.shape
        if width > self.width:
            raise _unfit(f"{what} has vectors of {width:,} dimensions; the model takes at most {self.width:,}")
        if number > self.most:
            raise _unfit(f"{what} has {number:,} vectors; the model takes at most {self.most:,} in a sequence")
        found = found.astype(np.float32)
        if not np.isfinite(found).all():
            raise _unfit(f"{what} has numbers that are not finite")
        return found


_SHORT = (np.dtype(ml_dtypes.bfloat16), np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2))
"""Types of floats that numpy itself does not know."""


@dataclass(frozen=True)
class Placed:
    """Vectors of one kind in a sequence."""

    at: np.ndarray
    """Where each stands, ascending."""
    vectors: np.ndarray
    """`[number, dimensions]`, f32."""

    def part(self, start: int, size: int) -> Placed:
        """Those that stand within so many places from one on."""
        inside = (self.at >= start) & (self.at < start + size)
        return Placed(self.at[inside] - start, self.vectors[inside])


def kinds(ports: Mapping[str, tuple[int, ...] | None]) -> dict[str, Kind]:
    """What there are inputs for, by name, of the shapes of inputs without the axes of sequences."""
    before, after = VECTORS.split("{}")
    return {
        name.removeprefix(before).removesuffix(after): Kind(*shape)
        for name, shape in ports.items()
        if shape is not None and name.startswith(before) and name.endswith(after)
    }


class Prompted:
    """What stands among the tokens of a prompt. In a list of tokens a vector is a number below 0."""

    def __init__(self, artifact: Artifact, files: Sequence[tuple[Path, int]] = ()) -> None:
        """`files`: each with how many of the prompt's tokens stand before its vectors. Raises Problem for bad ones."""
        ports = artifact.program("prefill").inputs
        self._kinds = kinds({port.name: port.shape[1:] for port in ports if port.dtype == "f32"})
        self._given = [(at, *self._read(path)) for path, at in files]
        self._vectors = [(name, vector) for _, name, vectors in self._given for vector in vectors]
        for name, kind in self._kinds.items():
            count = sum(own == name for own, _ in self._vectors)
            if count > kind.most:
                raise _unfit(f"{count:,} vectors of `{name}` are given; the model takes at most {kind.most:,} in a sequence")

    def __len__(self) -> int:
        return len(self._vectors)

    def among(self, tokens: list[int], context: int) -> list[int]:
        """A prompt's tokens with the vectors between them. Raises Problem where these do not belong."""
        if not self._given:
            return tokens
        number, numbered = 0, []
        for at, _, vectors in self._given:
            if not 0 <= at <= len(tokens):
                raise Problem("usage", f"--at {at:,}: the prompt has {len(tokens):,} tokens.", f"Give a number from 0 to {len(tokens):,}.")
            numbered.append((at, [-1 - number - i for i in range(len(vectors))]))
            number += len(vectors)
        whole = len(tokens) + number
        if whole > context:
            raise Problem(
                "usage",
                f"The prompt and its embeddings are {whole:,} tokens long; the model sees {context:,} at once.",
                "Give a shorter prompt, or compile the model with a longer context.",
            )
        result = list(tokens)
        # From behind: what is put in moves nothing that is still to come.
        for at, numbers in reversed(sorted(numbered, key=lambda each: each[0])):
            result[at:at] = numbers
        return result

    def arrays(self, history: Sequence[int], rows: int, width: int) -> dict[str, np.ndarray]:
        """The inputs of a program that reads so many tokens, and vectors among them, in each of some rows."""
        made: dict[str, np.ndarray] = {}
        for name, kind in self._kinds.items():
            made[SLOTS.format(name)] = np.full((rows, width), -1, np.int32)
            made[VECTORS.format(name)] = np.zeros((rows, kind.most, kind.width), np.float32)
        used = dict.fromkeys(self._kinds, 0)
        for place, token in enumerate(history):
            if token < 0:
                name, vector = self._vectors[-1 - token]
                made[SLOTS.format(name)][:, place] = used[name]
                made[VECTORS.format(name)][:, used[name], : vector.size] = vector
                used[name] += 1
        return made

    def _read(self, path: Path) -> tuple[str, np.ndarray]:
        """The kind of a file's vectors, and these."""
        if not self._kinds:
            raise Problem("usage", "The model takes no embeddings.", "Leave --embeddings out, or train a model that does: model.embeddings.")
        known = f"It takes {', '.join(f'`{name}`' for name in self._kinds)}."
        try:
            data = path.read_bytes()
        except OSError as error:
            raise Problem("embeddings", f"{path} cannot be read: {error.strerror}.") from None
        if data.startswith(_MAGIC):
            if len(self._kinds) > 1:
                raise Problem("embeddings", f"{path} does not say what its vectors are. {known}", "Give a safetensors file with a tensor of that name.")
            (name,), given = self._kinds, data
        else:
            tensors = read_tensors(path)
            if len(tensors) != 1:
                raise Problem("embeddings", f"{path} has {len(tensors)} tensors; expected one.", "Give each a file, and --embeddings and --at for it.")
            ((name, given),) = tensors.items()
            if name not in self._kinds:
                raise Problem("embeddings", f"{path} has the tensor `{name}`, which the model does not take. {known}", "Give the tensor that name.")
        return name, self._kinds[name].vectors(given, f"`{name}` in {path}")


def _of_npy(data: bytes, what: str) -> np.ndarray:
    try:
        return np.load(BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise _unfit(f"{what} is not a .npy file, or damaged: {str(error).rstrip('.')}") from None


def _array(given: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(given)
    except ValueError:
        raise _unfit(f"{what} are lists of different lengths") from None


def _unfit(what: str) -> Problem:
    return Problem("embeddings", f"{what}.")
