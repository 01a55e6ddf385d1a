"""Long texts in pieces, so that the memory that work on a text takes does not grow with the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SIZE = 1 << 20
"""A piece has at most so many characters (of a text in memory) or bytes (of a file)."""
NEAR = 1 << 16
"""A piece ends so close to that at the most."""

# Where most tokenizers cut themselves, whatever stands before and after: the best place first.
_ENDS = tuple(
    map(
        re.compile,
        (
            r"(?<=\S\n)(?=[^\W_])",  # between a line that ends in something and one that begins with a word
            r"(?<=[^\W_])(?= [^\W\d_])",  # between two words
            r"(?<=\n)(?=.)",
        ),
    )
)
_BROKEN = "".join(map(chr, range(0xDC80, 0xDD00)))
"""Bytes of a character that is not whole, as Python's `surrogateescape` has them."""


def end(text: str) -> int:
    """Where, as near to the end of a text that goes on as possible, a piece of it may end."""
    first = max(0, len(text) - NEAR)
    for pattern in _ENDS:
        places = [match.start() for match in pattern.finditer(text, first) if match.start() > 0]
        if places:
            return places[-1]
    return len(text.rstrip(_BROKEN)) or len(text)


def of(parts: Iterable[str]) -> Iterator[str]:
    """The pieces of a text that comes in parts, whatever these are; together they are the text. Nothing has no piece."""
    text = ""
    for part in parts:
        text += part
        at = 0
        while len(text) - at > SIZE:
            piece = text[at : at + SIZE]
            stop = end(piece)
            yield piece[:stop]
            at += stop
        text = text[at:]
    if text:
        yield text
