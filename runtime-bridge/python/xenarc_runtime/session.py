"""What a model remembers from text to text: arrays that `prefill` begins with, and that `remember` makes of a cache.

All zeros are no text at all. A file of them is a safetensors file with the arrays by the names of their ports.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import pjrt
from .artifact import Artifact
from .dtypes import from_numpy, to_numpy
from .errors import Problem
from .program import Arrays, Entry, named
from .run import read_tensors, write_tensors


class Session:
    """What is remembered before the text that is being written, and where in the cache that text has got to.

    Of a model that remembers nothing there are no arrays; it cannot have a `file`.
    """

    def __init__(self, artifact: Artifact, file: Path | None = None, length: str = "") -> None:
        """`length`: how the names of the programs end that write the text."""
        prefill, decode, remember = (f"{name}{length}" for name in ("prefill", "decode_step", "remember"))
        self._ports = named(artifact.program(prefill).inputs, "cache")
        self._file = file
        if file is not None and not self._ports:
            fix = "Leave --session out, or train a model with a memory, such as Xenith_mini."
            raise Problem("usage", "The model remembers nothing from text to text.", fix)
        self._batch = next(port.shape for port in artifact.program(prefill).inputs if port.name == "length")
        self._remember = Entry(artifact, remember) if self._ports else None
        self._wanted = [port.name for port in named(artifact.program(remember).inputs, "cache")] if self._ports else []
        self._caches = [port.name for port in named(artifact.program(decode).inputs, "cache")]
        self._read: tuple[dict[str, pjrt.Array], int] | None = None
        self.arrays: Arrays = {p.name: np.zeros(p.shape, to_numpy(p.dtype)) for p in self._ports}
        if file is not None and file.exists():
            self.arrays = self._loaded(file)

    @property
    def remembers(self) -> bool:
        """Whether the model does."""
        return bool(self._ports)

    def read(self, outputs: Arrays, tokens: int) -> None:
        """The cache among the outputs is that of so many tokens."""
        self._read = ({name: outputs[name] for name in self._caches}, tokens)

    def after(self, tokens: int) -> None:
        """From here on these tokens are remembered: the first of those that were read last."""
        if self._remember is not None and self._read is not None:
            caches, _ = self._read
            wanted = {name: caches[name] for name in self._wanted}
            self.arrays = self._remember({**wanted, "length": np.full(self._batch, tokens, np.int32)})

    def save(self) -> None:
        """Writes what is remembered after all that was read."""
        if self._file is None or self._read is None:
            return
        self.after(self._read[1])
        write_tensors(self._file, {name: np.asarray(array) for name, array in self.arrays.items()})

    def _loaded(self, file: Path) -> Arrays:
        given = read_tensors(file)
        for port in self._ports:
            have = given.get(port.name)
            if have is None or (have.shape, from_numpy(have.dtype)) != (port.shape, port.dtype):
                found = "is not there" if have is None else f"is {from_numpy(have.dtype)}{list(have.shape)}"
                raise Problem(
                    "session",
                    f"{file} is not a session of this model: `{port.name}` {found}; expected {port}.",
                    "Give the file that this model wrote, or another name to begin with nothing.",
                )
        return {port.name: given[port.name] for port in self._ports}
