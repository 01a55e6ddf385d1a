"""Text files: decompressed, checked to be UTF-8, without the mark that some begin with, joined by line feeds."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from ..errors import Problem
from .files import File, Unreadable, bad_file, conversion

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
    at, hint = 0, ""
    """The byte that what the decoder holds begins at, and what to do if the file is not UTF-8."""
    with file.stream() as stream:
        while True:
            try:
                data = stream.read(_BLOCK)
                hint = hint or conversion(data)
                if at == 0 and data.startswith(codecs.BOM_UTF8):
                    at = len(codecs.BOM_UTF8)
                    data = data[at:]
                held = len(decoder.getstate()[0])
                yield decoder.decode(data, final=not data)
            except Unreadable as error:
                raise bad_file(file, error) from None
            except UnicodeDecodeError as error:
                raise Problem(
                    "data_encoding",
                    f"{file.name} is not UTF-8: byte {error.object[error.start]:#04x} at offset {at + error.start:,}"
                    f" ({error.reason}).",
                    hint,
                ) from None
            if not data:
                return
            at += held + len(data) - len(decoder.getstate()[0])
