"""Adapters of low rank (models/lora.ts): merged into the weights that they stand beside, or alone in PEFT's format.

`X/lora/a` and `X/lora/b` belong to `X/weight`; what they add to it is alpha / rank times their product along the axis `rank`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .artifact import Artifact, Port
from .errors import Problem
from .hugging_face import Entry, to_theirs
from .stored import Index, Stored, Weights

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


def adapters(
    artifact: Artifact, weights: Weights, ports: Mapping[str, Port]
) -> tuple[dict[str, Any], dict[str, Stored]]:
    """adapter_config.json and adapter_model.safetensors as PEFT writes them for the model as `transformers` has it. Raises Problem for a model without adapters, or without a map."""
    alone = {name: tensor for name, tensor in weights.items() if is_adapter(name)}
    if not alone:
        raise Problem(
            "usage", f"{artifact.name} has no adapters.", "Train some: lora.rank=16; or export the weights without --adapters."
        )
    theirs = artifact.hugging_face
    if theirs is None:
        raise Problem(
            "usage",
            f"{artifact.name} has no map to Hugging Face's names, which PEFT needs.",
            "Give its definition one (defineModel's huggingFace), or export the merged weights without --adapters.",
        )
    entries = {name: _entry(name, theirs["tensors"]) for name in alone}
    modules = {re.sub(r".*\}\.", "", _module(theirs["tensors"][_weight(name)])) for name in alone}
    settings = artifact.config["lora"]
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": None,
        "r": settings["rank"],
        "lora_alpha": settings["alpha"],
        "lora_dropout": 0.0,
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
