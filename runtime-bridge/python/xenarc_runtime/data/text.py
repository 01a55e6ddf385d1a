"""Text files: found below a folder, checked to be UTF-8, joined by line feeds."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import Problem

# Folders that hold other people's text, or none.
_SKIPPED_FOLDERS = {"node_modules", "__pycache__"}
_BINARY_PROBE_BYTES = 8192


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


def joined(files: list[Path]) -> str:
    """The text of files, a line feed between two."""
    return "\n".join(map(read, files))


def read(file: Path) -> str:
    """The text of a file, which is UTF-8."""
    data = file.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            "data_encoding",
            f"{file} is not UTF-8: byte {data[error.start]:#04x} at offset {error.start:,} ({error.reason}).",
            "Convert it (iconv -f latin1 -t utf-8), or leave it out.",
        ) from None
