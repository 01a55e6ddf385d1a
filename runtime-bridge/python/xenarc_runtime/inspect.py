"""Compiles every program of an artifact and says what XLA made of it."""

from __future__ import annotations

from pathlib import Path

from . import pjrt
from .program import compile_program, load


def inspect(folder: Path, hlo: Path | None) -> None:
    """Emits a `compiled` event with XLA's memory account per program; with `hlo`, writes the optimized HLO there."""
    artifact = load(folder)
    if hlo is not None:
        hlo.mkdir(parents=True, exist_ok=True)
    for name in artifact.programs:
        executable = compile_program(artifact, name)
        if hlo is not None:
            (hlo / f"{name}.hlo.txt").write_text(pjrt.optimized_hlo(executable))
