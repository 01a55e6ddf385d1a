"""What a run's folder says of the run before its first step (config.yaml, parameters.txt), and what happened since (log.txt)."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from . import events
from .artifact import Artifact, Port
from .checkpoint import PARAMETERS
from .dtypes import to_numpy
from .program import named
from .words import size


def describe(artifact: Artifact, run: Path) -> None:
    """Writes the configuration that the artifact was compiled from and the table of its parameters."""
    (run / "config.yaml").write_text(yaml.safe_dump(artifact.config, allow_unicode=True))
    (run / "parameters.txt").write_text(parameter_table(parameters_of(artifact)))


def parameters_of(artifact: Artifact) -> list[Port]:
    """The parameters, in the program's order."""
    return [port for port in named(artifact.program("train_step").inputs, "state") if port.name.startswith(PARAMETERS)]


def parameter_table(ports: Iterable[Port]) -> str:
    """A line for each parameter: its path, its axes and sizes, element type, elements, bytes, and how it is split over the mesh; their sum."""
    rows, total, held = [("path", "shape", "dtype", "count", "bytes", "split over")], 0, 0
    for port in ports:
        count, taken = elements(port), elements(port) * to_numpy(port.dtype).itemsize
        total, held = total + count, held + taken
        shape = " ".join(f"{axis}={n}" for axis, n in zip(port.axes, port.shape, strict=True)) or "scalar"
        over = [f"{axis}: {'+'.join(mesh)}" for axis, mesh in zip(port.axes, port.sharding, strict=False) if mesh]
        rows.append((port.name.removeprefix(PARAMETERS), shape, port.dtype, f"{count:,}", size(taken), ", ".join(over)))
    rows.append(("total", f"{len(rows) - 1} tensors", "", f"{total:,}", size(held), ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust, str.ljust)
    lines = ["  ".join(a(cell, w) for a, cell, w in zip(aligned, row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


def parameter_groups(ports: Iterable[Port]) -> list[dict[str, Any]]:
    """Elements by the first part of the path, in the program's order."""
    groups: dict[str, int] = {}
    for port in ports:
        first = port.name.removeprefix(PARAMETERS).split("/")[0]
        groups[first] = groups.get(first, 0) + elements(port)
    return [{"name": name, "parameters": count} for name, count in groups.items()]


def elements(port: Port) -> int:
    """How many numbers an array has."""
    return int(np.prod(port.shape, dtype=np.int64))


def keep_log(run: Path) -> None:
    """From here on what is said is also written to log.txt, a line each with the time in front; a run that is resumed goes on in the same file."""
    path = run / "log.txt"

    def add(event: str, fields: dict[str, Any]) -> None:
        said = _FORMS.get(event, _nothing)(fields)
        if said is not None:
            at = time.strftime("%Y-%m-%d %H:%M:%S")
            with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write("".join(f"{at}  {_visible(line)}\n" for line in said.splitlines() or [""]))

    events.listen(add)


def _visible(line: str) -> str:
    """Without control characters, which untrained models write and terminals obey."""
    return "".join("\ufffd" if unicodedata.category(character) == "Cc" else character for character in line)


def _nothing(_: dict[str, Any]) -> None:
    """Of events that are for programs alone."""


def _began(fields: dict[str, Any]) -> str:
    first = f"goes on from step {fields['step']:,}" if fields["resumed"] else "begins"
    processes = f" in {fields['processes']} processes" if fields["processes"] > 1 else ""
    data = "".join(f"\ndata: {source['line']}" for source in fields["sources"])
    trained = f" ({fields['parameters'] - fields['frozen']:,} of them trained)" if fields["frozen"] else ""
    weights = fields["weights"]
    read = f" with {weights['parameters']:,} of {weights['adapters'] or weights['path']}" if weights else ""
    return (
        f"{fields['name']} with {fields['parameters']:,} parameters{trained} {first}{read}: {fields['steps']:,} steps of "
        f"{fields['tokens_per_step']:,} tokens on {fields['devices']} x {fields['device']}{processes}{data}"
    )


_FORMS = {
    "start": _began,
    "compiled": lambda f: f"compiled {f['program']} in {f['seconds']} s",
    "progress": lambda f: f.get("line"),
    "eval": lambda f: f"step {f['step']:,}  validation {f['loss']:.4f}",
    "sample": lambda f: f"step {f['step']:,}  sample\n{f['prompt']}{f['text']}",
    "checkpoint": lambda f: f"step {f['step']:,}  checkpoint {f['path']}, which held training up for {f['blocked_ms']} ms",
    "goodput": lambda f: f"goodput {f['share'] or 0:.1%}; seconds: {', '.join(f'{c} {s:.1f}' for c, s in f['seconds'].items())}",
    "profile": lambda f: f"steps {f['first']:,} to {f['last']:,} profiled: {f['path']}",
    "log": lambda f: f["message"] if f["level"] == "print" else f"{f['level']}: {f['message']}",
    "error": lambda f: f"error: {f['message']}\n{f['hint']}".rstrip(),
    "done": lambda f: f"{'interrupted' if f['interrupted'] else 'done'} after step {f['step']:,} of {f['steps']:,}, in {f['seconds']} s",
}
