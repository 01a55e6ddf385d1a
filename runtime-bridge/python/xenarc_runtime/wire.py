"""Frames between the worker and its clients.

A frame is the length of a JSON header (4 bytes, little-endian), the header, and the bytes of the tensors that
`header["tensors"]` lists as {dtype, shape}: one after another, row-major, little-endian, dtypes by MLIR's names.
"""

from __future__ import annotations

import json
import math
import struct
from io import BufferedIOBase
from typing import Any

import numpy as np

from .dtypes import from_numpy, to_numpy


def read_frame(stream: BufferedIOBase) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """The next header and its tensors; None at the end of the stream."""
    prefix = stream.read(4)
    if len(prefix) < 4:
        return None
    header = json.loads(stream.read(struct.unpack("<I", prefix)[0]))
    tensors = []
    for entry in header.get("tensors", []):
        dtype = to_numpy(entry["dtype"])
        data = stream.read(math.prod(entry["shape"]) * dtype.itemsize)
        tensors.append(np.frombuffer(data, dtype).reshape(entry["shape"]))
    return header, tensors


def write_frame(stream: BufferedIOBase, header: dict[str, Any], tensors: list[np.ndarray]) -> None:
    """Writes a header and its tensors, and flushes."""
    entries = [{"dtype": from_numpy(tensor.dtype), "shape": list(tensor.shape)} for tensor in tensors]
    encoded = json.dumps({**header, "tensors": entries}).encode()
    stream.write(struct.pack("<I", len(encoded)))
    stream.write(encoded)
    for tensor in tensors:
        stream.write(np.ascontiguousarray(tensor).tobytes())
    stream.flush()
