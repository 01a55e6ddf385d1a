"""run.json in a run's folder: the starts that its state comes from, each with what it was made of. The shape is emit/history.ts."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import events, group, pjrt
from .artifact import Artifact
from .data.files import File, find, fingerprint
from .data.kinds import TEXT, find_source
from .data.settings import Settings, SourceSettings
from .errors import Problem
from .words import listed

if TYPE_CHECKING:
    from .pretrained import Run, Source

SCHEMA_VERSION = 1
_NAME = "run.json"
_LISTED = 1000
"""The most files of a source that are named one by one."""
_VARIABLES = ("JAX_PLATFORMS", "XLA_FLAGS", "LIBTPU_INIT_ARGS")
"""Of the environment: what decides how programs are compiled."""

Start = dict[str, Any]


def start_of(artifact: Artifact, run: Path, settings: Settings, weights: Source | None, command: Any, step: int) -> Start:
    """What a start of the run in the folder `run` is made of. `weights`: what it begins with; `command`: what the command line tells of itself.

    Paths are from the run's folder, so that it may move together with what lies around it.
    """
    start = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "step": step,
        "artifact": artifact.sha256,
        "versions": {"python": platform.python_version(), **pjrt.versions(), "grain": metadata.version("grain")},
        "devices": {"kind": pjrt.devices()[0]["kind"], "count": pjrt.mesh_size(artifact.mesh)},
        "processor": _processor(),
        "processes": group.size(),
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
        "config": artifact.config,
        "data": {
            "paths": [_from_run(path, run) for path in settings.paths],
            "sources": _sources_from(run, settings),
        },
    }
    if artifact.mesh:
        start["mesh"] = [asdict(axis) for axis in artifact.mesh]
    if weights is not None:
        start["weights"] = _weights(weights.place, run)
        if weights.adapters is not None:
            start["adapters"] = _weights(weights.adapters, run)
    return {**start, "command": command} if command is not None else start


def sources(settings: Settings) -> list[dict[str, Any]]:
    """The files of each source that has a weight, and what tells them from others. Raises Problem where there are none."""
    return [_source(source) for source in settings.sources]


def add(run: Path, start: Start) -> None:
    """Writes a start into the run's history. Those that the run was further than are none of its past any more."""
    path = run / _NAME
    before = _starts(run) if start["step"] > 0 else []
    kept = [earlier for earlier in before if earlier["step"] < start["step"]]
    draft = path.with_suffix(".json.new")
    text = json.dumps({"schema": SCHEMA_VERSION, "starts": [*kept, start]}, indent=2, ensure_ascii=False) + "\n"
    # In JSON, too, `\\udcXX` stands for a byte of a name that is not UTF-8.
    draft.write_text(text, encoding="utf-8", errors="backslashreplace")
    draft.replace(path)


def compare(earlier: Path, run: Path, start: Start) -> None:
    """Holds the start of the run in the folder `run`, which repeats the one in the folder `earlier`, against that one.

    Raises Problem where it would be another run; says what else is not the same.
    """
    first, *others = _read(earlier)["starts"]
    for other in others:
        if _essence(other) != _essence(first):
            raise Problem(
                "run_mixed",
                f"The run in {earlier} went on at step {other['step']:,} with {_what_differs(first, other)}: no start from the "
                "beginning has its bits.",
                f"Train what it was last trained with: xenarc train {earlier / 'artifact'}",
            )
    if first["artifact"] != start["artifact"]:
        raise Problem(
            "run_changed",
            f"The artifact in {earlier} is not the one that the run was trained with (its SHA-256 differs).",
            "Bring the folder back from a copy.",
        )
    changed = list(_changed_files(first["data"]["sources"], start["data"]["sources"], run))
    if changed:
        raise Problem(
            "data_changed",
            f"The data are not those of the run in {earlier}: {listed(changed)}.",
            "Bring them back, or name a copy of them with --data.",
        )
    for what in ("weights", "adapters"):
        if first.get(what, {}).get("sha256") != start.get(what, {}).get("sha256"):
            raise Problem(
                "weights_changed",
                f"The {what} at {first[what]['path']} are not those that the run in {earlier} began with.",
                "Bring them back.",
            )
    differing = list(_circumstances(first, start))
    if differing:
        message = f"Not as in {earlier}: {'; '.join(differing)}. Losses may differ in their last digits."
        events.emit("log", level="warning", message=message)


def changed_files(run: Path, start: Start) -> list[str]:
    """What is not as it was in the files that the run in the folder `run` was trained on up to where `start` goes on; those of a run
    without a history are not known."""
    before = [earlier for earlier in _starts(run) if earlier["step"] < start["step"]]
    return list(_changed_files(before[-1]["data"]["sources"], start["data"]["sources"], run)) if before else []


def data_of(run: Path) -> list[str]:
    """The paths of the data that a run was trained on last, from the working directory; none: it has no history."""
    return [_from_here(path, run) for start in _starts(run)[-1:] for path in start["data"]["paths"]]


def changed_data(run: Path, settings: Settings) -> list[str]:
    """What is not as it was in the files that a run was trained on last."""
    now = _sources_from(run, settings)
    return [what for start in _starts(run)[-1:] for what in _changed_files(start["data"]["sources"], now, run)]


