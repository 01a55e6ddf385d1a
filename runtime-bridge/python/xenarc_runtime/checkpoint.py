"""Reads checkpoints: the newest sound one of a run's tiers, on whatever mesh, by however many processes, as whatever element type.

A checkpoint holds the parameters, the rest of the state (so that generation need not read the optimizer's), and a JSON
record of where training stood. Arrays are stored by tensorstore and the record as JSON: nothing is unpickled. saving.py writes them.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
import tensorstore
from etils import epath

from . import events, group, pjrt, soundness  # noqa: F401 (pjrt chooses the platform before jax looks for one)
from .artifact import Port
from .dtypes import from_numpy, to_numpy
from .errors import Problem, first_lines, sentence
from .stored import Stored

State = Mapping[str, jax.Array]

PARAMETERS = "params/"
ITEMS = ("params", "rest", "record")
"""The parts of a checkpoint: the parameters, the state's other arrays, where training stood."""

_REMOTE = "remote.json"
"""The file in a run's folder that says where its second tier is."""

# Orbax says on the log, with stacks, what is said by events and problems here.
logging.getLogger("absl").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Saved:
    """A checkpoint: the folder `step` in a tier's folder."""

    tier: epath.Path
    step: int

    @property
    def path(self) -> epath.Path:
        """Its folder."""
        return self.tier / str(self.step)

    def __str__(self) -> str:
        """As people call it: from the working directory where it lies below."""
        here = Path.cwd()
        return str(self.path.relative_to(here) if self.path.is_relative_to(here) else self.path)


def is_one(path: Path) -> bool:
    """Whether a path is that of a checkpoint of a run: RUN/checkpoints/N."""
    return path.parent.name == "checkpoints" and path.name.isdecimal() and path.parent.parent.is_dir()


def local_tier(run: Path) -> epath.Path:
    """Where a run keeps its checkpoints."""
    return epath.Path((run / "checkpoints").absolute())


def remote_tier(run: Path, place: str) -> epath.Path:
    """A run's folder of the second tier at `place`, which other runs may have theirs in."""
    where = epath.Path(place)
    return (where if "://" in place else epath.Path(Path(place).absolute())) / run.absolute().name


def tiers(run: Path) -> list[epath.Path]:
    """The folders that a run's checkpoints lie in."""
    remembered = run / _REMOTE
    if not remembered.is_file():
        return [local_tier(run)]
    return [local_tier(run), epath.Path(json.loads(remembered.read_text())["path"])]


def remember_remote(run: Path, tier: epath.Path | None) -> None:
    """Notes a run's second tier for those that read its checkpoints."""
    (run / _REMOTE).unlink(missing_ok=True)
    if tier is not None:
        (run / _REMOTE).write_text(json.dumps({"path": str(tier)}) + "\n")


def delete_all(run: Path) -> None:
    """Deletes the checkpoints of all tiers, sound or not."""
    for tier in tiers(run):
        if tier.is_dir():
            tier.rmtree()


def all_of(folders: Iterable[epath.Path]) -> list[Saved]:
    """Every checkpoint that has its name, sound or not, the newest first; the nearer of two of one step first."""
    found = [
        Saved(folder, int(path.name))
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if path.name.isdecimal() and path.is_dir()
    ]
    return sorted(found, key=lambda saved: -saved.step)


def newest(run: Path, items: Sequence[str] = ITEMS, aside: bool = False) -> Saved | None:
    """The newest checkpoint of a run of which these items are sound; None: it has none at all.

    What is damaged is said, and with `aside` renamed, so that it is in nobody's way. Of a group one process looks, and all are given what it
    finds. Raises Problem when there are some and none is sound.
    """

    def look() -> dict[str, Any]:
        damaged: list[str] = []
        for saved in all_of(tiers(run)):
            fault = soundness.fault(saved.path, items)
            if fault is None:
                return {"tier": str(saved.tier), "step": saved.step, "damaged": damaged}
            kept = f" It is kept as {_set_aside(saved)}." if aside else ""
            damaged.append(f"The checkpoint {saved} is damaged: {fault}.{kept}")
        return {"damaged": damaged}

    found = group.from_first(look)
    if "step" not in found:
        if found["damaged"]:
            raise Problem(
                "checkpoint_damaged",
                "\n".join([f"No checkpoint of {run} is sound.", *found["damaged"]]),
                "Start anew with --overwrite, or bring the files back from a copy.",
            )
        return None
    for what in found["damaged"]:
        events.emit("log", level="warning", message=f"{what} Going on with the one of step {found['step']}.")
    return Saved(epath.Path(found["tier"]), found["step"])


def _set_aside(saved: Saved) -> str:
    """Renames a damaged checkpoint; its new name."""
    for number in itertools.count(1):
        name = f"{saved.step}.damaged" + (f"-{number}" if number > 1 else "")
        if not (saved.tier / name).exists():
            saved.path.rename(saved.tier / name)
            return name
    raise AssertionError


def at(run: Path, step: int, items: Sequence[str] = ITEMS) -> Saved:
    """A run's checkpoint of a step. Raises Problem when there is none, or it is damaged."""
    found = [saved for saved in all_of(tiers(run)) if saved.step == step]
    if not found:
        raise Problem("checkpoint_missing", f"There is no checkpoint of step {step} in {run}.", "Leave the step out.")
    faults = group.from_first(lambda: [soundness.fault(saved.path, items) for saved in found])
    for saved, fault in zip(found, faults, strict=True):
        if fault is None:
            return saved
    raise Problem("checkpoint_damaged", f"The checkpoint {found[0]} is damaged: {faults[0]}.", "Take another one.")


