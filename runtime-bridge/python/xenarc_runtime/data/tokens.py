"""A source that is one long run of tokens: text, or a file of token ids. Its rows are windows at random offsets."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from .. import pieces
from ..errors import Problem
from . import text, windows
from .files import bad_file, fingerprint
from .kinds import Found
from .runs import ArrayRun, FileRun, Joined, Run, TableRun, type_of
from .source import Form, Row, Share
from .tables import Hdf5


_LOOKED_AT = 16
"""Places at which a run's ids are looked at before training."""


class Tokens:
    """Training takes the beginning of the tokens, validation the last `validation` share of them.

    A row is a pure function of the batch's random number for it, so the position in the data is the step. Its segments end with
    the token `eos`.
    """

    position = "step"

    def __init__(self, run: Run, found: Found, unit: str, form: Form, fingerprint: str) -> None:
        settings, width, name = form.settings, form.width, found.source.path
        if run.size == 0:
            raise Problem("data_empty", f"There is no text in {name}.", "Give a UTF-8 file, or a folder that holds some.")
        split = run.size - round(run.size * settings.validation)
        if split < width and settings.validation < 1:
            raise Problem(
                "data_short",
                f"The text in {name} has {run.size:,} {unit.split()[0]}, {split:,} of them for training; "
                f"the model's context of {width - 1:,} needs at least {width:,}.",
                "Give more text, or compile the model with a smaller context.",
            )
        self.train_tokens, self.validation_tokens = split, run.size - split
        self.found, self.records, self.unit, self.fingerprint = found, None, unit, fingerprint
        self._run, self._form = run, form
        # What is not the model's own is seen at once nearly anywhere.
        count = min(width, run.size)
        places = np.linspace(0, run.size - count, _LOOKED_AT).astype(np.int64)
        self._check(run.read(places, count), places)

    def rows(self, share: Share) -> Tokens:
        """See Source; no share has a position of its own."""
        return self

    def validation(self) -> Iterator[Row]:
        """See Source."""
        form = self._form
        for start, window in islice(windows.in_order(self._run, self.train_tokens, form.width), form.settings.validation_rows):
            row = windows.empty(form.ports, (1, form.width))
            self._write(row, np.zeros(1, int), window[None], np.array([start]))
            yield {name: values[0] for name, values in row.items()}

    def fill(self, batch: Row, places: np.ndarray, numbers: np.ndarray) -> Counter[str]:
        """See Rows."""
        starts = windows.at_random(self.train_tokens, numbers, self._form.width)
        self._write(batch, places, self._run.read(starts, self._form.width), starts)
        return Counter()

    def _check(self, found: np.ndarray, starts: np.ndarray) -> None:
        """Raises Problem for ids `[rows, width]`, read at `starts`, that are beyond the vocabulary."""
        for worst in (int(found.max()), int(found.min())):
            if not 0 <= worst < self._form.vocabulary:
                row, column = np.argwhere(found == worst)[0]
                raise Problem(
                    "data_record",
                    f"{self._run.where(int(starts[row] + column))}: the id {worst:,} is beyond the vocabulary of {self._form.vocabulary:,}.",
                    "Take the model's own tokenizer, or say what the file holds with `dtype`: uint16 or uint32.",
                )

    def _write(self, batch: Row, places: np.ndarray, found: np.ndarray, starts: np.ndarray) -> None:
        self._check(found, starts)
        count = found.shape[1]
        batch["tokens"][places, :count] = found
        if "segments" in batch:
            eos = self._form.tokenizer.eos
            ends = found == (-1 if eos is None else eos)
            batch["segments"][places, :count] = 1 + np.cumsum(ends, axis=1) - ends
        if "mask" in batch:
            batch["mask"][places, :count] = 1

    def state(self) -> None:
        """See Rows."""

    def restore(self, state: None) -> None:
        """See Rows. Raises ValueError for a position in records."""
        if state is not None:
            raise ValueError(state)


def from_text(found: Found, form: Form) -> Tokens:
    """The tokens of text files, which are one text in the order of their paths. Raises Problem where one is not UTF-8."""
    files, tokenizer = sorted(found.files, key=lambda file: Path(file.name)), form.tokenizer
    ids = bytearray()
    for piece in pieces.of(text.joined(files)):
        ids += tokenizer.encode(piece, special=False).astype(tokenizer.dtype).data
    tokens = np.frombuffer(ids, tokenizer.dtype)
    return Tokens(ArrayRun(tokens, found.source.path), found, f"{tokenizer.unit} of text", form, hashlib.sha256(tokens.data).hexdigest())


def from_files(found: Found, form: Form) -> Tokens | None:
    """The tokens of files of token ids; None if these hold records."""
    runs = runs_of(found, form.vocabulary)
    if runs is None:
        return None
    return Tokens(Joined(runs) if len(runs) > 1 else runs[0], found, "tokens", form, fingerprint(found.files))


def runs_of(found: Found, vocabulary: int) -> list[Run] | None:
    """The token ids of each file, where they are one run and no records: without that, None."""
    source, kind, files = found.source, found.kind, found.files
    dtype = source.dtype or type_of(files[0], vocabulary)
    runs: list[Run] = []
    for file in files:
        try:
            if kind.name == "bin":
                runs.append(FileRun(file, dtype))
            elif kind.table is Hdf5 and Hdf5(file, source.field).is_run:
                runs.append(TableRun(Hdf5(file, source.field)))
            else:
                return None
        except Exception as error:
            raise bad_file(file, error) from None
    return runs
