"""Compiles an entry point of an artifact ahead of time, for devices that need not be here, and reports what XLA made of it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import artifact as artifacts
from . import events, pjrt
from .errors import Problem


def compile_ahead(
    folder: Path, entry: str, platform: str, generation: str, topology: Sequence[int], slices: int, out: Path
) -> None:
    """Writes `<entry>.hlo.txt` (the optimized HLO) and `<entry>.executable` into `out`, and emits an `ahead` event.

    A program that needs too much memory is an `out_of_memory` event with what XLA says of it. `platform` is `cpu`, with
    as many devices as the artifact's mesh has, or `tpu`, of a `generation` and with `slices` of a `topology` in chips.
    """
    if platform not in ("cpu", "tpu"):
        raise Problem("target", f"A program cannot be compiled ahead of time for `{platform}`.", "Known: cpu, tpu.")
    artifact = artifacts.load(folder)
    program = artifact.program(entry)
    devices = pjrt.tpu_devices(generation, topology, slices) if platform == "tpu" else ()
    mesh = pjrt.make_mesh(artifact.mesh, devices)
    started = time.monotonic()
    try:
        compiled = pjrt.compile_ahead(program.text, program.options, mesh)
    except pjrt.OutOfMemory as error:
        seconds = round(time.monotonic() - started, 3)
        events.emit("out_of_memory", program=entry, seconds=seconds, **memory_report(error.report))
        return
    seconds = round(time.monotonic() - started, 3)
    out.mkdir(parents=True, exist_ok=True)
    hlo, executable = out / f"{entry}.hlo.txt", out / f"{entry}.executable"
    hlo.write_text(pjrt.optimized_hlo(compiled), "utf-8")
    executable.write_bytes(pjrt.serialized(compiled))
    events.emit(
        "ahead",
        program=entry,
        devices=int(mesh.devices.size),
        device=mesh.devices.flat[0].device_kind,
        seconds=seconds,
        memory=pjrt.memory(compiled),
        hlo=str(hlo),
        executable=str(executable),
        kernels=[asdict(placement) for placement in compiled.kernels],
        versions={name: version for name, version in pjrt.versions().items() if name in ("jaxlib", "libtpu")},
    )


_SIZE = r"([\d.]+[BKMGTP]?)"
# Two ways in which XLA:TPU says it: before buffers are assigned, by a lower bound, and after, with a list of allocations.
_BOUND = re.compile(rf"total memory required for HLO temporaries \({_SIZE}\) exceeds available HBM \({_SIZE}\)")
_USED = re.compile(rf"Used {_SIZE} of {_SIZE} (\w+)\.")
_ALLOCATION = re.compile(rf"^\s*\d+\. Size: {_SIZE}$", re.MULTILINE)
_FIELD = re.compile(r"^\s*(Operator|Shape|Unpadded size|XLA label|Allocation type): (.*)$", re.MULTILINE)


def memory_report(report: str) -> dict[str, Any]:
    """What an out-of-memory error of XLA says: bytes `needed` and `available` (null where it does not say), `allocations`.

    Of an allocation: `bytes`, `unpadded` bytes, `shape`, `op_name` (what made it, as in the program's locations), `label`
    (the HLO instruction) and `kind`; the largest first. XLA rounds bytes to two decimals of a unit.
    """
    said = _USED.search(report) or _BOUND.search(report)
    _, *allocations = _ALLOCATION.split(report)
    return {
        "needed": _bytes(said[1]) if said else None,
        "available": _bytes(said[2]) if said else None,
        "allocations": [_allocation(*one) for one in zip(allocations[::2], allocations[1::2], strict=True)],
        "message": report.splitlines()[0] if report else "",
    }


def _allocation(size: str, text: str) -> dict[str, Any]:
    fields = {name: value.strip() for name, value in _FIELD.findall(text)}
    op_name = re.search(r'op_name="([^"]*)"', fields.get("Operator", ""))
    unpadded = fields.get("Unpadded size")
    return {
        "bytes": _bytes(size),
        "unpadded": _bytes(unpadded) if unpadded else _bytes(size),
        "shape": fields.get("Shape", ""),
        "op_name": op_name[1] if op_name else "",
        "label": fields.get("XLA label", ""),
        "kind": fields.get("Allocation type", ""),
    }


def _bytes(size: str) -> int:
    """`43.84G` in bytes; XLA's units are powers of 1,024."""
    digits = size.rstrip("BKMGTP")
    unit = size[len(digits) :]
    return round(float(digits) * 1024 ** "BKMGTP".index(unit or "B"))
