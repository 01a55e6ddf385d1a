"""Which documents are trained on. A filter is a line in FILTERS: whether a text is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import Problem

Keep = Callable[[str], bool]


def _alphabet(given: dict[str, Any]) -> Keep:
    """At least so large a share of the characters are of a class: letters, or what the expression `characters` matches."""
    pattern, share = given.get("characters"), given["share"]
    if pattern is None:
        return lambda text: sum(map(str.isalpha, text)) >= share * len(text)
    of_class = _compiled(pattern, "data.filters.alphabet.characters")
    return lambda text: sum(len(found) for found in of_class.findall(text)) >= share * len(text)


def _match(pattern: str) -> Keep:
    search = _compiled(pattern, "data.filters.match").search
    return lambda text: search(text) is not None


def _exclude(pattern: str) -> Keep:
    search = _compiled(pattern, "data.filters.exclude").search
    return lambda text: search(text) is None


FILTERS: dict[str, Callable[[Any], Keep]] = {"alphabet": _alphabet, "match": _match, "exclude": _exclude}


class Filters:
    """The filters of a configuration. Each gives the name of what a document fails, or None."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._of_text = {name: make(given[name]) for name, make in FILTERS.items() if given.get(name) is not None}
        length = given.get("length") or {}
        self._least, self._most = length.get("min") or 0, length.get("max")

    @property
    def need_text(self) -> bool:
        """Whether token ids must be decoded to be judged."""
        return bool(self._of_text)

    def of_text(self, text: str) -> str | None:
        """Judges a text."""
        return next((name for name, keep in self._of_text.items() if not keep(text)), None)

    def of_length(self, tokens: int) -> str | None:
        """Judges a number of tokens."""
        return None if tokens >= self._least and (self._most is None or tokens <= self._most) else "length"


def _compiled(pattern: str, key: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise Problem("config", f"{key} is no regular expression: {error}.", "Python's `re` says what is one.") from None
