"""A source that is one long run of tokens: text, or a file of token ids. Its rows are windows at random offsets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import Problem
from ..tokenizer import BYTES, Tokenizer
from . import text, windows
from .source import Row, Share


class Tokens:
    """Training takes the beginning of the tokens, validation the last `validation` share of them.

    A row is a pure function of the batch's random number for it, so the position in the data is the step.
    """

    def __init__(
        self, tokens: np.ndarray, validation: float, width: int, name: str, unit: str, files: int, fingerprint: str
    ) -> None:
        if tokens.size == 0:
            raise Problem("data_empty", f"There is no text in {name}.", "Give a UTF-8 file, or a folder that holds some.")
        split = tokens.size - round(tokens.size * validation)
        if split < width:
            raise Problem(
                "data_short",
                f"The text in {name} has {tokens.size:,} {unit.split()[0]}, {split:,} of them for training; "
                f"the model's context of {width - 1:,} needs at least {width:,}.",
                "Give more text, or compile the model with a smaller context.",
            )
        self.files, self.unit, self.fingerprint = files, unit, fingerprint
        self.train_tokens, self.validation_tokens = split, tokens.size - split
        self.train, self._held_out = tokens[:split], tokens[split:]
        self._width = width

    def rows(self, share: Share) -> Tokens:
        """See Source; no share has a position of its own."""
        return self

    def validation(self) -> Iterator[Row]:
        """See Source."""
        for window in windows.in_order(self._held_out, self._width):
            yield {"tokens": window}

    def fill(self, batch: Row, places: np.ndarray, numbers: np.ndarray) -> None:
        """See Rows."""
        batch["tokens"][places] = windows.at_random(self.train, numbers, self._width)

    def state(self) -> None:
        """See Rows."""

    def restore(self, state: None) -> None:
        """See Rows."""


def from_text(path: Path, validation: float, width: int, tokenizer: Tokenizer = BYTES) -> Tokens:
    """The tokens of a text file, or of all below a folder. Raises Problem when there is none, or it is not UTF-8."""
    files = text.files_below(path)
    tokens = tokenizer.encode(text.joined(files), special=False)
    unit = f"{tokenizer.unit} of text"
    return Tokens(tokens, validation, width, str(path), unit, len(files), hashlib.sha256(tokens.data).hexdigest())
