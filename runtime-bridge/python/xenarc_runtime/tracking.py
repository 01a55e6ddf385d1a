"""Where a run's numbers, pictures and texts go: metrics.jsonl always, TensorBoard's event files and W&B as `log` says.

A name means the same everywhere: it is the key in metrics.jsonl, the tag in TensorBoard and the key in W&B. What programs
compute is in metrics.jsonl, the same to the bit for the same run; what is measured of the machine is in performance.jsonl.
"""

from __future__ import annotations

import html
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from . import group
from .artifact import Artifact
from .errors import Problem, room
from .metrics import MetricsLog

Numbers = float | Sequence["Numbers"]
"""A number, or numbers by layer, by expert, in nested lists."""


class Sink(Protocol):
    """A place that is written to. Nothing that was given to it is lost when the process dies after `flush`."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None: ...
    def histogram(self, step: int, name: str, edges: np.ndarray, counts: np.ndarray) -> None: ...
    def image(self, step: int, name: str, array: np.ndarray) -> None: ...
    def text(self, step: int, name: str, text: str) -> None: ...
    def close(self) -> None: ...


class Tracker:
    """Gives what it is told to every sink. Only the first process of a group writes; the others have no sinks.

    `after` is the step that the run goes on from: what an earlier process wrote of later steps does not count any more.
    """

    def __init__(self, run: Path, after: int = 0, sinks: Sequence[Sink] = (), writes: bool = True) -> None:
        self._run = run
        self.metrics = MetricsLog(run / "metrics.jsonl", after, writes)
        self._performance = MetricsLog(run / "performance.jsonl", after, writes)
        self._sinks = sinks

    def scalars(self, step: int, values: Mapping[str, Numbers]) -> None:
        """What was computed; a list becomes a series for each of its numbers, `name/0`, `name/1`."""
        self._log(self.metrics, step, values)

    def measured(self, step: int, values: Mapping[str, Numbers]) -> None:
        """What was measured of the machine: times, rates, memory."""
        self._log(self._performance, step, values)

    def histogram(self, step: int, name: str, edges: np.ndarray, counts: np.ndarray) -> None:
        """`counts` [n] of values between neighbours of `edges` [n + 1], which rise and are finite."""
        edges, counts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
        self._give(lambda sink: sink.histogram(step, name, edges, counts))

    def image(self, step: int, name: str, array: np.ndarray) -> None:
        """A picture [height, width] or [height, width, 1, 3 or 4]: u8, or floating-point numbers from 0 to 1."""
        array = np.asarray(array)
        if array.dtype != np.uint8:
            array = (np.clip(array, 0, 1) * 255).round().astype(np.uint8)
        picture = array[..., None] if array.ndim == 2 else array
        self._give(lambda sink: sink.image(step, name, picture))

    def text(self, step: int, name: str, text: str) -> None:
        """A text, shown as it is."""
        self._give(lambda sink: sink.text(step, name, text))

    def close(self) -> None:
        """Ends what needs an end."""
        self._give(lambda sink: sink.close())

    def _log(self, log: MetricsLog, step: int, values: Mapping[str, Numbers]) -> None:
        log.add({"step": step, **values})
        flat = {name: number for key, value in values.items() for name, number in _flat(key, value)}
        self._give(lambda sink: sink.scalars(step, flat))

    def _give(self, write: Callable[[Sink], None]) -> None:
        with room("The run's numbers", self._run):
            for sink in self._sinks:
                write(sink)


def open_tracker(artifact: Artifact, run: Path, after: int) -> Tracker:
    """The tracker that the artifact's `log` asks for, of a run that goes on after the step `after` (0: it begins).

    Raises Problem where W&B is asked for and not installed.
    """
    settings = artifact.config.get("log") or {}
    first = group.is_first()
    sinks: list[Sink] = []
    if first and settings.get("tensorboard"):
        sinks.append(TensorBoard(run / "tensorboard", after))
    if first and settings.get("wandb"):
        sinks.append(WandB(run, artifact, settings["wandb"]))
    return Tracker(run, after, sinks, first)


class TensorBoard:
    """An event file more in a folder. TensorBoard forgets what earlier files have of steps after `after`.

    Written at once, not by a thread: a process that is killed has lost nothing, and records are small.
    """

    def __init__(self, folder: Path, after: int) -> None:
        from tensorboardX import summary
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2, summary_pb2

        self._make, self._event, self._summary = summary, event_pb2.Event, summary_pb2.Summary
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files in the order of their names, which otherwise differ by seconds only.
        number = sum(1 for _ in folder.glob("events.out.tfevents.*"))
        self._writer = EventsWriter(str(folder / "events"), f".{number:05d}")
        if after > 0:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(after + 1, session_log=start)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        made = [self._summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._write(step, summary=self._summary(value=made))

    def histogram(self, step: int, name: str, edges: np.ndarray, counts: np.ndarray) -> None:
        used = np.flatnonzero(counts)
        if used.size == 0:
            return
        first, last = int(used[0]), int(used[-1]) + 1
        edges, counts = edges[first : last + 1], counts[first:last]
        middles = (edges[1:] + edges[:-1]) / 2
        total, squares = float(counts @ middles), float(counts @ middles**2)
        # Only right ends are written: an empty bucket in front has the first one's left end.
        limits, buckets = edges.tolist(), [0.0, *counts.tolist()]
        lowest, highest, number = float(edges[0]), float(edges[-1]), float(counts.sum())
        made = self._make.histogram_raw(name, lowest, highest, number, total, squares, limits, buckets)
        self._write(step, summary=made)

    def image(self, step: int, name: str, array: np.ndarray) -> None:
        self._write(step, summary=self._make.image(name, array, dataformats="HWC"))

    def text(self, step: int, name: str, text: str) -> None:
        # TensorBoard reads Markdown, in which indented lines are shown as they are.
        indented = "\n".join(f"    {line}" for line in text.split("\n"))
        self._write(step, summary=self._make.text(name, indented))

    def close(self) -> None:
        self._writer.close()

    def _write(self, step: int, **what: Any) -> None:
        self._writer.write_event(self._event(wall_time=time.time(), step=step, **what))
        self._writer.flush()


class WandB:
    """Weights & Biases, by its own package. Without a key in the environment it only writes to the run's folder (`wandb sync`)."""

    def __init__(self, run: Path, artifact: Artifact, settings: Mapping[str, Any]) -> None:
        try:
            import wandb
        except ImportError:
            raise Problem(
                "wandb",
                "`log.wandb` is set, and the Python package wandb is not installed.",
                f"Install it with: {sys.executable} -m pip install wandb (or take `log.wandb` out).",
            ) from None
        self._wandb = wandb
        # The same run goes on under the same identity.
        identity = run / "wandb-id.txt"
        known = identity.read_text().strip() if identity.exists() else None
        keyed = "WANDB_API_KEY" in os.environ
        self._run = wandb.init(
            project=settings["project"],
            name=settings.get("name") or run.name,
            id=known,
            resume="allow",
            mode=settings.get("mode") or os.environ.get("WANDB_MODE") or ("online" if keyed else "offline"),
            dir=str(run),
            config=artifact.config,
        )
        identity.write_text(f"{self._run.id}\n")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def histogram(self, step: int, name: str, edges: np.ndarray, counts: np.ndarray) -> None:
        self._run.log({name: self._wandb.Histogram(np_histogram=(counts, edges))}, step=step)

    def image(self, step: int, name: str, array: np.ndarray) -> None:
        self._run.log({name: self._wandb.Image(array)}, step=step)

    def text(self, step: int, name: str, text: str) -> None:
        self._run.log({name: self._wandb.Html(f"<pre>{html.escape(text)}</pre>")}, step=step)

    def close(self) -> None:
        self._run.finish()


def _flat(name: str, value: Numbers) -> Iterator[tuple[str, float]]:
    if isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _flat(f"{name}/{index}", part)
    else:
        yield name, float(value)
