"""Loads an artifact: a folder of StableHLO programs and a manifest with the SHA-256 of every file.

Every file is checked before anything of it is used, and none outside the folder is ever read.
The manifest's shape is `emit/manifest.ts`.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Problem

SCHEMA_VERSION = 1
_COMPILE = "Compile the model again: xenarc compile MODEL.ts -o {folder}"


@dataclass(frozen=True)
class Port:
    """An argument or a result of a program; `role` says who supplies or reads it (see emit/manifest.ts).

    `sharding` names the mesh axes that each dimension is split over; empty without a mesh. `memory` is where it lies if
    not in the device's own.
    """

    name: str
    role: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    sharding: tuple[tuple[str, ...], ...] = ()
    memory: str | None = None
    message: str = ""
    frozen: bool = False
    """Of an output: it is the input of its name, as it was given."""

    def __str__(self) -> str:
        """As people read it: `tokens: i32[batch=12, seq=64]`."""
        return f"{self.name}: {self.dtype}[{', '.join(f'{a}={n}' for a, n in zip(self.axes, self.shape, strict=True))}]"


@dataclass(frozen=True)
class MeshAxis:
    """A named axis of the mesh of devices; `slices` of its `size` lie across slices."""

    name: str
    size: int
    slices: int = 1


@dataclass(frozen=True)
class Executable:
    """A program as XLA compiled it ahead of time, for so many devices of a kind, by such versions of its packages."""

    data: bytes
    device: str
    devices: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Program:
    """An entry point: StableHLO text, a serialized CompileOptionsProto, and the ports of its `@main`."""

    name: str
    text: str
    options: bytes
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    executable: Executable | None = None
    checks: dict[str, Any] | None = None
    """What the numbers of an anomaly program's result mean: see emit/checks.ts."""


@dataclass(frozen=True)
class Device:
    """What a device of the target can do at most, in operations/s."""

    platform: str
    peak_flops: float


@dataclass(frozen=True)
class TokenizerFiles:
    """What a tokenizer is made of; `files` by their names, which are those of a tokenizer's folder in the Hugging Face world."""

    kind: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Artifact:
    """A loaded artifact. `sha256` is the manifest's and thereby stands for every file."""

    folder: Path
    name: str
    sha256: str
    parameters: int
    config: dict[str, Any]
    mesh: tuple[MeshAxis, ...]
    """The first outermost; empty for one device."""
    programs: dict[str, Program]
    tokenizer: TokenizerFiles
    flops_per_step: float | None = None
    """Operations of the model in a step of training, on all devices."""
    device: Device | None = None
    hugging_face: dict[str, Any] | None = None
    """How `transformers` knows the model, as the manifest has it."""

    def program(self, name: str) -> Program:
        """An entry point by name."""
        try:
            return self.programs[name]
        except KeyError:
            known = ", ".join(self.programs) or "none"
            raise Problem(
                "entry_point", f"The artifact {self.folder} has no entry point `{name}`.", f"It has: {known}."
            ) from None

    def setting(self, section: str, key: str, kind: type) -> Any:
        """A setting such as `train.steps` of the configuration that the artifact was compiled from."""
        values = self.config.get(section)
        value = values.get(key) if isinstance(values, dict) else None
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise Problem(
                "config",
                f"The artifact's configuration has no `{section}.{key}` of type {kind.__name__}.",
                _COMPILE.format(folder=self.folder),
            )
        return value


def load(folder: Path) -> Artifact:
    """Reads and checks an artifact. Raises Problem for what is no artifact, is too new, damaged or altered."""
    path = folder / "manifest.json"
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        no_manifest = f"{folder} is not an artifact: it has no manifest.json."
        message = no_manifest if folder.exists() else f"There is no folder {folder}."
        raise Problem("artifact", message, _COMPILE.format(folder=folder)) from None
    try:
        manifest = json.loads(raw)
        version = manifest["schema"]
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise Problem(
                "artifact_schema",
                f"{path} has schema {version}; this runtime reads up to {SCHEMA_VERSION}.",
                "Update xenarc, or compile the model again with this version.",
            )
        programs = {name: _program(folder, name, entry) for name, entry in manifest["programs"].items()}
        return Artifact(
            folder=folder,
            name=manifest["name"],
            sha256=hashlib.sha256(raw).hexdigest(),
            parameters=manifest["model"]["parameters"],
            config=manifest["config"],
            mesh=tuple(MeshAxis(**axis) for axis in manifest.get("mesh", {"axes": []})["axes"]),
            programs=programs,
            tokenizer=_tokenizer(folder, manifest["tokenizer"]),
            flops_per_step=manifest["model"].get("flops_per_step"),
            device=Device(**manifest["device"]) if "device" in manifest else None,
            hugging_face=manifest.get("huggingFace"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is damaged: {error}"
        raise Problem("artifact", f"{path} {what}.", _COMPILE.format(folder=folder)) from None


def _program(folder: Path, name: str, entry: dict[str, Any]) -> Program:
    return Program(
        name=name,
        text=_checked_bytes(folder, entry).decode("utf-8"),
        options=_checked_bytes(folder, entry["options"]),
        inputs=tuple(map(_port, entry["inputs"])),
        outputs=tuple(map(_port, entry["outputs"])),
        executable=_executable(folder, entry["executable"]) if "executable" in entry else None,
        checks=json.loads(_checked_bytes(folder, entry["checks"])) if "checks" in entry else None,
    )


def _tokenizer(folder: Path, entry: dict[str, Any]) -> TokenizerFiles:
    files = entry.get("files", ())
    return TokenizerFiles(entry["kind"], {file["file"].rpartition("/")[2]: _checked_bytes(folder, file) for file in files})


def _executable(folder: Path, entry: dict[str, Any]) -> Executable:
    return Executable(_checked_bytes(folder, entry), entry["device"], entry["devices"], entry["versions"])


def _port(entry: dict[str, Any]) -> Port:
    return Port(
        entry["name"],
        entry["role"],
        tuple(entry["axes"]),
        tuple(entry["shape"]),
        entry["dtype"],
        tuple(map(tuple, entry.get("sharding", ()))),
        entry.get("memory"),
        entry.get("message", ""),
        entry.get("frozen", False),
    )


_INSIDE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def _checked_bytes(folder: Path, entry: dict[str, Any]) -> bytes:
    """A file of the artifact, if its path stays inside, no link is on the way, and its hash is the manifest's."""
    name = entry["file"]
    if not isinstance(name, str) or not _INSIDE.fullmatch(name):
        raise Problem("artifact_path", f"The manifest of {folder} names `{name}`, which is not a path inside it.")
    path = folder
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            raise Problem("artifact_path", f"{path} is a symbolic link; an artifact holds its files itself.")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Problem("artifact", f"{folder} lacks its file {name}.", _COMPILE.format(folder=folder)) from None
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise Problem(
            "artifact_hash",
            f"{path} is not the file that the artifact was written with (its SHA-256 differs).",
            "Compile the model again; do not edit an artifact's files.",
        )
    return data
