"""Reads TensorBoard's event files without tensorboardX's or TensorBoard's code: frames, checksums by google-crc32c, protocol buffers."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any

import google_crc32c
from tensorboardX.proto import event_pb2, summary_pb2


def masked(data: bytes) -> int:
    """The checksum of a TFRecord's frame."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(file: Path) -> list[Any]:
    """Every event of a file, in order. Raises ValueError where a checksum or a length is wrong."""
    data, at, found = file.read_bytes(), 0, []
    while at < len(data):
        (size, crc) = struct.unpack_from("<QI", data, at)
        if masked(data[at : at + 8]) != crc:
            raise ValueError(f"{file}: the length at {at} has another checksum")
        body = data[at + 12 : at + 12 + size]
        (crc,) = struct.unpack_from("<I", data, at + 12 + size)
        if masked(body) != crc:
            raise ValueError(f"{file}: the record at {at} has another checksum")
        found.append(event_pb2.Event.FromString(body))
        at += 16 + size
    return found


def read(folder: Path) -> dict[str, list[tuple[int, summary_pb2.Summary.Value]]]:
    """What TensorBoard shows of a folder: by tag, steps and values. A file's start at a step takes later ones of the files before away."""
    series: dict[str, list[tuple[int, Any]]] = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        first, *rest = events_of(file)
        if first.file_version != "brain.Event:2":
            raise ValueError(f"{file} does not begin with its version")
        for event in rest:
            if event.session_log.status == event_pb2.SessionLog.START:
                for tag in series:
                    series[tag] = [(step, value) for step, value in series[tag] if step < event.step]
            for value in event.summary.value:
                series.setdefault(value.tag, []).append((event.step, value))
    return series


def texts(values: list[tuple[int, Any]]) -> list[tuple[int, str]]:
    """Texts that TensorBoard shows as they are: Markdown whose lines are indented."""
    found = []
    for step, value in values:
        lines = value.tensor.string_val[0].decode().split("\n")
        assert all(line.startswith("    ") for line in lines)
        found.append((step, "\n".join(line[4:] for line in lines)))
    return found


if __name__ == "__main__":
    folder, *kind = sys.argv[1:]
    series = read(Path(folder))
    if kind == ["texts"]:
        shown = {tag: texts(values) for tag, values in series.items() if values[0][1].HasField("tensor")}
    else:
        shown = {tag: [(step, value.simple_value) for step, value in values] for tag, values in series.items()}
    print(json.dumps(shown))
