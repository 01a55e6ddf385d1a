"""A trace of some steps by XLA's profiler, whose rows carry the author's names: `--profile 10:15`.

The profiler writes `profile/plugins/profile/TIME/` in the run's folder, where TensorBoard looks for it: `*.xplane.pb` for its profile
page, `*.trace.json.gz` for https://ui.perfetto.dev. Into the latter go the paths of the modules and the lines of the author's files.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import events, group, pjrt
from .errors import Problem

TraceEvent = dict[str, Any]


@dataclass(frozen=True)
class Window:
    """Steps `first` to `last`, both in it."""

    first: int
    last: int


def parse_window(text: str) -> Window:
    """`10:15`, or `10` for one step. Raises Problem for anything else."""
    matched = re.fullmatch(r"(\d+)(?::(\d+))?", text)
    window = matched and Window(int(matched[1]), int(matched[2] or matched[1]))
    if not window or not 1 <= window.first <= window.last:
        raise Problem(
            "usage", f"`{text}` are no steps to profile.", "Give the first and the last, counted from 1: --profile 10:15"
        )
    return window


class Profiler:
    """Traces the steps of a window; the first process of a group does, the others do nothing."""

    def __init__(
        self, run: Path, window: Window | None, executables: Sequence[pjrt.Executable], watch: group.Watchdog
    ) -> None:
        self._watch = watch
        self._folder = run / "profile"
        self._window = window if group.is_first() else None
        self._executables = executables
        self._first: int | None = None

    def begin(self, step: int, state: Mapping[str, pjrt.Array]) -> None:
        """Before a step is started, of which `state` is the input: the steps before it are waited for."""
        if self._window and self._first is None and self._window.first <= step <= self._window.last:
            pjrt.wait(state)
            pjrt.start_trace(self._folder)
            self._first = step

    def end(self, step: int, outputs: Mapping[str, pjrt.Array]) -> bool:
        """After a step was started, which gives `outputs`: the last one's are waited for. True if the trace was written, which takes its time."""
        if not self._window or self._first is None or step < self._window.last:
            return False
        pjrt.wait(outputs)
        self._finish(step)
        return True

    def close(self, step: int) -> None:
        """The run ends after `step`."""
        if self._first is not None:
            self._finish(step)
        elif self._window:
            asked = f"{self._window.first} to {self._window.last}"
            events.emit("log", level="warning", message=f"Nothing was profiled: steps {asked} were not among those run.")

    def _finish(self, step: int) -> None:
        # A trace has as much to write as the steps have operations.
        self._watch.rest()
        self._write(step)
        self._watch.beat("the profile was written")

    def _write(self, step: int) -> None:
        pjrt.stop_trace()
        first, self._first, self._window = self._first, None, None
        traces = sorted(self._folder.glob("plugins/profile/*/*.trace.json.gz"), key=lambda path: path.stat().st_mtime)
        if not traces:
            return
        name_rows(traces[-1], [pjrt.optimized_hlo(executable) for executable in self._executables])
        events.emit("profile", path=str(traces[-1]), first=first, last=step)


@dataclass(frozen=True)
class Named:
    """Where an instruction comes from: the path of its module with the operation's name at the end, and the author's line."""

    op_name: str
    source: str


def name_rows(trace: Path, programs: Sequence[str]) -> None:
    """Adds the names that optimized HLO has to a trace's events, and a row of scopes below each row of operations."""
    names = {module: named for module, named in map(names_of, programs)}
    content = json.loads(gzip.decompress(trace.read_bytes()))
    rows: dict[tuple[int, int], list[TraceEvent]] = {}
    for event in content["traceEvents"]:
        arguments = event.get("args", {})
        named = names.get(arguments.get("hlo_module"), {}).get(arguments.get("hlo_op"))
        if event.get("ph") == "X" and named is not None:
            arguments.update(op_name=named.op_name, source=named.source)
            rows.setdefault((event["pid"], event["tid"]), []).append(event)
    content["traceEvents"] += _scope_rows(content["traceEvents"], rows)
    temporary = trace.with_suffix(".tmp")
    temporary.write_bytes(gzip.compress(json.dumps(content).encode()))
    temporary.replace(trace)


