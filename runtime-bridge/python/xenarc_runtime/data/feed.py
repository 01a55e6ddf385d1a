"""Batches as the training loop takes them: each process has the part that its devices need."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import grain
import numpy as np

from .. import events, group, pjrt
from ..artifact import Port
from ..errors import Problem
from .source import Share

Part = Callable[[tuple[slice, ...]], np.ndarray]
"""Gives the elements of an array at an index of the whole one."""


@dataclass(frozen=True)
class Batch:
    """What one step is run on: the entry point that takes it, and its ports by name."""

    entry: str
    ports: dict[str, Part]


def kind_of(port: Port) -> str:
    """What a batch port holds, as rows name it."""
    return port.name.removeprefix("batch/")


def tokens_of(ports: Sequence[Port]) -> Port:
    """The port of a batch's windows of tokens."""
    return next(port for port in ports if kind_of(port) == "tokens")


def share_of(port: Port, where: pjrt.NamedSharding) -> Share:
    """The rows `[..., window]` of a port of tokens that this process's devices need."""
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
    """Gives batch after batch; made by Pipeline.feed.

    `entries`: the ports of every entry point that batches may be for. `share`: the rows that are made here; None: all.
    """

    def __init__(
        self,
        batches: grain.IterDataset,
        entries: dict[str, Sequence[Port]],
        share: Share | None,
        workers: int,
        state: dict[str, Any] | None,
    ) -> None:
        self._iterator = batches.__iter__()
        self._entries, self._share, self._workers = entries, share, workers
        self.dropped: Counter[str] = Counter()
        """Records that this process has left out since the run began, by reason."""
        if state is not None:
            self._restore(state)

    def _restore(self, state: dict[str, Any]) -> None:
        if state["workers"] != self._workers:
            raise Problem(
                "data_position",
                f"The run's data were read with data.workers={state['workers']}, which their order depends on; "
                f"now it is {self._workers}.",
                f"Resume with data.workers={state['workers']}.",
            )
        self.dropped = Counter(state["dropped"][str(group.rank())] if str(group.rank()) in state["dropped"] else {})
        self._iterator.set_state(state["position"])

    def next(self) -> Batch:
        """The next batch. Raises Problem where the data are bad."""
        entry, rows, dropped = next(self._iterator)
        self.dropped.update(dropped)
        ports = self._entries[entry]
        lead = tokens_of(ports).shape[:-1]
        return Batch(entry, {port.name: self._part(lead, rows[kind_of(port)]) for port in ports})

    def _part(self, shape: tuple[int, ...], rows: np.ndarray) -> Part:
        """`shape`: how the rows lie."""
        lead = len(shape)
        places = np.arange(rows.shape[0])
        if self._share is not None:
            places = np.full(self._share.of_rows, -1)
            places[self._share.rows] = np.arange(rows.shape[0])
        places = places.reshape(shape)
        return lambda index: rows[places[index[:lead]]][(*(slice(None),) * lead, *index[lead:])]

    def state(self) -> dict[str, Any]:
        """The position after the last batch given out, as JSON, for Pipeline.feed.

        It is that of all processes: each of them must ask, at the same step.
        """
        mine = {
            "workers": self._workers,
            "position": self._iterator.get_state(),
            "dropped": {str(group.rank()): dict(self.dropped)},
        }
        if group.size() == 1:
            return mine
        return reduce(_merged, map(json.loads, group.gather("data", json.dumps(mine))))

    def close(self) -> None:
        """Ends threads and processes that read ahead, and says what was left out."""
        self._iterator.close()
        if self.dropped:
            counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.dropped.items()))
            # Others may be gone already: each process knows of what it read itself.
            reader = "while reading" if group.size() == 1 else f"by process {group.rank()} of {group.size()}"
            events.emit("log", level="info", message=f"Records that were left out {reader}: {counts}.")


def _merged(a: Any, b: Any) -> Any:
    """One position of the positions of several processes: what belongs to rows and readers is under their names."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {**a, **{key: _merged(a[key], value) if key in a else value for key, value in b.items()}}
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [_merged(x, y) for x, y in zip(a, b, strict=True)]
    return b if a is None else a
