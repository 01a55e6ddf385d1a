"""Whether the files of a checkpoint are those that were written: sizes and CRC-32C, kept in checksums.json beside them.

It is written before the checkpoint gets its name, so that a checkpoint without it is none. Orbax's own bookkeeping at the top of a
checkpoint's folder is written later and not read by us: it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from etils import epath

from . import checksums

_NAME = "checksums.json"
_THREADS = 4


def seal(folder: epath.Path) -> None:
    """Writes the checksums of all that lies in the items of a checkpoint's folder."""
    sums = sums_of({path.relative_to(folder).as_posix(): path for path in _files(folder)})
    (folder / _NAME).write_text(json.dumps({"algorithm": "crc32c", "files": sums}, indent=1))


def sums_of(files: Mapping[str, epath.Path]) -> dict[str, Any]:
    """Size and checksum of each file."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return dict(zip(files, threads.map(checksums.of, files.values()), strict=True))


def sums(folder: epath.Path, items: Iterable[str]) -> dict[str, Any] | None:
    """What was noted of these items' files when a checkpoint was written; None: nothing that can be read."""
    try:
        noted = json.loads((folder / _NAME).read_text())["files"]
        return {name: entry for name, entry in noted.items() if name.split("/")[0] in set(items)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def fault(folder: epath.Path, items: Iterable[str]) -> str | None:
    """What is wrong with these items of a checkpoint, naming the file; None: nothing. Reads every file of theirs once."""
    try:
        text = (folder / _NAME).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return f"it has no {_NAME}: it was not written to its end"
    except (OSError, UnicodeDecodeError) as error:
        return f"{_NAME} cannot be read ({error})"
    try:
        sums = json.loads(text)["files"]
        wanted = {name: (entry["bytes"], entry["crc32c"]) for name, entry in sums.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{_NAME} is damaged"
    wanted = {name: entry for name, entry in wanted.items() if name.split("/")[0] in set(items)}
    lacking = [item for item in items if not any(name.startswith(f"{item}/") for name in wanted)]
    if lacking:
        return f"{_NAME} does not speak of {lacking[0]}"
    with ThreadPoolExecutor(_THREADS) as threads:
        faults = threads.map(lambda name: _fault(folder / name, *wanted[name]), wanted)
        return next((f"{name} {what}" for name, what in zip(wanted, faults, strict=True) if what), None)


def _fault(path: epath.Path, size: int, crc: str) -> str | None:
    try:
        found = checksums.of(path)
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if found["bytes"] != size:
        return f"has {found['bytes']:,} bytes, and {size:,} were written"
    return None if found["crc32c"] == crc else f"is not what was written: its checksum is {found['crc32c']}, not {crc}"


def _files(folder: epath.Path) -> Iterator[epath.Path]:
    """The files below the folders inside a folder, in the order of their names."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _below(path)


def _below(folder: epath.Path) -> Iterator[epath.Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _below(path)
        else:
            yield path
