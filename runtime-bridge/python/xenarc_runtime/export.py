"""Exports a checkpoint's weights as a folder of safetensors files with a config.json."""

from __future__ import annotations

import ctypes
import json
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import artifact as artifacts
from . import checkpoint, events, hugging_face, lora, safetensors_folder, tokenizer
from .artifact import Artifact, Port
from .base import base_of
from .checkpoint import Saved
from .errors import Problem
from .pretrained import AVERAGES, parameter_ports, run_at, stored
from .stored import Weights

_TORCH = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
"""Element types that weights are exported in, as config.json calls them."""


def export(
    path: Path,
    target: Path,
    shard_bytes: int = 5 * 10**9,
    dtype: str | None = None,
    names: str | None = None,
    adapters: bool = False,
    ema: bool = False,
) -> None:
    """Writes the weights of the checkpoint at `path` (a run's folder, its newest; or RUN/checkpoints/N) to the folder `target`.

    `dtype`: as what numbers are written; default: as they are stored. `names`: `xenarc` or `huggingface`; default: the
    latter where the model has a map. Adapters are merged into the weights; with `adapters` they alone are written, in PEFT's
    format. `ema`: the averages that training has kept, of what it trains. The folder appears whole or not at all; of the
    weights no more than a shard is in memory. Emits a `shard` event for each file and an `exported` one at the end.
    """
    run = run_at(path, ["params", "rest", "record"] if ema else ["params", "record"])
    if run is None:
        what = f"{path} has no checkpoint." if path.exists() else f"There is no file or folder {path}."
        raise Problem("checkpoint_missing", what, "Give a run's folder or RUN/checkpoints/N.")
    prepared = prepare(artifacts.load(run.folder / "artifact"), run.saved, dtype, names, adapters, ema)
    _check_target(target)
    _give_memory_back()
    for number, file in enumerate(write(prepared, target, shard_bytes), 1):
        events.emit("shard", path=str(target / file.name), number=number, bytes=file.stat().st_size)
    weights = prepared.weights.values()
    events.emit(
        "exported",
        path=str(target),
        step=run.saved.step,
        names=prepared.kind,
        tensors=len(weights),
        bytes=sum(tensor.nbytes for tensor in weights),
        dtypes=sorted({tensor.dtype for tensor in weights}),
    )


@dataclass(frozen=True)
class Prepared:
    """What a folder of weights will have."""

    kind: str
    """Whose names and layout: `huggingface`, `xenarc`, or `peft` for adapters alone."""
    config: Mapping[str, Any]
    weights: Weights
    files: Mapping[str, bytes]
    """What lies beside them: the tokenizer's."""


def prepare(
    artifact: Artifact,
    saved: Saved,
    dtype: str | None = None,
    names: str | None = None,
    adapters: bool = False,
    ema: bool = False,
) -> Prepared:
    """What is written of a checkpoint of the artifact's; reads none of the numbers. The arguments are those of `export`."""
    weights = stored(artifact, saved)
    if ema:
        averages = checkpoint.stored(saved, AVERAGES)
        if not averages:
            raise Problem("usage", f"{saved} keeps no averages of its weights.", "Train with train.ema, or leave out --ema.")
        weights = {**weights, **averages}
    ports = parameter_ports(artifact)
    if adapters:
        base = base_of(checkpoint.read_record(saved))
        kind, (config, weights) = "peft", lora.to_peft(artifact, weights, ports, base and base.path)
    else:
        kind, config, weights = _named(artifact, lora.merged(artifact, weights, ports), ports, names)
    if dtype is not None:
        weights = {name: tensor.converted(dtype) for name, tensor in weights.items()}
    kinds = {tensor.dtype for tensor in weights.values()}
    if kind == "huggingface" and len(kinds) == 1 and kinds <= _TORCH.keys():
        config["torch_dtype"] = _TORCH[next(iter(kinds))]
    return Prepared(kind, config, weights, {} if kind == "peft" else artifact.tokenizer.files)


def write(prepared: Prepared, target: Path, shard_bytes: int) -> Iterator[Path]:
    """Writes the folder `target`, which appears whole or not at all; gives each file of tensors, in a draft of the folder, as it is written."""
    peft = prepared.kind == "peft"
    stem, description = ("adapter_model", "adapter_config.json") if peft else ("model", "config.json")
    with _appearing(target) as draft:
        yield from safetensors_folder.write_folder(draft, prepared.weights, shard_bytes, stem, cut=prepared.kind == "xenarc")
        (draft / description).write_text(json.dumps(prepared.config, indent=2) + "\n")
        for name, data in prepared.files.items():
            (draft / name).write_bytes(data)


def _named(
    artifact: Artifact, weights: Weights, ports: Mapping[str, Port], names: str | None
) -> tuple[str, dict[str, Any], Weights]:
    """Whose names these are, what config.json says, and the weights by the names that are wanted."""
    theirs = artifact.hugging_face
    if names == "huggingface" and theirs is None:
        raise Problem(
            "usage",
            f"{artifact.name} has no map to Hugging Face's names.",
            "Give its definition one (defineModel's huggingFace), or export it with --names xenarc.",
        )
    if theirs is None or names == "xenarc":
        config = {"model_type": "xenarc", "name": artifact.name, "model": artifact.config.get("model", {})}
        return "xenarc", config, weights
    tokens = tokenizer.open(artifact)
    # Said even where there are none: what is not said would be Llama's.
    special = {f"{name}_token_id": getattr(tokens, name) for name in ("bos", "eos", "pad")}
    return "huggingface", {**hugging_face.description(theirs), **special}, hugging_face.to_theirs(weights, ports, theirs["tensors"])


_M_MMAP_THRESHOLD = -3


def _give_memory_back() -> None:
    """Has large blocks returned to the system when they are freed: glibc would keep those of up to 32 MB, which adds up to more than a shard."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 4 << 20)


def _check_target(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Problem("usage", f"{target} is there already.", "Give a new or empty folder with -o DIR.")


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A folder to write to that becomes `target` at the end, or goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    draft.mkdir()
    try:
        yield draft
        if target.exists():
            target.rmdir()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