def _starts(run: Path) -> list[Start]:
    return _read(run)["starts"] if (run / _NAME).is_file() else []


def _read(run: Path) -> dict[str, Any]:
    path = run / _NAME
    try:
        history = json.loads(path.read_text(encoding="utf-8"))
        if history["schema"] > SCHEMA_VERSION:
            what = f"has schema {history['schema']}; this runtime reads up to {SCHEMA_VERSION}"
        elif all("step" in start and "sources" in start["data"] for start in history["starts"]):
            return history
        else:
            what = "is damaged"
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError):
        what = "is damaged"
    raise Problem("run_history", f"{path} {what}.", "Bring it back from a copy, or move it away.")


def _from_run(path: str, run: Path) -> str:
    return path if "://" in path or os.path.isabs(path) else os.path.relpath(path, run)


def _from_here(path: str, run: Path) -> str:
    """A path in the history of a run, from the working directory."""
    return path if "://" in path else os.path.relpath(run / path)


def _sources_from(run: Path, settings: Settings) -> list[dict[str, Any]]:
    return [{**source, "path": _from_run(source["path"], run)} for source in sources(settings)]


def _weights(weights: Path | Run, run: Path) -> dict[str, str]:
    """A folder of safetensors files, or a checkpoint, which has the checksums of its files."""
    if isinstance(weights, Path):
        return {"path": _from_run(str(weights), run), "sha256": fingerprint(find(str(weights)))}
    sealed = (weights.saved.path / "checksums.json").read_bytes()
    return {"path": _from_run(str(weights.saved), run), "sha256": hashlib.sha256(sealed).hexdigest()}


def _source(source: SourceSettings) -> dict[str, Any]:
    source_files = find_source(source)
    files = source_files.files
    # All of a text is read anyway.
    prints = [file.print(whole=source_files.kind is TEXT and not file.is_remote).hex() for file in files]
    sizes = [file.size() for file in files]
    names = _names(source.path, files)
    listing = "\n".join(f"{name} {print_}" for name, print_ in zip(names, prints, strict=True))
    # What a single file is called says nothing.
    together = prints[0] if len(prints) == 1 else hashlib.sha256(listing.encode(errors="surrogateescape")).hexdigest()
    found = {"path": source.path, "count": len(files), "bytes": sum(sizes), "sha256": together}
    if len(files) > _LISTED:
        return found
    listed = zip(names, sizes, prints, strict=True)
    return {**found, "files": [{"name": name, "bytes": size, "sha256": print_} for name, size, print_ in listed]}


def _names(path: str, files: list[File]) -> list[str]:
    """What files are called wherever they lie together: from the folder that was named, or from the one that they share."""
    top = os.path.join(path, "") if os.path.isdir(path) else os.path.commonprefix([f.name for f in files]).rpartition("/")[0]
    return [os.path.relpath(file.name, top or ".") if not file.is_remote else file.name[len(top) :] for file in files]


def _changed_files(then: list[dict[str, Any]], now: list[dict[str, Any]], run: Path) -> Iterator[str]:
    """What differs, with the places of now as people call them."""
    if len(then) != len(now):
        yield f"there are {len(now)} sources, and there were {len(then)}"
        return
    for before, after in zip(then, now, strict=True):
        if before["sha256"] == after["sha256"]:
            continue
        path = _from_here(after["path"], run)
        if "files" not in before or "files" not in after:
            counts = f"{after['count']:,} files of {after['bytes']:,} bytes, and had {before['count']:,} of {before['bytes']:,}"
            yield f"{path} is not what it was: it has {counts}"
            continue
        single = before["count"] == after["count"] == 1
        old, new = ({"" if single else file["name"]: file for file in source["files"]} for source in (before, after))
        for name in sorted({*old, *new}):
            place = path if single else os.path.join(path, name) if os.path.isdir(path) else name
            if name not in new:
                yield f"{place} is gone"
            elif name not in old:
                yield f"{place} is new"
            elif old[name]["bytes"] != new[name]["bytes"]:
                yield f"{place} has {new[name]['bytes']:,} bytes, and had {old[name]['bytes']:,}"
            elif old[name]["sha256"] != new[name]["sha256"]:
                yield f"{place} has other bytes than it had"


def _essence(start: Start) -> dict[str, Any]:
    """What makes the run that it is."""
    data = [source["sha256"] for source in start["data"]["sources"]]
    return {"another artifact": start["artifact"], "other data": data, "other devices": start["devices"]}


def _what_differs(first: Start, other: Start) -> str:
    return " and ".join(what for what, value in _essence(first).items() if _essence(other)[what] != value)


def _circumstances(then: Start, now: Start) -> Iterator[str]:
    """What the last bits may depend on."""

    def of(start: Start) -> dict[str, str]:
        command = start.get("command") or {}
        told = {"xenarc": command["xenarc"], "the lock of Python packages": command["lock"][:12]} if command else {}
        machine = {**start["devices"], "processor": start["processor"], "processes": start["processes"]}
        return {**told, **start["versions"], **machine, **start["environment"]}

    before, after = of(then), of(now)
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield f"{name} is {after.get(name, 'not set')}, and was {before.get(name, 'not set')}"


def _processor() -> str:
    """The processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
