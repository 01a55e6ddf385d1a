"""The kinds of data: how a file's kind is told, and what reads it. A new format is a line in KINDS."""

from __future__ import annotations

import os
import re
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


TEXT = Kind("text", (), table=tables.TextFile)

KINDS = {
    kind.name: kind
    for kind in (
        TEXT,
        Kind("jsonl", (".jsonl", ".ndjson"), stream=streams.json_lines, parse=streams.parse_json),
        Kind("parquet", (".parquet",), b"PAR1", table=tables.Parquet),
        Kind("tfrecord", (".tfrecord", ".tfrecords"), stream=streams.tfrecords, parse=streams.parse_example),
        Kind("webdataset", (".tar", ".tgz"), stream=streams.tar_samples, parse=streams.parse_sample),
        Kind("hdf5", (".h5", ".hdf5"), b"\x89HDF\r\n\x1a\n", table=tables.Hdf5),
        Kind("arrayrecord", (".array_record", ".arrayrecord"), table=tables.ArrayRecord),
        Kind("arrow", (".arrow",), b"ARROW1", table=tables.Arrow),
        Kind("bin", (".bin",)),
    )
}

_SHARD = re.compile(r"-\d+-of-\d+$")
_COMPRESSIONS = (".gz", ".zst")
_SAVED_BESIDE = ("dataset_info.json", "state.json")
"""What Hugging Face `datasets` saves beside Arrow files, of which there may be one alone."""


@dataclass(frozen=True)
class Found:
    """The files of a source."""

    source: SourceSettings
    kind: Kind
    files: list[File]


def find_source(source: SourceSettings) -> Found:
    """The files of a source, in the order of their names. Raises Problem where there are none.

    A folder that Hugging Face `datasets` has saved is its Arrow files, those of its split `train` where it has splits. Of
    another folder whose files are for the most part of one kind, these are taken; else it is a folder of text, of which what is no
    text is passed over.
    """
    path = source.path
    if os.path.isfile(os.path.join(path, "dataset_dict.json")):
        path = os.path.join(path, "train")
    is_saved = all(os.path.isfile(os.path.join(path, name)) for name in _SAVED_BESIDE)
    files = find(path)
    told = [_kind_of(file) for file in files]
    name = source.kind or ("arrow" if is_saved else None)
    wanted = _of_most(told) if name is None else KINDS[name]
    fitting = [file for file, kind in zip(files, told, strict=True) if kind is wanted]
    if wanted is TEXT and os.path.isdir(path):
        files = [file for file in files if not is_binary(file)]
        if not files:
            raise Problem("data_empty", f"There is no text in {path}.", "Give a UTF-8 file, or a folder that holds some.")
    found = Found(source, wanted, fitting if fitting and wanted is not TEXT else files)
    if wanted.stream is None and wanted is not TEXT:
        _refuse_compressed(found)
    return found


def _refuse_compressed(found: Found) -> None:
    """What is read at any place cannot be compressed as a whole. The content alone does not tell: any two bytes may be a token."""
    for file in found.files:
        if file.name.lower().endswith(_COMPRESSIONS) and file.is_compressed:
            raise Problem(
                "data_kind",
                f"{file.name} is compressed, and files of the kind {found.kind.name} are read at any place.",
                "Decompress it: gunzip, or zstd -d.",
            )


def _of_most(told: list[Kind]) -> Kind:
    others = [kind for kind in told if kind is not TEXT]
    is_one = len(set(others)) == 1 and 2 * len(others) >= len(told)
    return others[0] if is_one else TEXT


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
