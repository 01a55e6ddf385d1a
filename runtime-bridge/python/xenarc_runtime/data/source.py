"""What batches are made of: rows of tokens from a source, in an order that one seed gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..errors import Problem
from ..tokenizer import Tokenizer
from .kinds import Found
from .settings import Settings
from .windows import Ports

Row = dict[str, np.ndarray]
"""`tokens`, `segments`, `mask`, `types`, and of `embeddings` their `slots` and `vectors`: those that are asked for."""

Made = tuple[str, Row, dict[str, int]]
"""A batch: the entry point it is for, its arrays `[rows, ...]`, and how many records were left out before it, by reason."""


@contextmanager
def restoring() -> Iterator[None]:
    """Says of a position that was taken of data of another shape, what it is."""
    try:
        yield
    except (LookupError, TypeError, ValueError):
        raise Problem(
            "data_position",
            "The run's position in its data is none in these: there were other kinds, numbers or sizes of sources, files and"
            " batches, or they were read otherwise (data.shuffle, data.packing).",
            "Resume with the data and the settings that the run was begun with, or begin another run with its weights: --from.",
        ) from None


@dataclass(frozen=True)
class Share:
    """The part of the batches that one reader makes."""

    rows: np.ndarray
    """Numbers of the rows of a batch that are made here, ascending."""
    of_rows: int
    """Rows of a whole batch."""
    reader: int = 0
    readers: int = 1
    """Streams of records are divided among so many processes; this is number `reader`."""
    worker: int = 0
    workers: int = 1
    """Of every so many batches, this is number `worker`."""


@dataclass(frozen=True)
class Form:
    """What rows are, whichever source they come from."""

    settings: Settings
    tokenizer: Tokenizer
    width: int
    """Tokens of a row."""
    ports: Ports
    """What there is of each."""

    @property
    def vocabulary(self) -> int:
        """Ids from this on are none."""
        return self.settings.vocabulary or self.tokenizer.vocab_size


class Rows(Protocol):
    """An endless supply of rows for one share, whose position can be kept."""

    def fill(self, batch: Row, places: np.ndarray, numbers: np.ndarray) -> Counter[str]:
        """Writes rows into `places` of the batch's arrays `[rows, ...]`; `numbers` are random, one a row.

        Gives how many records were left out meanwhile, by reason.
        """

    def state(self) -> Any:
        """The position, as JSON."""

    def restore(self, state: Any) -> None:
        """Goes to a position."""


class Source(Protocol):
    """Something to train on."""

    found: Found
    unit: str
    """What tokens are, in the plural."""
    records: int | None
    """To train on, where it has records whose number is known."""
    train_tokens: int | None
    validation_tokens: int | None
    """How many there are, where that is known without reading them all."""
    fingerprint: str
    """SHA-256 of what tells these data from others."""
    position: str
    """What a position in these data is: the `step` alone, or that of a `record`."""

    def rows(self, share: Share) -> Rows:
        """Rows to train on."""

    def validation(self) -> Iterator[Row]:
        """The rows kept for validation, in which each token is a target once."""
