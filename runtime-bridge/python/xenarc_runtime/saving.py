"""Writes checkpoints by Orbax: atomic, sealed with checksums, written while training goes on, in one tier or two."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from etils import epath

from . import checkpoint, group, soundness
from .artifact import Artifact
from .checkpoint import Saved, State
from .errors import Problem, disk_full, first_lines, is_full, sentence
from .settings import CheckpointSettings
from .weights import WeightsWriter

_CHUNK = 64 << 20


class Saver:
    """The tiers of a run, to write to. Leaving it waits for what is being written.

    The state's arrays may be donated at once: Orbax holds them, on CPUs by reference, and PJRT never
    gives away memory that is referred to.
    """

    def __init__(self, run: Path, settings: CheckpointSettings, artifact: Artifact | None = None) -> None:
        """`artifact`: what the run trains, for weights that are written by themselves (`settings.weights`)."""
        self._run = run
        losses = {saved.step: _loss(saved) for saved in checkpoint.all_of(checkpoint.tiers(run))} if settings.best else {}
        self._losses = {step: loss for step, loss in losses.items() if loss is not None}
        self._best = settings.best
        keep = [
            ocp.checkpoint_managers.LatestN(settings.keep),
            *([ocp.checkpoint_managers.EveryNSteps(settings.keep_every)] if settings.keep_every else []),
            *([_Best(settings.best, self._losses)] if settings.best else []),
        ]
        keep.append(_Steps(lambda: self._weights.needed))
        self._tiers = [_Tier(checkpoint.local_tier(run), settings.every, keep)]
        self._weights = WeightsWriter(run, artifact, settings.weights, self._tiers[0].newest)
        if settings.remote is not None:
            remote = settings.remote
            place = checkpoint.remote_tier(run, remote.path)
            self._tiers.append(_Tier(place, remote.every, [ocp.checkpoint_managers.LatestN(remote.keep)]))

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._weights.close()
        for tier in self._tiers:
            tier.close(quietly=kind is not None)

    def due(self, step: int) -> bool:
        """Whether a checkpoint is to be written after a step."""
        return any(step % tier.every == 0 for tier in self._tiers) or self._weights.due(step)

    def improves(self, loss: float) -> bool:
        """Whether a validation loss is among the best that are to be kept."""
        return self._best > 0 and math.isfinite(loss) and sorted([*self._losses.values(), loss]).index(loss) < self._best

    def save(
        self, step: int, state: State, record: Mapping[str, Any], loss: float | None = None, all: bool = False
    ) -> list[Saved]:
        """Begins to write a checkpoint to the tiers that are due, with `all` to every one, but where it is already; what is written.

        `loss`: on the validation data, where it was evaluated at this step. Raises Problem when the one before could not be written.
        """
        if loss is not None and math.isfinite(loss):
            self._losses[step] = loss
            record = {**record, "validation_loss": loss}
        self._weights.add(step)
        begun = []
        for number, tier in enumerate(self._tiers):
            # The nearer tier takes what comes at no interval: the best, the last.
            if (number == 0 or all or step % tier.every == 0) and tier.newest != step:
                tier.save(step, state, record)
                begun.append(Saved(tier.folder, step))
        return begun

    def check(self) -> None:
        """Raises Problem when a checkpoint, or weights, could not be written. Takes no time."""
        for tier in self._tiers:
            tier.check()
        self._weights.check()

    def wait(self, weights: bool = True) -> None:
        """Returns when all is written, `weights` by themselves too. Raises Problem when it could not be."""
        for tier in self._tiers:
            tier.wait()
        if weights:
            self._weights.wait()


class _Tier:
    """A folder of checkpoints, written by Orbax."""

    def __init__(self, folder: epath.Path, every: int, keep: Sequence[Any]) -> None:
        self.folder, self.every = folder, every
        self._saving: int | None = None
        with self._words():
            if group.is_first():
                folder.mkdir(parents=True, exist_ok=True)
            group.wait_for_all(f"the folder {folder}")
            handlers = {
                "params": ocp.StandardCheckpointHandler(),
                "rest": ocp.StandardCheckpointHandler(),
                "record": ocp.JsonCheckpointHandler(),
            }
            options = ocp.CheckpointManagerOptions(
                preservation_policy=ocp.checkpoint_managers.AnyPreservationPolicy(keep),
                create=False,
                cleanup_tmp_directories=True,
                save_root_metadata=False,
                async_options=ocp.AsyncOptions(post_finalization_callback=self._seal),
                multiprocessing_options=checkpoint.together(),
            )
            self._manager = ocp.CheckpointManager(folder, options=options, item_handlers=handlers)
            self.newest = self._manager.latest_step()

    def save(self, step: int, state: State, record: Mapping[str, Any]) -> None:
        items = checkpoint.split(state)
        with self._words():
            self._manager.wait_until_finished()
            self._saving = step
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    params=ocp.args.StandardSave(items["params"], _layer_by_layer(items["params"])),
                    rest=ocp.args.StandardSave(items["rest"], _layer_by_layer(items["rest"])),
                    record=ocp.args.JsonSave({**record, "step": step}),
                ),
            )
        self.newest = step

    def _seal(self) -> None:
        """Called by Orbax, in one process, when every process has written its part and before the folder gets its name."""
        for draft in self.folder.glob(f"{self._saving}.orbax-checkpoint-tmp*"):
            soundness.seal(draft)

    def check(self) -> None:
        with self._words():
            self._manager.check_for_errors()

    def wait(self) -> None:
        with self._words():
            self._manager.wait_until_finished()

    def close(self, quietly: bool) -> None:
        """Waits and ends Orbax's threads; `quietly` when something has failed already."""
        try:
            with self._words():
                self._manager.close()
        except Problem:
            if not quietly:
                raise

    @contextmanager
    def _words(self) -> Iterator[None]:
        """Turns what Orbax and tensorstore raise when a checkpoint cannot be written into words; what was begun goes."""
        try:
            yield
        except Problem:
            raise
        except Exception as error:
            self._clear()
            whole = [saved.step for saved in checkpoint.all_of([self.folder])]
            kept = f"the last one, of step {whole[0]}, is whole: --resume goes on from it" if whole else "there is none yet"
            which = "A checkpoint" if self._saving is None else f"The checkpoint of step {self._saving}"
            text = first_lines(str(error), 2).partition(" [tensorstore_spec=")[0]
            if is_full(error):
                raise disk_full(which, self.folder, kept) from None
            raise Problem(
                "checkpoint_write", f"{which} could not be written to {self.folder}: {sentence(text)}", f"{kept.capitalize()}."
            ) from None

    def _clear(self) -> None:
        if not group.is_first() or self._saving is None:
            return
        for draft in self.folder.glob(f"{self._saving}.orbax-checkpoint-tmp*"):
            try:
                draft.rmtree()
            except OSError:
                pass  # what cannot be deleted is when the run goes on


