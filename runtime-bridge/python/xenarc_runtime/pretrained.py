"""Weights to begin from, or to export: of a run's checkpoint, or of a folder of safetensors files, read by parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import artifact as artifacts
from . import checkpoint, events, hugging_face, lora, pjrt, safetensors_folder
from .artifact import Artifact, Port
from .base import base_of
from .checkpoint import PARAMETERS
from .errors import Problem
from .program import Arrays, placements
from .stored import Weights, compare_names

AVERAGES = "ema/"
"""What the names begin with of the averages that training keeps of the parameters, which begin as these do."""


@dataclass(frozen=True)
class Run:
    """A checkpoint of a run."""

    folder: Path
    saved: checkpoint.Saved

    def __str__(self) -> str:
        return str(self.saved)


def run_at(path: Path, items: Sequence[str] = ("params", "record")) -> Run | None:
    """The run's checkpoint at a path: RUN (its newest), or RUN/checkpoints/N. None: there is none."""
    if checkpoint.is_one(path):
        run = path.parent.parent
        return Run(run, checkpoint.at(run, int(path.name), items))
    saved = checkpoint.newest(path, items)
    return None if saved is None else Run(path, saved)


def located(path: Path) -> Run | Path:
    """The weights at a path: a run's checkpoint, or the folder of safetensors files that it is. Raises Problem where there are none."""
    run = run_at(path)
    if run is None and not safetensors_folder.is_one(path):
        what = f"{path} has neither checkpoints nor safetensors files." if path.exists() else f"There is no file or folder {path}."
        raise Problem("weights", what, "Give a run's folder, RUN/checkpoints/N, or a folder of safetensors files.")
    return run or path


def parameter_ports(artifact: Artifact) -> dict[str, Port]:
    """The parameters by their paths."""
    found = (port for program in artifact.programs.values() for port in (*program.inputs, *program.outputs))
    return {
        port.name.removeprefix(PARAMETERS): port
        for port in found
        if port.role == "state" and port.name.startswith(PARAMETERS)
    }


@dataclass(frozen=True)
class Source:
    """Where weights to begin from are, and, if they are elsewhere, the adapters beside them."""

    place: Run | Path
    adapters: Path | None = None

    @property
    def path(self) -> Path:
        """Of the weights: RUN/checkpoints/N, or a folder or file of safetensors."""
        place = self.place
        return place.folder / "checkpoints" / str(place.saved.step) if isinstance(place, Run) else place


def source_at(path: Path, base: Path | None = None) -> Source:
    """What `path` means: weights, or a folder of PEFT's, its adapters and, if there is no other `base`, the base model that it names. Raises Problem where there is none."""
    if not lora.is_peft(path):
        return Source(located(path))
    adapters = path if path.is_dir() else path.parent
    beneath = base if base is not None and base.absolute() != path.absolute() else lora.base_model(adapters)
    if lora.is_peft(beneath):
        what = f"The adapters in {adapters} stand on {beneath}, which holds adapters, too."
        raise Problem("weights", what, "Say where the weights are that they were trained on: train.from=PATH")
    return Source(located(beneath), adapters)


def restore(artifact: Artifact, saved: checkpoint.Saved, ports: Iterable[Port]) -> Arrays:
    """The state's arrays that `ports` name at a checkpoint, where the artifact's programs want them: what the checkpoint leaves out from where the run found it."""
    ports = list(ports)
    base = base_of(checkpoint.read_record(saved))
    left_out = base.names if base else ()
    inside = [port for port in ports if port.name not in left_out]
    outside = [port for port in ports if port.name in left_out]
    state = checkpoint.restore(saved, inside, placements(artifact, inside))
    if base is None or not outside:
        return state
    return {**state, **_placed(artifact, outside, _read(artifact, base.check(saved), parameter_ports(artifact), _nothing))}


def stored(artifact: Artifact, saved: checkpoint.Saved) -> Weights:
    """All parameters of a checkpoint of the artifact's, under their paths, to be read by parts."""
    inside = checkpoint.stored(saved, PARAMETERS)
    base = base_of(checkpoint.read_record(saved))
    if base is None or not base.names:
        return inside
    ports = parameter_ports(artifact)
    outside = _read(artifact, base.check(saved), ports, _nothing)
    # In the model's order, which exports keep.
    return {
        name: inside[name] if name in inside else outside[name].converted(port.dtype)
        for name, port in ports.items()
        if name in inside or PARAMETERS + name in base.names
    }


def initial(artifact: Artifact, path: Path | Run, ports: Iterable[Port], adapters: Path | None = None) -> Arrays:
    """The parameters among `ports`, and their averages, as they are in the weights at `path`, or of a run, where the artifact's programs want them; with those of PEFT's folder `adapters`. Adapters that are not there are left out. Raises Problem that lists what is missing, too much, or of another shape."""
    filled = _filled(ports)
    weights = _found(artifact, path, filled, adapters, _warn)
    _say_conversions(path, {_path(port): port for port in filled}, weights)
    return _placed(artifact, filled, weights)


def check(artifact: Artifact, source: Source) -> None:
    """Raises Problem where weights to begin from are not the model's, as `initial` would; reads none of them."""
    _found(artifact, source.place, _filled(artifact.program("init").outputs), source.adapters, _nothing)


def _filled(ports: Iterable[Port]) -> list[Port]:
    return [port for port in ports if port.name.startswith((PARAMETERS, AVERAGES))]


