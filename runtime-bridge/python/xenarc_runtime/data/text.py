"""Text files: decompressed, checked to be UTF-8, joined by line feeds."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from ..errors import Problem
from .files import File, Unreadable, bad_file

_BINARY_PROBE_BYTES = 8192
_BLOCK = 1 << 20


def is_binary(file: File) -> bool:
    """Whether a file is no text."""
    try:
        with file.stream() as stream:
            return b"\0" in stream.read(_BINARY_PROBE_BYTES)
    except Unreadable:
        return False  # whoever reads it says what is wrong with it


def joined(files: Sequence[File]) -> Iterator[str]:
    """The text of files, which is UTF-8, a line feed between two; as it is read."""
    for number, file in enumerate(files):
        if number:
            yield "\n"
        yield from _read(file)


def _read(file: File) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 0
    """The byte that what the decoder holds begins at."""
    with file.stream() as stream:
        while True:
            try:
                data = stream.read(_BLOCK)
                held = len(decoder.getstate()[0])
                yield decoder.decode(data, final=not data)
            except Unreadable as error:
                raise bad_file(file, error) from None
            except UnicodeDecodeError as error:
                raise Problem(
                    "data_encoding",
                    f"{file.name} is not UTF-8: byte {error.object[error.start]:#04x} at offset {at + error.start:,}"
                    f" ({error.reason}).",
                    "Convert it (iconv -f latin1 -t utf-8), or leave it out.",
                ) from None
            if not data:
                return
            at += held + len(data) - len(decoder.getstate()[0])
