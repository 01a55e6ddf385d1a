"""Text in, batches out. A batch is a pure function of the seed and the step, so the position in the data is the step.

Tokens are the bytes of the text: 256 of them, no vocabulary to save.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import Problem

# Folders that hold other people's text, or none.
_SKIPPED_FOLDERS = {"node_modules", "__pycache__"}
_BINARY_PROBE_BYTES = 8192

IGNORED = -1
"""The target that `eval_step` does not count."""


@dataclass(frozen=True)
class Text:
    """A text as tokens, split: training takes the beginning, validation the end."""

    train: np.ndarray
    validation: np.ndarray
    sha256: str
    files: int


def load(path: Path, validation: float, context: int) -> Text:
    """Gathers the text at `path` and keeps the last `validation` part of it apart.

    Raises Problem when there is none, when it is not UTF-8, or when it is shorter than the context.
    """
    files = _files(path)
    tokens = np.frombuffer(b"\n".join(map(_read, files)), np.uint8)
    if tokens.size == 0:
        raise Problem("data_empty", f"There is no text in {path}.", "Give a UTF-8 file, or a folder that holds some.")
    split = tokens.size - round(tokens.size * validation)
    if split < context + 1:
        raise Problem(
            "data_short",
            f"The text in {path} has {tokens.size:,} bytes, {split:,} of them for training; "
            f"the model's context of {context:,} needs at least {context + 1:,}.",
            "Give more text, or compile the model with a smaller context.",
        )
    return Text(tokens[:split], tokens[split:], hashlib.sha256(tokens.data).hexdigest(), len(files))


def _files(path: Path) -> list[Path]:
    """The file itself, or every text file below a folder, in the order of their paths."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Problem(
            "data_missing", f"There is no file or folder {path}.", "Give a UTF-8 file or a folder with --data."
        )
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file() and not _is_binary(file))


def _is_binary(file: Path) -> bool:
    with file.open("rb") as stream:
        return b"\0" in stream.read(_BINARY_PROBE_BYTES)


def _read(file: Path) -> bytes:
    data = file.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            "data_encoding",
            f"{file} is not UTF-8: byte {data[error.start]:#04x} at offset {error.start:,} ({error.reason}).",
            "Convert it (iconv -f latin1 -t utf-8), or leave it out.",
        ) from None
    return data


def train_batch(
    tokens: np.ndarray, seed: int, step: int, shape: tuple[int, ...], part: tuple[slice, ...] = ()
) -> np.ndarray:
    """Windows of `shape[-1]` tokens at random offsets, of shape `shape`; the same for the same seed and step.

    `part`: only these windows and tokens of the batch are read.
    """
    *rows, width = shape
    # Raw Philox output is specified; numpy's distributions may change from version to version.
    # Modulo by a text's length is even enough: 64 bits leave a bias below 1e-9 for a text of 10 GB.
    random = np.random.Philox(key=seed, counter=[0, 0, 0, step]).random_raw(int(np.prod(rows)))
    offsets = (random % np.uint64(tokens.size - width + 1)).astype(np.int64)
    rows_of, columns = part[: len(rows)], np.arange(width)[part[-1] if len(part) == len(shape) else slice(None)]
    wanted = offsets.reshape(rows)[rows_of]
    return tokens[wanted[..., None] + columns].astype(np.int32)


def validation_batches(tokens: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Consecutive windows over all of `tokens`; each token but the first is a target exactly once.

    Neighbouring windows share one token: the last target of one is the first input of the next.
    What is left of the last window and of the last batch is IGNORED.
    """
    rows, width = shape
    stride = width - 1
    windows = -(-(tokens.size - 1) // stride)
    for first in range(0, windows, rows):
        batch = np.full(shape, IGNORED, np.int32)
        for row in range(min(rows, windows - first)):
            window = tokens[(first + row) * stride :][:width]
            batch[row, : window.size] = window
        yield batch
