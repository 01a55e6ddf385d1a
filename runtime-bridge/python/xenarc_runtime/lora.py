"""Adapters of low rank (models/lora.ts): merged into the weights that they stand beside, or alone, to and from PEFT's format.

`X/lora/a` and `X/lora/b` belong to `X/weight`; what they add to it is alpha / rank times their product along the axis `rank`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import safetensors_folder
from .artifact import Artifact, Port
from .errors import Problem
from .hugging_face import Entry, names_of, to_ours, to_theirs
from .safetensors_folder import read_json
from .stored import Index, Stored, Weights, compare_names

_ADAPTER = re.compile(r"(|.*/)lora/[ab]")


def is_adapter(name: str) -> bool:
    """Whether a parameter is an adapter's."""
    return _ADAPTER.fullmatch(name) is not None


def merged(artifact: Artifact, weights: Weights, ports: Mapping[str, Port]) -> dict[str, Stored]:
    """The weights without adapters that compute what they compute with them, added up in float32."""
    with_adapters = {_weight(name) for name in weights if is_adapter(name)}
    own = {name: tensor for name, tensor in weights.items() if not is_adapter(name)}
    sums = {name: _sum(own[name], weights, name, ports, _scale(artifact)) for name in with_adapters}
    return {**own, **sums}


_CONFIG, _TENSORS = "adapter_config.json", "adapter_model.safetensors"


def is_peft(path: Path) -> bool:
    """Whether a path is that of adapters in PEFT's format: their folder, or their file in it."""
    return any((path / name).is_file() for name in (_CONFIG, _TENSORS)) or path.name == _TENSORS and path.is_file()


def base_model(folder: Path) -> Path:
    """The model that adapters name as theirs, on this machine. Raises Problem where there is none."""
    named = _read_config(folder).get("base_model_name_or_path")
    hint = "Say where its weights are: train.from=PATH; adapters are then read on top of them."
    if not isinstance(named, str) or not named:
        raise Problem("weights", f"The adapters in {folder} do not say what model they were trained on.", hint)
    found = next((path for path in (Path(named), folder / named) if path.exists()), None)
    if found is None:
        raise Problem("weights", f"The adapters in {folder} were trained on {named}, which is not on this machine.", hint)
    return found


def from_peft(artifact: Artifact, folder: Path, ports: Mapping[str, Port]) -> dict[str, Stored]:
    """The adapters of PEFT's folder under their paths in the model. Raises Problem where they are no such adapters, or not the model's."""
    config = _read_config(folder)
    wanted = {name: port for name, port in ports.items() if is_adapter(name)}
    given = f"lora.rank={config.get('r')} lora.alpha={config.get('lora_alpha')}"
    if not wanted:
        raise Problem("usage", f"{folder} holds adapters, and the model has none.", f"Give it some: {given}")
    _check_config(folder, config, artifact.config["lora"], given)
    entries = {name: _entry(name, _map(artifact)) for name in wanted}
    if not (folder / _TENSORS).is_file():
        raise Problem("weights", f"{folder} has no {_TENSORS}.", "Download it again, or save the adapters as safetensors.")
    found = safetensors_folder.open_folder(folder / _TENSORS)
    known = [other for name, port in wanted.items() for other in names_of(port, entries[name])]
    compare_names(folder, known, found, "Adapters stand beside the layers that lora.match names: set it to those that these have.")
    return to_ours(found, wanted, entries, f"Set the ranks and sizes to those of the adapters: {given}")


_OTHER_MATHEMATICS = (
    *("use_dora", "use_rslora", "use_qalora", "use_bdlora", "lora_bias", "fan_in_fan_out", "rank_pattern", "alpha_pattern"),
    *("modules_to_save", "target_parameters", "layer_replication", "trainable_token_indices", "alora_invocation_tokens"),
)
"""Settings of PEFT's with which adapters compute something else than these, or are more than these."""


def _check_config(folder: Path, config: Mapping[str, Any], ours: Mapping[str, Any], given: str) -> None:
    file = folder / _CONFIG
    if config.get("peft_type") != "LORA":
        raise Problem("weights", f"{file} is of {json.dumps(config.get('peft_type'))}; xenarc reads adapters of LORA.")
    other = [f"{key} is {json.dumps(config[key])}" for key in _OTHER_MATHEMATICS if config.get(key)]
    if config.get("bias", "none") != "none":
        other.append(f"bias is {json.dumps(config['bias'])}")
    if other:
        what = f"The adapters in {folder} are of a kind that xenarc does not have: {'; '.join(other)}."
        raise Problem("weights", what, "Merge them into their model with PEFT (merge_and_unload), and begin with that.")
    different = [
        f"{theirs} is {json.dumps(config.get(theirs))}, and lora.{key} is {json.dumps(ours[key])}"
        for theirs, key in (("r", "rank"), ("lora_alpha", "alpha"))
        if config.get(theirs) != ours[key]
    ]
    if different:
        raise Problem("weights", f"The model's adapters are not those of {file}: {'; '.join(different)}.", f"Set {given}")