def _found(artifact: Artifact, path: Path | Run, filled: Iterable[Port], adapters: Path | None, say: Say) -> Weights:
    wanted = {_path(port): port for port in filled}
    weights = _read(artifact, path, wanted, say)
    return weights if adapters is None else {**weights, **lora.from_peft(artifact, adapters, wanted)}


def _placed(artifact: Artifact, filled: Sequence[Port], weights: Weights) -> Arrays:
    where = placements(artifact, filled)
    return {
        port.name: pjrt.from_callback(port.shape, where[port.name], weights[_path(port)].converted(port.dtype).read)
        for port in filled
        if _path(port) in weights
    }


def _path(port: Port) -> str:
    return port.name.removeprefix(PARAMETERS).removeprefix(AVERAGES)


Say = Callable[[str], None]


def _warn(message: str) -> None:
    events.emit("log", level="warning", message=message)


def _nothing(_: str) -> None:
    """Of weights that are read again: it was said the first time."""


def _read(artifact: Artifact, path: Path | Run, wanted: Mapping[str, Port], say: Say) -> Weights:
    """The weights at a path, or of a run, under the model's own names, found to be those that are wanted."""
    own = {name: port for name, port in wanted.items() if not lora.is_adapter(name)}
    place = path if isinstance(path, Run) else located(path)
    if isinstance(place, Run):
        before = place.folder / "artifact"
        trained = artifacts.load(before) if (before / "manifest.json").is_file() else None
        weights = checkpoint.stored(place.saved, PARAMETERS) if trained is None else stored(trained, place.saved)
        if any(map(lora.is_adapter, weights)) and len(own) == len(wanted):
            trained = trained or artifacts.load(before)
            weights = lora.merged(trained, weights, parameter_ports(trained))
        _compare(path, wanted if any(map(lora.is_adapter, weights)) else own, weights)
        if trained is not None:
            _say_settings(path, trained.config.get("model", {}), artifact.config.get("model", {}), say)
        return weights
    found = safetensors_folder.open_folder(place)
    theirs = artifact.hugging_face
    if theirs is None or any(name in own for name in found):
        _compare(path, own, found)
        described = _read_config(place)
        if described is not None and isinstance(described.get("model"), dict):
            _say_settings(path, described["model"], artifact.config.get("model", {}), say)
        return found
    _compare_config(place, theirs["config"], say)
    ours = hugging_face.to_ours(found, own, theirs["tensors"])
    known = {other for name, port in own.items() for other in hugging_face.names_of(port, theirs["tensors"][name])}
    compare_names(path, sorted(known), found)
    return ours


def _compare(path: Path, wanted: Mapping[str, Port], found: Weights) -> None:
    compare_names(path, list(wanted), found)
    wrong = [
        f"`{name}` is {found[name]} and {list(port.shape)} in the model"
        for name, port in wanted.items()
        if found[name].shape != port.shape
    ]
    if wrong:
        raise Problem(
            "weights",
            f"The weights in {path} are those of another model: {'; '.join(wrong[:5])}{_more(wrong)}.",
            "Set the model's sizes to those that the weights were trained with.",
        )


def _more(items: list[str], most: int = 5) -> str:
    return f"; and {len(items) - most} more" if len(items) > most else ""


_FREE = {"architectures", "max_position_embeddings", "router_aux_loss_coef", "router_jitter_noise"}
"""Fields of config.json that may differ: they change nothing of what the weights compute."""


def _compare_config(path: Path, ours: Mapping[str, Any], say: Say) -> None:
    """Weights of the same shapes may mean something else: other rotary positions, other heads. What config.json says must be what the model does."""
    theirs = _read_config(path)
    if theirs is None:
        say(f"There is no config.json beside {path}: whether the model computes what the weights were trained for is not known.")
        return
    different = [
        f"{key} is {json.dumps(theirs[key])}, in the model {json.dumps(value)}"
        for key, value in ours.items()
        if key not in _FREE and theirs.get(key) is not None and theirs[key] != value
    ]
    if different:
        raise Problem(
            "weights",
            f"By its config.json {path} has the weights of another model: {'; '.join(different)}.",
            "Set the model's configuration to what config.json says, or use another model.",
        )


def _read_config(path: Path) -> dict[str, Any] | None:
    file = (path if path.is_dir() else path.parent) / "config.json"
    if not file.is_file():
        return None
    return safetensors_folder.read_json(file)


def _say_settings(path: Path, before: Mapping[str, Any], now: Mapping[str, Any], say: Say) -> None:
    """What of the model's settings is not as the weights were trained with: it may be meant so."""
    changed = [
        f"model.{key} is {json.dumps(now.get(key))} and was {json.dumps(before.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if changed:
        say(f"The weights in {path} were trained with other settings: {'; '.join(changed)}.")


def _say_conversions(path: Path, wanted: Mapping[str, Port], weights: Weights) -> None:
    converted: dict[tuple[str, str], int] = {}
    for name, port in wanted.items():
        if name in weights and weights[name].dtype != port.dtype:
            kinds = (weights[name].dtype, port.dtype)
            converted[kinds] = converted.get(kinds, 0) + 1
    for (stored, model), number in converted.items():
        message = f"{number} tensors are {stored} in {path} and {model} in the model: they are converted."
        events.emit("log", level="info", message=message)
