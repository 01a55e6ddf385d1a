"""The kinds of data: how a file's kind is told, and what reads it. A new format is a line in KINDS."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..errors import Problem
from . import streams, tables
from .files import File, find
from .settings import SourceSettings
from .streams import Records
from .text import is_binary


@dataclass(frozen=True)
class Kind:
    """One format: read by number (`table`) or from beginning to end (`stream`); neither: a run of tokens."""

    name: str
    suffixes: tuple[str, ...]
    """How names end, before that of a compression."""
    magic: bytes | None = None
    """How a file begins."""
    table: type[tables.Table] | None = None
    stream: Callable[[BinaryIO, int], Records] | None = None
    parse: Callable[[Any], Any] = lambda payload: payload
    """What a reader gives, as a record: a text, an array of token ids, or values by name."""
    unit: str = "record"
    """What records are called where they are numbered."""

    @property
    def at_any_place(self) -> bool:
        """Whether a file is read at any place."""
        return self.table.at_any_place if self.table else self.stream is None


TEXT = Kind("text", (), table=tables.TextFile)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("jsonl", (".jsonl", ".ndjson"), stream=streams.json_lines, parse=streams.parse_json, unit="line"),
        Kind("parquet", (".parquet",), b"PAR1", table=tables.Parquet),
        Kind("tfrecord", (".tfrecord", ".tfrecords"), stream=streams.tfrecords, parse=streams.parse_example),
        Kind("webdataset", (".tar", ".tgz"), stream=streams.tar_samples, parse=streams.parse_sample),
        Kind("hdf5", (".h5", ".hdf5"), b"\x89HDF\r\n\x1a\n", table=tables.Hdf5),
        Kind("arrayrecord", (".array_record", ".arrayrecord"), table=tables.ArrayRecord),
        Kind("arrow", (".arrow",), b"ARROW1", table=tables.Arrow),
        Kind("bin", (".bin",)),
        Kind("csv", (".csv", ".tsv"), table=tables.Csv),
        Kind("json", (".json",), table=tables.Json),
        TEXT,
    )
}

_SHARD = re.compile(r"-\d+-of-\d+$")
_COMPRESSIONS = (".gz", ".zst")
_SAVED_BESIDE = ("dataset_info.json", "state.json")
"""What Hugging Face `datasets` saves beside Arrow files, of which there may be one alone."""
_BESIDE = (*_SAVED_BESIDE, "index.json")
"""What lies beside data for those that read them; the last is of `xenarc data tokenize`."""


@dataclass(frozen=True)
class Found:
    """The files of a source."""

    source: SourceSettings
    kind: Kind
    files: list[File]
    passed_over: list[File]
    """Others that lie there."""


def find_source(source: SourceSettings) -> Found:
    """The files of a source, in the order of their names. Raises Problem where there are none.

    A folder that Hugging Face `datasets` has saved is its Arrow files, those of its split `train` where it has splits. Of
    several files those of one kind are taken: of the one that is named, else of the one that most are of, and of two of which there are
    as many, the first in KINDS. Of a folder of text what is no text is passed over.
    """
    path = source.path
    if os.path.isfile(os.path.join(path, "dataset_dict.json")):
        path = os.path.join(path, "train")
    is_saved = all(os.path.isfile(os.path.join(path, name)) for name in _SAVED_BESIDE)
    files = find(path)
    told = [_kind_of(file) for file in files]
    name = source.kind or ("arrow" if is_saved else None)
    beside = {file for file in files if os.path.basename(file.name) in _BESIDE}
    counts = Counter(kind.name for file, kind in zip(files, told, strict=True) if file not in beside)
    wanted = KINDS[name or max(KINDS, key=lambda each: counts[each])]
    # Any file may be said to be text.
    fitting = [file for file, kind in zip(files, told, strict=True) if kind is wanted and name != TEXT.name] or files
    if wanted is TEXT and os.path.isdir(path):
        fitting = [file for file in fitting if not is_binary(file)]
        if not fitting:
            raise Problem("data_empty", f"There is no text in {path}.", "Give a UTF-8 file, or a folder that holds some.")
    known = beside.union(fitting)
    found = Found(source, wanted, fitting, [file for file in files if file not in known])
    if wanted.at_any_place:
        _refuse_compressed(found)
    return found


_NAMED = 3
"""The most files that are named."""


def described(found: Found) -> dict[str, Any]:
    """What a source was found to be, and `line`: the same for people."""
    path, others = found.source.path, found.passed_over
    names = [os.path.relpath(file.name, path) if os.path.isdir(path) else os.path.basename(file.name) for file in others[:_NAMED]]
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    passed = f"; passed over: {', '.join(names)}{more}" if others else ""
    files = f"{len(found.files):,} {found.kind.name} file{'' if len(found.files) == 1 else 's'}"
    said = {"path": path, "kind": found.kind.name, "files": len(found.files), "passed_over": len(others)}
    return {**said, "line": f"{path}, {files}{passed}"}


def _refuse_compressed(found: Found) -> None:
    """What is read at any place cannot be compressed as a whole. The content alone does not tell: any two bytes may be a token."""
    for file in found.files:
        if file.name.lower().endswith(_COMPRESSIONS) and file.is_compressed:
            raise Problem(
                "data_kind",
                f"{file.name} is compressed, and files of the kind {found.kind.name} are read at any place.",
                "Decompress it: gunzip, or zstd -d.",
            )


def _kind_of(file: File) -> Kind:
    """By the end of the name, else by the beginning of the content."""
    name = file.name.lower()
    for compression in _COMPRESSIONS:
        name = name.removesuffix(compression)
    name = _SHARD.sub("", name)
    for kind in KINDS.values():
        if name.endswith(kind.suffixes):
            return kind
    if file.is_remote:
        return TEXT
    with file.open() as stream:
        head = stream.read(8)
    return next((kind for kind in KINDS.values() if kind.magic is not None and head.startswith(kind.magic)), TEXT)
