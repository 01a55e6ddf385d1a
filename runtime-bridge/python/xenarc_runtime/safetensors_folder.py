"""Weights as folders of safetensors files: one file, or shards with an index, as Hugging Face's libraries write and read them.

What is read is not trusted: the safetensors library checks every header (lengths, overlaps, element types), and an index may
name files of its own folder alone. Files are mapped, so that of a large one only what is asked for is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from .dtypes import from_safetensors, to_numpy
from .errors import Problem, sentence
from .stored import Index, Stored, Weights, few

def read_json(file: Path) -> dict[str, Any]:
    """What stands beside tensors. Raises Problem for what is no JSON object."""
    try:
        found = json.loads(file.read_bytes())
        if not isinstance(found, dict):
            raise TypeError("it is no object")
        return found
    except (ValueError, TypeError, RecursionError) as error:
        raise Problem("weights", f"{file} is damaged: {error}.") from None


INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"


def is_one(path: Path) -> bool:
    """Whether there are safetensors files at a path: a file, or a folder of them."""
    return path.suffix == ".safetensors" and path.is_file() or any(path.glob("*.safetensors"))


def files(path: Path) -> list[Path]:
    """The files at a path that hold tensors, or say where they are."""
    return [path] if path.is_file() else sorted([*path.glob("*.safetensors"), *path.glob(INDEX)])


def open_folder(path: Path) -> dict[str, Stored]:
    """The tensors of a file, or of a folder, by name: those of its index, of model.safetensors, or else of all its files.

    Raises Problem for what is damaged or not what its index says.
    """
    if path.is_file() or (path / WHOLE).is_file():
        return _joined(_open_file(path if path.is_file() else path / WHOLE), path)
    index = path / INDEX
    listed = _read_index(index) if index.is_file() else None
    files = sorted(set(listed.values())) if listed else sorted(file.name for file in path.glob("*.safetensors"))
    tensors: dict[str, Stored] = {}
    for file in files:
        found = _open_file(path / file)
        twice = sorted(found.keys() & tensors.keys())
        if twice:
            raise Problem("safetensors", f"{few(twice)} in {path / file} stands in another file of {path} as well.")
        misplaced = [name for name in found if listed is not None and listed.get(name) != file]
        if misplaced:
            raise Problem("safetensors", f"{path / file} has {few(misplaced)}, which {INDEX} does not say.")
        tensors.update(found)
    missing = [name for name in listed or () if name not in tensors]
    if missing:
        raise Problem("safetensors", f"{index} names {few(missing)}, which its files do not have.")
    return _joined(tensors, path)


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors")


def _read_index(index: Path) -> dict[str, str]:
    """The file of each tensor. Raises Problem for a name that leads out of the folder."""
    try:
        listed = json.loads(index.read_bytes())["weight_map"]
        if not (isinstance(listed, dict) and all(isinstance(file, str) for file in listed.values())):
            raise TypeError("`weight_map` must give each tensor's file")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is damaged: {error}"
        raise Problem("safetensors", sentence(f"{index} {what}"), "Download it again.") from None
    for file in sorted(set(listed.values())):
        if not _NAME.fullmatch(file):
            raise Problem("safetensors", f"{index} names {json.dumps(file)}, which is no safetensors file beside it.")
        if not (index.parent / file).is_file():
            raise Problem("safetensors", f"{index} names {file}, which is not there.", "Download all of the shards.")
    return listed


def _open_file(path: Path) -> dict[str, Stored]:
    try:
        # Opening it checks the header and its agreement with the file's size.
        with safe_open(path, framework="np"):
            pass
    except SafetensorError as error:
        what = f"{path} is not a safetensors file, or damaged: {error}"
        raise Problem("safetensors", sentence(what), "Download it again.") from None
    data = np.memmap(path, mode="r")
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(bytes(data[8:start]))
    header.pop("__metadata__", None)
    return {name: _stored(data[start:], entry) for name, entry in header.items()}


def _stored(data: np.ndarray, entry: dict[str, object]) -> Stored:
    begin, end = entry["data_offsets"]
    shape, dtype = tuple(entry["shape"]), from_safetensors(entry["dtype"])
    tensor = data[begin:end].view(to_numpy(dtype)).reshape(shape)

    def read(index: Index) -> np.ndarray:
        return tensor[index]

    return Stored(shape, dtype, read)


def write_folder(
    folder: Path, weights: Weights, shard_bytes: int, stem: str = "model", cut: bool = False
) -> Iterator[Path]:
    """Writes tensors in their order, in shards whose tensors take at most `shard_bytes`, one after another; gives each file as it is written. One shard needs no index.

    A larger tensor has a shard of its own; with `cut` it is cut along its first dimension into parts `NAME[FROM:TO]`, which `open_folder` puts together.
    """
    weights = _cut(weights, shard_bytes) if cut else weights
    shards = _planned(weights, shard_bytes)
    if len(shards) == 1:
        yield _write(folder / f"{stem}.safetensors", weights, shards[0])
        return
    names = [f"{stem}-{number:05d}-of-{len(shards):05d}.safetensors" for number in range(1, len(shards) + 1)]
    for file, members in zip(names, shards, strict=True):
        yield _write(folder / file, weights, members)
    weight_map = {name: file for file, members in zip(names, shards, strict=True) for name in members}
    total = sum(tensor.nbytes for tensor in weights.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


_PARTS = 8
"""How many parts of a cut tensor a shard has room for: many fill it better, few are easier to read."""


def _cut(weights: Weights, shard_bytes: int) -> dict[str, Stored]:
    """Tensors of more than `shard_bytes` in parts."""
    found: dict[str, Stored] = {}
    for name, tensor in weights.items():
        if tensor.nbytes <= shard_bytes or not tensor.shape:
            found[name] = tensor
            continue
        count = tensor.shape[0]
        rows = max(1, shard_bytes // _PARTS * count // tensor.nbytes)
        for start in range(0, count, rows):
            stop = min(start + rows, count)
            found[f"{name}[{start}:{stop}]"] = _rows(tensor, start, stop)
    return found


def _rows(tensor: Stored, start: int, stop: int) -> Stored:
    """Those from `start` to `stop` along the first dimension."""

    def read(index: Index) -> np.ndarray:
        first, last, _ = index[0].indices(stop - start)
        return tensor.read((slice(start + first, start + last), *index[1:]))

    return Stored((stop - start, *tensor.shape[1:]), tensor.dtype, read)


_PART = re.compile(r"(.+)\[(\d+):(\d+)\]")


def _joined(tensors: dict[str, Stored], path: Path) -> dict[str, Stored]:
    """With tensors that were cut put together. Raises Problem where a part is missing, or does not go with the others."""
    found: dict[str, Stored] = {}
    parts: dict[str, dict[int, Stored]] = {}
    for name, tensor in tensors.items():
        cut = _PART.fullmatch(name)
        if cut is None:
            found[name] = tensor
        else:
            parts.setdefault(cut[1], {})[int(cut[2])] = tensor
            if tensor.shape[:1] != (int(cut[3]) - int(cut[2]),):
                raise Problem("safetensors", f"`{name}` in {path} is {tensor}.")
    for name, pieces in parts.items():
        starts = sorted(pieces)
        ends = [start + pieces[start].shape[0] for start in starts]
        if [0, *ends[:-1]] != starts or name in found:
            raise Problem("safetensors", f"`{name}` is in parts in {path}, which do not go together.", "Download all of the shards.")
        if len({(piece.dtype, piece.shape[1:]) for piece in pieces.values()}) > 1:
            raise Problem("safetensors", f"`{name}` is in parts of several kinds in {path}.")
        found[name] = _together(list(zip(starts, ends, [pieces[start] for start in starts], strict=True)))
    return found


def _together(parts: list[tuple[int, int, Stored]]) -> Stored:
    """Parts along the first dimension, each from where to where, as one tensor."""
    (_, _, one), end = parts[0], parts[-1][1]

    def read(index: Index) -> np.ndarray:
        first, last, _ = index[0].indices(end)
        pieces = [
            piece.read((slice(max(first - start, 0), min(last, stop) - start), *index[1:]))
            for start, stop, piece in parts
            if first < stop and start < last
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces or [one.read((slice(0, 0), *index[1:]))])

    return Stored((end, *one.shape[1:]), one.dtype, read)


def _planned(weights: Weights, shard_bytes: int) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    size = 0
    for name, tensor in weights.items():
        if shards[-1] and size + tensor.nbytes > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += tensor.nbytes
    return shards


def _write(file: Path, weights: Weights, names: list[str]) -> Path:
    tensors = {name: np.ascontiguousarray(weights[name].all()) for name in names}
    folder_mode = file.parent.stat().st_mode
    # `pt`: transformers opens no others.
    save_file(tensors, str(file), metadata={"format": "pt"})
    # The library lets nobody else read it; the folder says who may.
    file.chmod(folder_mode & 0o666)
    return file
