"""The checksum of a file that was written: CRC-32C."""

from __future__ import annotations

from pathlib import Path

import google_crc32c
from etils import epath

_BLOCK = 1 << 22


def of(path: Path | epath.Path) -> dict[str, int | str]:
    """A file's `bytes` and `crc32c`, in hexadecimal. Raises OSError."""
    size, crc = 0, google_crc32c.Checksum()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            size += len(block)
            crc.update(block)
    return {"bytes": size, "crc32c": crc.hexdigest().decode()}
