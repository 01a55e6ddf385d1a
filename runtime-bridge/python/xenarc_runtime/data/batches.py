"""Batches as a Grain pipeline: which rows a batch has, from which source each comes, and where the sources stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import grain
import numpy as np

from . import windows
from .source import Made, Share, Source, restoring

STEP = "train_step"
"""The entry point for batches of the model's whole context."""

_OFFSETS, _SOURCES = 0, 1
"""The independent streams of random numbers of a step."""


class Batches(grain.IterDataset):
    """One share of all batches: arrays of rows of so many tokens, those of `ports`, and how many records were left out.

    Each row is from a source by the weights.
    """

    def __init__(
        self, sources: list[Source], weights: list[float], seed: int, share: Share, width: int, ports: windows.Ports
    ) -> None:
        super().__init__()
        self.sources, self.seed, self.share, self.width, self.ports = sources, seed, share, width, ports
        self.shares = np.cumsum(weights) / np.sum(weights)

    def set_slice(self, sl: slice, sequential_slice: bool = False) -> None:
        """Takes every so many batches only: Grain's division among worker processes."""
        self.share = replace(self.share, worker=sl.start, workers=sl.step)

    def __iter__(self) -> _BatchIterator:
        return _BatchIterator(self)


class _BatchIterator(grain.DatasetIterator):
    def __init__(self, of: Batches) -> None:
        super().__init__()
        self._of = of
        self._step = of.share.worker
        self._rows = [source.rows(of.share) for source in of.sources]

    def __next__(self) -> Made:
        of, share = self._of, self._of.share
        numbers = windows.draws(of.seed, self._step, share.of_rows, _OFFSETS)[share.rows]
        batch = windows.empty(of.ports, (share.rows.size, of.width))
        dropped: Counter[str] = Counter()
        for rows, places in zip(self._rows, self._places(), strict=True):
            if places.size:
                dropped += rows.fill(batch, places, numbers[places])
        self._step += share.workers
        return STEP, batch, dict(dropped)

    def _places(self) -> list[np.ndarray]:
        """The rows that come from each source."""
        of, share = self._of, self._of.share
        if len(of.sources) == 1:
            return [np.arange(share.rows.size)]
        # 53 bits are what a float holds exactly.
        numbers = windows.draws(of.seed, self._step, share.of_rows, _SOURCES)[share.rows] >> np.uint64(11)
        chosen = np.searchsorted(of.shares[:-1], numbers * 2.0**-53, side="right")
        return [np.flatnonzero(chosen == number) for number in range(len(of.sources))]

    def get_state(self) -> dict[str, Any]:
        return {"step": self._step, "sources": [rows.state() for rows in self._rows]}

    def set_state(self, state: dict[str, Any]) -> None:
        with restoring():
            self._step = state["step"]
            for rows, position in zip(self._rows, state["sources"], strict=True):
                rows.restore(position)
