"""Anomaly mode: which operation of a step first gave what is not finite, at its line of the author's model.

The step is run again, from the state before it, by the artifact's program `anomaly_step`, which looks at every result.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from . import events, group
from .artifact import Artifact
from .errors import Problem
from .program import Arrays, Entry

WATCHED = ("loss", "grad_norm")
"""Metrics of a step of which one that is not finite makes the step be looked at."""

_WORDS = {"nan": ("NaN", "a NaN"), "inf": ("infinity", "an infinity")}
_CAUSES = {
    ("nan", "log"): "the logarithm of a negative number",
    ("nan", "log_plus_one"): "the logarithm of a negative number",
    ("nan", "sqrt"): "the root of a negative number",
    ("nan", "rsqrt"): "the root of a negative number",
    ("nan", "power"): "a power of a negative number",
    ("nan", "divide"): "0 / 0, or infinity / infinity",
    ("nan", "multiply"): "0 times infinity",
    ("nan", "add"): "infinity minus infinity",
    ("nan", "subtract"): "infinity minus infinity",
    ("nan", "dot_general"): "infinity minus infinity, or 0 times infinity, in a sum of products",
    ("nan", "reduce"): "infinity minus infinity in a sum",
    ("inf", "log"): "the logarithm of 0",
    ("inf", "divide"): "a division by 0, or a number beyond the element type",
    ("inf", "rsqrt"): "1 / the root of 0",
    ("inf", "power"): "a negative power of 0, or a number beyond the element type",
    ("inf", "exponential"): "the exponential of a number so large that it is beyond the element type",
    ("inf", "convert"): "a number beyond the narrower element type",
}
_BEYOND = "a number beyond the element type"


class Anomalies:
    """Looks at steps as they come; `log` events and RUN/anomalies.jsonl say what was found."""

    def __init__(self, artifact: Artifact, run: Path, watch: group.Watchdog) -> None:
        if "anomaly_step" not in artifact.programs:
            raise Problem(
                "anomaly",
                f"The artifact {artifact.folder} was compiled without anomaly mode.",
                "Compile it with train.anomaly=true.",
            )
        self._artifact, self._watch = artifact, watch
        self._file = run / "anomalies.jsonl"
        self._programs: dict[str, Entry] = {}
        self._said: set[str] = set()

    def look(self, step: int, inputs: Arrays, outputs: Arrays, entry: str = "train_step") -> None:
        """Waits for a step's loss and gradient norm; where one is not finite, says which operation it came from.

        `inputs` are the step's, done by `entry`; they must still be there. What was said before is not said again.
        """
        if all(np.isfinite(np.asarray(outputs[name])).all() for name in WATCHED if name in outputs):
            return
        name = entry.replace("train", "anomaly")
        if name not in self._programs:
            self._watch.rest()
            self._programs[name] = Entry(self._artifact, name)
            self._watch.beat(f"{name} was compiled")
        program = self._artifact.program(name)
        found = np.asarray(self._programs[name]({port.name: inputs[port.name] for port in program.inputs})["anomaly"])
        anomalies = explain(program.checks, found)
        if group.is_first():
            with self._file.open("a") as stream:
                stream.write(json.dumps({"step": step, "anomalies": anomalies}) + "\n")
        text = "\n\n".join(anomaly["message"] for anomaly in anomalies)
        if not anomalies:
            text = "no operation of the step gave a NaN or an infinity when it was run again, without kernels."
        # Once weights are lost, every later step begins with them.
        lost = bool(self._said) and all("input" in anomaly for anomaly in anomalies)
        if text not in self._said and not lost:
            self._said.add(text)
            events.emit("log", level="warning", message=f"Step {step}: {text}")


def open_anomalies(artifact: Artifact, run: Path, watch: group.Watchdog) -> Anomalies | None:
    """What looks at the steps of a run; None where the configuration does not ask for it."""
    return Anomalies(artifact, run, watch) if artifact.config["train"].get("anomaly") else None


def explain(table: dict[str, Any], found: np.ndarray) -> list[dict[str, Any]]:
    """What an anomaly program's result [kind, 1 + loops] means: an entry for each kind that was found, NaN first.

    `table` is the program's checks (emit/checks.ts). An entry has `kind`, `message` and what the table has of the check,
    with the places of the loops around it.
    """
    return [
        _explained(table, kind, int(number), [int(step) for step in steps])
        for kind, (number, *steps) in zip(("nan", "inf"), found, strict=True)
        if number >= 0
    ]


def _explained(table: dict[str, Any], kind: str, number: int, steps: list[int]) -> dict[str, Any]:
    check = table["checks"][number]
    noun, one = _WORDS[kind]
    if "input" in check:
        message = f"`{check['input']}` had {one} before the step."
        return {"kind": kind, "message": message, "input": check["input"]}
    loops = [_place(loop, step) for loop, step in zip(check["loops"], steps)]
    lines = [table["lines"][at] for at in check["at"]]
    where = [f"in {check['module']}"] if check["module"] else []
    where += [_words(loop) for loop in loops]
    where += ["in the backward pass"] if check["backward"] else ["in the forward pass"] if lines else []
    cause = _CAUSES.get((kind, check["operation"]), _BEYOND if kind == "inf" else "")
    because = f": {cause}" if cause else ""
    message = f"the first {noun} was made by `{check['operation']}`{because}.\n  {', '.join(where)}"
    message += "".join(_shown(line, first) for line, first in zip(lines, [True] + [False] * len(lines)))
    return {
        "kind": kind,
        "message": message,
        "operation": check["operation"],
        "module": check["module"],
        "backward": check["backward"],
        "loops": loops,
        "lines": [{key: line[key] for key in ("path", "line", "column")} for line in lines],
    }


def _place(loop: dict[str, Any], step: int) -> dict[str, Any]:
    """Where in a loop a step of it is: an element of the axis, from 0, whichever way the loop goes."""
    length = loop.get("length")
    at = length - 1 - step if loop.get("reverse") and length is not None else step
    return {"axis": loop.get("axis"), "at": at, "length": length}


def _words(loop: dict[str, Any]) -> str:
    if loop["axis"] is None or loop["length"] is None:
        return f"iteration {loop['at']} (from 0) of a loop"
    return f"{loop['axis']} {loop['at']} (of {loop['length']}, from 0)"


def _shown(line: dict[str, Any], with_frame: bool) -> str:
    at = f"{line['path']}:{line['line']}:{line['column']}"
    if not with_frame:
        return f"\n  through {at}"
    frame = "".join(f"\n  {text}" for text in line["frame"].split("\n") if text)
    return f"\n  {at}{frame}"
