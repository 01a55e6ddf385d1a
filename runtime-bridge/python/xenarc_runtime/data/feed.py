"""Batches as the training loop takes them: each process has the part that its devices need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grain
import numpy as np

from .. import pjrt
from ..artifact import Port
from .source import Row, Share

Part = Callable[[tuple[slice, ...]], np.ndarray]
"""Gives the elements of an array at an index of the whole one."""


@dataclass(frozen=True)
class Batch:
    """What one step is run on: the entry point that takes it, and its ports by name."""

    ports: dict[str, Part]
    entry: str = "train_step"


def kind_of(port: Port) -> str:
    """What a batch port holds: `tokens`, `segments` or `mask`."""
    return port.name.rpartition("/")[2]


def share_of(port: Port, where: pjrt.NamedSharding) -> Share:
    """The rows `[..., window]` of a batch port that this process's devices need."""
    lead = port.shape[:-1]
    needed: dict[int, np.ndarray] = {}
    for device, index in where.devices_indices_map(port.shape).items():
        rows = needed.setdefault(device.process_index, np.zeros(lead, bool))
        rows[index[: len(lead)]] = True
    parts = sorted({rows.tobytes(): rows for rows in needed.values()}.values(), key=lambda rows: int(np.argmax(rows)))
    count = int(np.prod(lead))
    if not (np.sum(parts, axis=0) == 1).all():
        # Processes share some rows and not others: each makes the whole batch.
        return Share(np.arange(count), count)
    mine = needed[pjrt.process_index()]
    reader = next(number for number, rows in enumerate(parts) if (rows == mine).all())
    return Share(np.flatnonzero(mine), count, reader, len(parts))


class Feed:
    """Gives batch after batch; made by Pipeline.feed."""

    def __init__(self, batches: grain.IterDataset, ports: Sequence[Port], share: Share, state: dict[str, Any] | None):
        self._iterator = batches.__iter__()
        self._ports = ports
        self._place = np.full(share.of_rows, -1)
        self._place[share.rows] = np.arange(share.rows.size)
        if state is not None:
            self._iterator.set_state(state)

    def next(self) -> Batch:
        """The next batch. Raises Problem where the data are bad."""
        made: Row = next(self._iterator)
        return Batch({port.name: self._part(port, made[kind_of(port)]) for port in self._ports})

    def _part(self, port: Port, rows: np.ndarray) -> Part:
        places = self._place.reshape(port.shape[:-1])
        lead = places.ndim
        return lambda index: rows[places[index[:lead]]][..., index[lead]]

    def state(self) -> dict[str, Any]:
        """The position after the last batch given out, as JSON, for Pipeline.feed."""
        return self._iterator.get_state()

    def close(self) -> None:
        """Ends threads and processes that read ahead."""
        self._iterator.close()