def read_record(saved: Saved) -> dict[str, Any]:
    """Where training stood at a checkpoint."""
    with _readable(saved):
        return json.loads((saved.path / "record" / "metadata").read_text())


def restore(saved: Saved, ports: Iterable[Port], where: Mapping[str, jax.sharding.Sharding]) -> dict[str, jax.Array]:
    """The state's arrays that `ports` name, each where `where` says, whatever mesh they were saved from.

    Floating numbers become what the port has, which is said. Raises Problem when the checkpoint is another model's, or cannot be read.
    """
    restored: dict[str, jax.Array] = {}
    converted: dict[tuple[str, str], list[str]] = {}
    for item, part in split({port.name: port for port in ports}).items():
        if not part:
            continue
        with _readable(saved), ocp.Checkpointer(_reading(), multiprocessing_options=together()) as reader:
            stored = _tree(saved, item)
            for name, kinds in _differing(saved, part, stored).items():
                converted.setdefault(kinds, []).append(name)
            wanted = {n: jax.ShapeDtypeStruct(p.shape, to_numpy(p.dtype), sharding=where[n]) for n, p in part.items()}
            arguments = {
                n: ocp.ArrayRestoreArgs(dtype=to_numpy(p.dtype), sharding=where[n], global_shape=p.shape)
                for n, p in part.items()
            }
            restore_args = ocp.args.PyTreeRestore(wanted, restore_args=arguments, partial_restore=True)
            restored.update(reader.restore(saved.path / item, args=restore_args))
    for (stored_as, wanted_as), names in converted.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        message = f"`{names[0]}`{more}: {stored_as} in {saved}, read as {wanted_as}, which the model has."
        events.emit("log", level="warning", message=message)
    return restored


def _reading() -> ocp.PyTreeCheckpointHandler:
    return ocp.PyTreeCheckpointHandler(multiprocessing_options=together())


def _tree(saved: Saved, item: str) -> dict[str, Any]:
    """What an item holds, by name: shapes and element types."""
    return ocp.PyTreeCheckpointHandler().metadata(saved.path / item).tree


_FLOATS = {"f16", "bf16", "f32", "f64"}


def _differing(saved: Saved, wanted: Mapping[str, Port], stored: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The arrays that have another floating type than the model's, and both; anything else that differs is a Problem."""
    hint = "Use the artifact that this run was trained with, or another run's folder."
    differing = {}
    for name, port in wanted.items():
        if name not in stored:
            raise Problem("checkpoint_model", f"The checkpoint {saved} has no `{name}`, which the model has.", hint)
        shape, dtype = tuple(stored[name].shape), from_numpy(stored[name].dtype)
        if shape != port.shape or (dtype != port.dtype and not {dtype, port.dtype} <= _FLOATS):
            raise Problem(
                "checkpoint_model",
                f"`{name}` is {dtype}{list(shape)} in the checkpoint {saved}, and {port} in the model.",
                hint,
            )
        if dtype != port.dtype:
            differing[name] = (dtype, port.dtype)
    return differing


def stored(saved: Saved, prefix: str) -> dict[str, Stored]:
    """The state's arrays whose names begin with `prefix`, without it, to be read by parts and in host memory."""
    with _readable(saved):
        arrays = {
            name: array
            for item in ("params", "rest")
            if (saved.path / item).is_dir()
            for name, array in _tree(saved, item).items()
            if name.startswith(prefix)
        }
        return {name.removeprefix(prefix): _stored(saved, array) for name, array in arrays.items()}


def _stored(saved: Saved, array: Any) -> Stored:
    zarr3 = json.loads((array.directory / "_METADATA").read_text())["use_zarr3"]
    base = str(array.directory)
    store = {"driver": "ocdbt", "base": base if "://" in base else f"file://{base}", "path": f"{array.name}/"}
    spec = {"driver": "zarr3" if zarr3 else "zarr", "kvstore": store}

    @cache
    def opened() -> tensorstore.TensorStore:
        return tensorstore.open(spec, open=True, read=True).result()

    def read(index: tuple[slice, ...]) -> Any:
        with _readable(saved):
            return opened()[index].read().result()

    return Stored(tuple(array.shape), from_numpy(array.dtype), read)


@contextmanager
def _readable(saved: Saved) -> Iterator[None]:
    """Turns what Orbax and tensorstore raise on a damaged checkpoint into words."""
    try:
        yield
    except Problem:
        raise
    except Exception as error:
        text = first_lines(str(error), 2).partition(" [tensorstore_spec=")[0]
        raise Problem(
            "checkpoint",
            f"The checkpoint {saved} cannot be read: {sentence(text)}",
            "Delete it to go on from the one before.",
        ) from None


def split(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The state by the items that it is stored in."""
    parameters = {name: value for name, value in state.items() if name.startswith(PARAMETERS)}
    return {"params": parameters, "rest": {name: value for name, value in state.items() if name not in parameters}}


def items_of(ports: Iterable[Port]) -> list[str]:
    """The items that the arrays of some ports are stored in, and the record, which says where those are that are not."""
    return [*(item for item, part in split({port.name: port for port in ports}).items() if part), "record"]


_opened = itertools.count()


def together() -> ocp.options.MultiprocessingOptions:
    """All processes of a group, named: Orbax then waits for them through jax's service, not by a program on every device.

    The names of what they wait for must not come twice: every process opens the same readers and writers in the same order.
    """
    if group.size() == 1:
        return ocp.options.MultiprocessingOptions()
    everyone = set(range(group.size()))
    return ocp.options.MultiprocessingOptions(active_processes=everyone, barrier_sync_key_prefix=f"xenarc{next(_opened)}")
