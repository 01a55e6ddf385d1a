"""What is told to people when something they gave is wrong."""

from __future__ import annotations


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
    hint = "Free some disk space." if error.errno == 28 else hints.get(type(error).__name__, "")
    return Problem("file", f"{error.strerror}{where}.", hint)


def sentence(text: str) -> str:
    """Somebody else's words with a full stop."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def first_lines(text: str, count: int = 6) -> str:
    """The first lines of a long message; XLA's run to pages."""
    lines = text.splitlines()
    return "\n".join(lines[:count]) + ("\n..." if len(lines) > count else "")