def _scope_rows(all_events: Sequence[TraceEvent], rows: Mapping[tuple[int, int], list[TraceEvent]]) -> list[TraceEvent]:
    """Threads beside those of `rows`, with nested spans named as the modules are."""
    about: dict[tuple[int, int], dict[str, Any]] = {}
    for event in all_events:
        if event.get("ph") == "M" and "tid" in event:
            about.setdefault((event["pid"], event["tid"]), {}).update(event["args"])
    free = max((event.get("tid", 0) for event in all_events), default=0) + 1
    added: list[TraceEvent] = []
    for number, ((process, thread), operations) in enumerate(rows.items()):
        here = {"pid": process, "tid": free + number}
        original = about.get((process, thread), {})
        name = {"name": f"scopes of {original.get('name', thread)}"}
        added.append({**here, "ph": "M", "name": "thread_name", "args": name})
        if "sort_index" in original:
            place = {"sort_index": original["sort_index"]}
            added.append({**here, "ph": "M", "name": "thread_sort_index", "args": place})
        added += [{**here, "ph": "X", "ts": begin, "dur": end - begin, "name": scope} for scope, begin, end in _scopes(operations)]
    return added


def _scopes(operations: list[TraceEvent]) -> list[tuple[str, float, float]]:
    """(name, begin, end) of every scope that operations following each other are in, outer ones before inner ones."""
    operations.sort(key=lambda event: (event["ts"], -event.get("dur", 0)))
    spans: list[tuple[str, float, float]] = []
    open_: list[tuple[str, int]] = []  # names of the scopes that are open, and their places in `spans`
    run = None
    for event, following in zip(operations, [*operations[1:], None], strict=True):
        begin, end = event["ts"], event["ts"] + event.get("dur", 0)
        if following is not None and following["ts"] < end:
            continue  # a loop, in which the others are
        path = [event["args"]["hlo_module"], *event["args"]["op_name"].split("/")[:-1]]
        same = 0
        if run == event["args"].get("run_id"):
            while same < min(len(open_), len(path)) and open_[same][0] == path[same]:
                same += 1
        run = event["args"].get("run_id")
        del open_[same:]
        for name in path[same:]:
            open_.append((name, len(spans)))
            spans.append((name, begin, end))
        for name, at in open_:
            spans[at] = (name, spans[at][1], end)
    return spans


_MODULE = re.compile(r"^HloModule ([^\s,]+)")
_INSTRUCTION = re.compile(r'^\s*(?:ROOT )?%?([\w.-]+) = .*?metadata=\{([^}]*)\}')
_TABLE_ROW = re.compile(r'^(\d+) (?:"(.*)"|\{(.*)\})$')
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|(\d+))')


def names_of(hlo: str) -> tuple[str, dict[str, Named]]:
    """A module's name, and where its instructions come from, of HLO as XLA prints it."""
    tables: dict[str, dict[str, Any]] = {}
    table: dict[str, Any] = {}
    named: dict[str, Named] = {}
    found = _MODULE.match(hlo)
    for line in hlo.splitlines():
        if line in ("FileNames", "FunctionNames", "FileLocations", "StackFrames"):
            table = tables.setdefault(line, {})
        elif row := _TABLE_ROW.match(line):
            table[row[1]] = row[2] if row[2] is not None else _fields(row[3])
        elif instruction := _INSTRUCTION.match(line):
            fields = _fields(instruction[2])
            if "op_name" in fields:
                named[instruction[1]] = Named(fields["op_name"], _source(tables, fields.get("stack_frame_id")))
    return (found[1] if found else ""), named


def _fields(text: str) -> dict[str, str]:
    return {name: quoted or plain for name, quoted, plain in _FIELD.findall(text)}


def _source(tables: Mapping[str, Mapping[str, Any]], frame: str | None) -> str:
    """`file:line` of a stack frame."""
    location = tables.get("StackFrames", {}).get(frame, {}).get("file_location_id")
    at = tables.get("FileLocations", {}).get(location)
    return "" if at is None else f"{tables['FileNames'][at['file_name_id']]}:{at['line']}"
