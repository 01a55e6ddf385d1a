"""Checkpoints by Orbax: atomic, written while training goes on, the newest few kept.

A checkpoint holds the parameters, the rest of the state (so that generation need not read the optimizer's), and a JSON
record of where training stood. Arrays are stored by tensorstore and the record as JSON: nothing is unpickled.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
import tensorstore

from . import group, pjrt  # noqa: F401 (pjrt chooses the platform before jax looks for one)
from .artifact import Port
from .dtypes import from_numpy, to_numpy
from .errors import Problem, first_lines, sentence
from .stored import Stored

State = dict[str, jax.Array]

PARAMETERS = "params/"

# Orbax says on the log what is said by events here.
logging.getLogger("absl").setLevel(logging.ERROR)


def open_manager(run: Path, keep: int | None = None) -> ocp.CheckpointManager:
    """The checkpoints of a run's folder; with `keep`, for writing, the newest so many kept."""
    if keep is not None:
        (run / "checkpoints").mkdir(parents=True, exist_ok=True)
    options = ocp.CheckpointManagerOptions(
        max_to_keep=keep, create=False, read_only=keep is None, multiprocessing_options=_together()
    )
    handlers = {
        "params": ocp.StandardCheckpointHandler(),
        "rest": ocp.StandardCheckpointHandler(),
        "record": ocp.JsonCheckpointHandler(),
    }
    return ocp.CheckpointManager((run / "checkpoints").absolute(), options=options, item_handlers=handlers)


_opened = itertools.count()


def _together() -> ocp.options.MultiprocessingOptions:
    """All processes of a group, named: Orbax then waits for them through jax's service, not by a program on every device.

    The names of what they wait for must not come twice: every process opens the same managers in the same order.
    """
    if group.size() == 1:
        return ocp.options.MultiprocessingOptions()
    everyone = set(range(group.size()))
    return ocp.options.MultiprocessingOptions(active_processes=everyone, barrier_sync_key_prefix=f"xenarc{next(_opened)}")


def newest(run: Path) -> int | None:
    """The step of the newest whole checkpoint, if there is one."""
    if not (run / "checkpoints").is_dir():
        return None
    with open_manager(run) as manager:
        return manager.latest_step()


def save(manager: ocp.CheckpointManager, step: int, state: State, record: dict[str, Any]) -> None:
    """Starts saving; the files are written while training goes on, and appear whole or not at all.

    The state's arrays may be donated at once: Orbax holds them, on CPUs by reference, and PJRT never
    gives away memory that is referred to.
    """
    parameters, rest = _split(state)
    manager.save(
        step,
        args=ocp.args.Composite(
            params=ocp.args.StandardSave(parameters, _layer_by_layer(parameters)),
            rest=ocp.args.StandardSave(rest, _layer_by_layer(rest)),
            record=ocp.args.JsonSave(record),
        ),
    )


_CHUNK = 64 << 20


def _layer_by_layer(state: State) -> dict[str, ocp.SaveArgs]:
    """Large arrays are stored in chunks of one layer or less, so that a part can be read without the rest."""

    def arguments(array: jax.Array) -> ocp.SaveArgs:
        if array.nbytes <= _CHUNK:
            return ocp.SaveArgs()
        # A long first axis is one of entries (a vocabulary), not of layers.
        return ocp.SaveArgs(chunk_byte_size=_CHUNK, shard_axes=(0,) if array.shape[0] <= 1024 else ())

    return {name: arguments(array) for name, array in state.items()}


def stored(run: Path, step: int, prefix: str) -> dict[str, Stored]:
    """The state's arrays whose names begin with `prefix`, without it, to be read by parts and in host memory. Raises Problem when the checkpoint is damaged."""
    with open_manager(run) as manager, _readable(run, step):
        metadata = manager.item_metadata(step)
        arrays = {
            name: array
            for item in ("params", "rest")
            if metadata[item] is not None
            for name, array in metadata[item].tree.items()
            if name.startswith(prefix)
        }
        return {name.removeprefix(prefix): _stored(run, step, array) for name, array in arrays.items()}


def _stored(run: Path, step: int, array: Any) -> Stored:
    zarr3 = json.loads((array.directory / "_METADATA").read_text())["use_zarr3"]
    store = {"driver": "ocdbt", "base": f"file://{array.directory}", "path": f"{array.name}/"}
    spec = {"driver": "zarr3" if zarr3 else "zarr", "kvstore": store}

    @cache
    def opened() -> tensorstore.TensorStore:
        return tensorstore.open(spec, open=True, read=True).result()

    def read(index: tuple[slice, ...]) -> Any:
        with _readable(run, step):
            return opened()[index].read().result()

    return Stored(tuple(array.shape), from_numpy(array.dtype), read)


def read_record(run: Path, step: int) -> dict[str, Any]:
    """Where training stood at a checkpoint."""
    with open_manager(run) as manager, _readable(run, step):
        return manager.restore(step, args=ocp.args.Composite(record=ocp.args.JsonRestore()))["record"]


def restore(run: Path, step: int, ports: Iterable[Port], where: Mapping[str, jax.sharding.Sharding]) -> State:
    """The state's arrays that `ports` name, each where `where` says, whatever mesh they were saved from. Raises Problem when the checkpoint is another model's, or damaged."""
    parameters, rest = _split({port.name: port for port in ports})
    wanted = {item: part for item, part in (("params", parameters), ("rest", rest)) if part}
    with open_manager(run) as manager, _readable(run, step):
        stored = manager.item_metadata(step)
        for item, part in wanted.items():
            _check(run, step, part, stored[item].tree)
        arguments = {item: ocp.args.StandardRestore(_abstract(part, where)) for item, part in wanted.items()}
        restored = manager.restore(step, args=ocp.args.Composite(**arguments))
        return {name: array for item in wanted for name, array in restored[item].items()}


def _abstract(
    ports: dict[str, Port], where: Mapping[str, jax.sharding.Sharding]
) -> dict[str, jax.ShapeDtypeStruct]:
    return {n: jax.ShapeDtypeStruct(p.shape, to_numpy(p.dtype), sharding=where[n]) for n, p in ports.items()}


@contextmanager
def _readable(run: Path, step: int) -> Iterator[None]:
    """Turns what Orbax and tensorstore raise on a damaged checkpoint into words."""
    try:
        yield
    except Problem:
        raise
    except Exception as error:
        text = first_lines(str(error), 2).partition(" [tensorstore_spec=")[0]
        raise Problem(
            "checkpoint",
            f"Checkpoint {step} in {run} cannot be read: {sentence(text)}",
            f"Delete {run / 'checkpoints' / str(step)} to go on from the one before.",
        ) from None


def _check(run: Path, step: int, wanted: dict[str, Port], stored: dict[str, Any]) -> None:
    hint = "Use the artifact that this run was trained with, or another run's folder."
    for name, port in wanted.items():
        if name not in stored:
            raise Problem("checkpoint_model", f"Checkpoint {step} in {run} has no `{name}`, which the model has.", hint)
        shape, dtype = tuple(stored[name].shape), from_numpy(stored[name].dtype)
        if (shape, dtype) != (port.shape, port.dtype):
            raise Problem(
                "checkpoint_model",
                f"`{name}` is {dtype}{list(shape)} in checkpoint {step} of {run}, and {port} in the model.",
                hint,
            )


def _split(state: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    parameters = {name: value for name, value in state.items() if name.startswith(PARAMETERS)}
    return parameters, {name: value for name, value in state.items() if name not in parameters}