def _read_config(folder: Path) -> dict[str, Any]:
    file = folder / _CONFIG
    if not file.is_file():
        raise Problem("weights", f"{folder} has adapters, but no {_CONFIG}.", "Download it again, beside them.")
    return read_json(file)


def _map(artifact: Artifact) -> Mapping[str, Entry]:
    if artifact.hugging_face is None:
        raise Problem(
            "usage",
            f"{artifact.name} has no map to Hugging Face's names, which PEFT needs.",
            "Give its definition one (defineModel's huggingFace). Without one weights are exported merged, and read from runs.",
        )
    return artifact.hugging_face["tensors"]


def to_peft(
    artifact: Artifact, weights: Weights, ports: Mapping[str, Port], base: str | None
) -> tuple[dict[str, Any], dict[str, Stored]]:
    """adapter_config.json and adapter_model.safetensors as PEFT writes them for the model as `transformers` has it; `base`: where that is, if it is known. Raises Problem for a model without adapters, or without a map."""
    alone = {name: tensor for name, tensor in weights.items() if is_adapter(name)}
    if not alone:
        raise Problem(
            "usage", f"{artifact.name} has no adapters.", "Train some: lora.rank=16; or export the weights without --adapters."
        )
    theirs = _map(artifact)
    entries = {name: _entry(name, theirs) for name in alone}
    modules = {re.sub(r".*\}\.", "", _module(theirs[_weight(name)])) for name in alone}
    settings = artifact.config["lora"]
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": settings["rank"],
        "lora_alpha": settings["alpha"],
        "lora_dropout": float(settings.get("dropout", 0)),
        "target_modules": sorted(modules),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }
    return config, to_theirs(alone, ports, entries)


def _scale(artifact: Artifact) -> float:
    settings = artifact.config["lora"]
    return settings["alpha"] / settings["rank"]


def _weight(adapter: str) -> str:
    return re.sub(r"lora/[ab]$", "weight", adapter)


def _module(entry: Entry) -> str:
    return entry["name"].removesuffix(".weight")


def _entry(adapter: str, entries: Mapping[str, Entry]) -> Entry:
    """Where an adapter stands there: beside its weight, which is [output, input] as all linear layers' are."""
    entry = entries[_weight(adapter)]
    output, input_ = entry["dimensions"]
    first = adapter.endswith("a")
    return {
        "name": f"base_model.model.{_module(entry)}.lora_{'A' if first else 'B'}.weight",
        "dimensions": [["rank"], input_] if first else [output, ["rank"]],
    }


def _sum(tensor: Stored, weights: Weights, name: str, ports: Mapping[str, Port], scale: float) -> Stored:
    a, b = (f"{name.removesuffix('weight')}lora/{part}" for part in "ab")
    axes = ports[name].axes

    def read(index: Index) -> np.ndarray:
        along = dict(zip(axes, index, strict=True))

        def part(of: str) -> np.ndarray:
            index = tuple(along.get(axis, slice(None)) for axis in ports[of].axes)
            return weights[of].read(index).astype(np.float32)

        added = _product(part(a), ports[a].axes, part(b), ports[b].axes, axes)
        own = tensor.read(index)
        return (own.astype(np.float32) + np.float32(scale) * added).astype(own.dtype)

    return Stored(tensor.shape, tensor.dtype, read)


def _product(
    a: np.ndarray, axes_a: tuple[str, ...], b: np.ndarray, axes_b: tuple[str, ...], axes: tuple[str, ...]
) -> np.ndarray:
    """The sum along `rank` of a times b, with these axes: one product of matrices for each layer."""
    sizes = {**dict(zip(axes_a, a.shape, strict=True)), **dict(zip(axes_b, b.shape, strict=True))}
    layers = [axis for axis in axes if axis in axes_a and axis in axes_b]
    rows = [axis for axis in axes if axis not in axes_b]
    columns = [axis for axis in axes if axis not in axes_a]

    def matrices(x: np.ndarray, own: tuple[str, ...], first: list[str], second: list[str]) -> np.ndarray:
        order = [*layers, *first, *second]
        flat = [int(np.prod([sizes[axis] for axis in group])) for group in (layers, first, second)]
        return x.transpose([own.index(axis) for axis in order]).reshape(flat)

    product = matrices(a, axes_a, rows, ["rank"]) @ matrices(b, axes_b, ["rank"], columns)
    order = [*layers, *rows, *columns]
    return product.reshape([sizes[axis] for axis in order]).transpose([order.index(axis) for axis in axes])
