"""The weights of a run at every so many steps, in RUN/weights/STEP as `export` writes them: read from the step's checkpoint while training goes on."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import checkpoint, events, export, group
from .artifact import Artifact
from .checkpoint import Saved
from .errors import Problem, disk_full, is_full
from .settings import WeightsSettings
from .stored import Index, Stored, Weights

_PATIENCE = 5.0
"""Seconds that the end of a run waits for a tensor that is being written."""


class WeightsWriter:
    """Writes one folder after another; of a group the first process does."""

    def __init__(self, run: Path, artifact: Artifact | None, settings: WeightsSettings | None, newest: int | None) -> None:
        self._tier, self._artifact, self._settings = checkpoint.local_tier(run), artifact, settings
        self._folder = run / "weights"
        self._writing: _Writing | None = None
        self.needed: set[int] = set()
        """The steps whose checkpoints are still to be read."""
        if settings is None or not group.is_first():
            return
        for draft in self._folder.glob(".*"):
            shutil.rmtree(draft, ignore_errors=True)
        # The run ended before they were written.
        if newest is not None and self.due(newest) and not (self._folder / str(newest)).is_dir():
            self.needed.add(newest)

    def due(self, step: int) -> bool:
        """Whether the weights of a step are to be written."""
        return self._settings is not None and step % self._settings.every == 0

    def add(self, step: int) -> None:
        """Has them written when the checkpoint of the step is there, if they are due."""
        if self.due(step) and group.is_first():
            self.needed.add(step)

    def check(self) -> None:
        """Begins what can begin, and says what has ended. Takes no time. Raises Problem when some could not be written."""
        if self._writing is not None and not self._writing.thread.is_alive():
            self._end(self._writing)
        if self._writing is None and self.needed:
            assert self._artifact is not None and self._settings is not None
            saved = Saved(self._tier, min(self.needed))
            if saved.path.is_dir():
                self._writing = _begin(self._artifact, saved, self._folder / str(saved.step), self._settings)

    def wait(self) -> None:
        """Returns when all is written."""
        self.check()
        while self._writing is not None:
            self._writing.thread.join()
            self.check()

    def close(self) -> None:
        """Gives up what is being written; the next start writes it."""
        if self._writing is not None:
            self._writing.stopped.set()
            self._writing.thread.join(_PATIENCE)

    def _end(self, writing: _Writing) -> None:
        self._writing = None
        self.needed.discard(writing.step)
        if writing.problem is not None:
            raise writing.problem
        events.emit("weights", step=writing.step, path=str(self._folder / str(writing.step)), files=writing.files, bytes=writing.bytes)
        assert self._settings is not None
        steps = sorted(int(path.name) for path in self._folder.iterdir() if path.name.isdecimal())
        for step in steps[: -self._settings.keep]:
            shutil.rmtree(self._folder / str(step))


@dataclass
class _Writing:
    """A folder that is being written."""

    step: int
    thread: threading.Thread
    stopped: threading.Event
    files: int = 0
    bytes: int = 0
    problem: Problem | None = None


class _Stopped(Exception):
    """The run has ended."""


def _begin(artifact: Artifact, saved: Saved, target: Path, settings: WeightsSettings) -> _Writing:
    def write() -> None:
        try:
            with group.alone():
                shutil.rmtree(target, ignore_errors=True)  # of a run that went back behind this step
                prepared = export.prepare(artifact, saved, settings.dtype)
                watched = replace(prepared, weights=_until(prepared.weights, writing.stopped.is_set))
                for file in export.write(watched, target, settings.shard_bytes):
                    writing.files += 1
                    writing.bytes += file.stat().st_size
        except _Stopped:
            pass
        except Problem as problem:
            writing.problem = problem
        except Exception as error:
            kept = f"the checkpoint, {saved}, is whole: xenarc export writes them from it"
            writing.problem = (
                disk_full(f"The weights of step {saved.step}", target.parent, kept)
                if is_full(error)
                else Problem("weights_write", f"The weights of step {saved.step} could not be written to {target}: {error}", f"T{kept[1:]}.")
            )

    # What is left of it when the process ends is a draft.
    thread = threading.Thread(target=write, name="weights", daemon=True)
    writing = _Writing(saved.step, thread, threading.Event())
    thread.start()
    return writing


def _until(weights: Weights, stopped: Callable[[], bool]) -> dict[str, Stored]:
    """The same, read no further once it is stopped."""

    def watched(tensor: Stored) -> Stored:
        def read(index: Index) -> np.ndarray:
            if stopped():
                raise _Stopped
            return tensor.read(index)

        return Stored(tensor.shape, tensor.dtype, read)

    return {name: watched(tensor) for name, tensor in weights.items()}
