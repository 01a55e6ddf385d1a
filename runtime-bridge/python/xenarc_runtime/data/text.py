"""Text files: found below a folder, checked to be UTF-8, joined by line feeds."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Problem

# Folders that hold other people's text, or none.
_SKIPPED_FOLDERS = {"node_modules", "__pycache__"}
_BINARY_PROBE_BYTES = 8192
_BLOCK = 1 << 20


def files_below(path: Path) -> list[Path]:
    """The file itself, or every text file below a folder, in the order of their paths."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Problem(
            "data_missing", f"There is no file or folder {path}.", "Give a UTF-8 file or a folder with --data."
        )
    return [file for file in walk(path) if not is_binary(file)]


def walk(path: Path) -> list[Path]:
    """Every file below a folder, in the order of their paths."""
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file())


def is_binary(file: Path) -> bool:
    """Whether a file is no text."""
    with file.open("rb") as stream:
        return b"\0" in stream.read(_BINARY_PROBE_BYTES)


def joined(files: Sequence[Path]) -> Iterator[str]:
    """The text of files, which is UTF-8, a line feed between two; as it is read."""
    for number, file in enumerate(files):
        if number:
            yield "\n"
        yield from _read(file)


def _read(file: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 0
    """The byte that what the decoder holds begins at."""
    with file.open("rb") as stream:
        while True:
            data = stream.read(_BLOCK)
            try:
                yield decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise Problem(
                    "data_encoding",
                    f"{file} is not UTF-8: byte {error.object[error.start]:#04x} at offset {at + error.start:,}"
                    f" ({error.reason}).",
                    "Convert it (iconv -f latin1 -t utf-8), or leave it out.",
                ) from None
            if not data:
                return
            at = stream.tell() - len(decoder.getstate()[0])