class _Best(ocp.checkpoint_managers.PreservationPolicy):
    """Keeps the checkpoints with the lowest validation losses."""

    def __init__(self, count: int, losses: Mapping[int, float]) -> None:
        self._count, self._losses = count, losses

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> Sequence[bool]:
        """Orbax's question: which are to stay."""
        known = sorted((self._losses[c.step], c.step) for c in checkpoints if c.step in self._losses)
        best = {step for _, step in known[: self._count]}
        return [c.step in best for c in checkpoints]


class _Steps(ocp.checkpoint_managers.PreservationPolicy):
    """Keeps those of some steps, for as long as they are wanted."""

    def __init__(self, wanted: Callable[[], Collection[int]]) -> None:
        self._wanted = wanted

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> Sequence[bool]:
        """Orbax's question: which are to stay."""
        wanted = self._wanted()
        return [c.step in wanted for c in checkpoints]


def _loss(saved: Saved) -> float | None:
    """The validation loss of a checkpoint, if it is known and finite."""
    try:
        loss = checkpoint.read_record(saved).get("validation_loss")
    except Problem:
        return None  # a damaged one
    return loss if loss is not None and math.isfinite(loss) else None


def _layer_by_layer(state: Mapping[str, jax.Array]) -> dict[str, ocp.SaveArgs]:
    """Large arrays are stored in chunks of one layer or less, so that a part can be read without the rest."""

    def arguments(array: jax.Array) -> ocp.SaveArgs:
        if array.nbytes <= _CHUNK:
            return ocp.SaveArgs()
        # A long first axis is one of entries (a vocabulary), not of layers.
        return ocp.SaveArgs(chunk_byte_size=_CHUNK, shard_axes=(0,) if array.shape[0] <= 1024 else ())

    return {name: arguments(array) for name, array in state.items()}
