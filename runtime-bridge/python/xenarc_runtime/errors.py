"""What is told to people when something they gave is wrong."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath


class Problem(Exception):
    """Something the user can put right; shown without a stack trace.

    `kind` is a stable word that scripts may test for, `message` says what is wrong and where,
    `hint` says what to do about it (it may be empty).
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[Problem], tuple[str, str, str]]:
        return Problem, (self.kind, self.message, self.hint)

    def as_json(self) -> dict[str, str]:
        """The fields as they appear in an `error` event and in a worker's answer."""
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


def from_exception(error: BaseException) -> Problem:
    """Any exception as a problem: the last line of what it says, without the trace."""
    if isinstance(error, Problem):
        return error
    text = str(error).strip() or type(error).__name__
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in text:
        hint = "Make the batch, the context or the model smaller."
        return Problem("out_of_memory", sentence(first_lines(text)), hint)
    if isinstance(error, OSError) and error.errno is not None:
        return os_problem(error)
    return Problem("internal", sentence(f"{type(error).__name__}: {first_lines(text)}"))


def os_problem(error: OSError) -> Problem:
    """A failed system call in words: which file, and what was wrong with it."""
    where = f": {error.filename}" if error.filename else ""
    hints = {
        "FileNotFoundError": "Check the path.",
        "PermissionError": "Check who may read and write there.",
    }
    if is_full(error):
        return Problem("disk_full", f"{error.strerror}{where}.", "Free some disk space.")
    return Problem("file", f"{error.strerror}{where}.", hints.get(type(error).__name__, ""))


_FULL = {errno.ENOSPC: "No space left", errno.EDQUOT: "quota exceeded", errno.EFBIG: "File too large"}


def is_full(error: BaseException) -> bool:
    """Whether there was no space left; libraries of C++ say so in words."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error) for words in _FULL.values())


def disk_full(what: str, folder: PurePath | str, kept: str) -> Problem:
    """`what` did not fit into a folder; `kept`: what a run can go on from."""
    return Problem("disk_full", f"{what} could not be written: there is no space left in {folder}.", f"Free some; {kept}.")


@contextmanager
def room(what: str, folder: PurePath) -> Iterator[None]:
    """Around what writes something of a run to a folder: raises `disk_full` where it does not fit."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise disk_full(what, folder, "--resume goes on from the newest checkpoint, if there is one") from None


def sentence(text: str) -> str:
    """Somebody else's words with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def first_lines(text: str, count: int = 6) -> str:
    """The first lines of a long message; XLA's run to pages."""
    lines = text.splitlines()
    return "\n".join(lines[:count]) + ("\n..." if len(lines) > count else "")
