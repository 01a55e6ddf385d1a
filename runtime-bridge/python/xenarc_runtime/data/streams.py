"""Formats that are read from beginning to end: JSON lines, TFRecord, WebDataset's tar shards.

A reader gives `(end, payload)` for every record of a stream that stands at the byte `start`: `end` is where the next one begins, so that
reading can go on there. A record that is broken is an Unreadable in its place, one that is none is None; what cannot be read past is raised.
Nothing is believed of a length before as many bytes have come.
"""

from __future__ import annotations

import json
import struct
import tarfile
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

import google_crc32c
import numpy as np

from .files import Unreadable, conversion

Payload = Any
Records = Iterator[tuple[int, Payload]]

LONGEST = 1 << 28
"""Bytes of the longest record: what is longer is a mistake."""
_PIECE = 1 << 20


def _read(stream: BinaryIO, size: int, what: str) -> bytes:
    """Exactly so many bytes, piece by piece."""
    if size > LONGEST:
        raise Unreadable(f"{what} says it has {size:,} bytes, which is too long for a record")
    pieces, left = [], size
    while left > 0:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise Unreadable(f"the file ends within {what}")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def json_lines(stream: BinaryIO, start: int) -> Records:
    """The lines, as bytes; None for those that are empty."""
    end = start
    while line := stream.readline(LONGEST):
        end += len(line)
        if len(line) == LONGEST:
            raise Unreadable(f"a line is longer than {LONGEST:,} bytes")
        yield end, None if line.isspace() else line


def parse_json(line: bytes) -> Any:
    """A line's value."""
    try:
        return json.loads(line)
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 ({error.reason} at byte {error.start:,})", conversion(line)) from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON ({error})") from None


def tfrecords(stream: BinaryIO, start: int) -> Records:
    """The records as bytes: length, checksum of the length, data, checksum of the data."""
    end = start
    while head := stream.read(8):
        if len(head) < 8:
            raise Unreadable("the file ends within a record's length")
        (size,) = struct.unpack("<Q", head)
        (check,) = struct.unpack("<I", _read(stream, 4, "a record's length"))
        if check != masked_crc(head):
            raise Unreadable("the checksum of a record's length does not agree: this is no TFRecord file, or it is damaged")
        data = _read(stream, size, "a record")
        (check,) = struct.unpack("<I", _read(stream, 4, "a record's checksum"))
        end += 16 + size
        yield end, data if check == masked_crc(data) else Unreadable("its checksum does not agree")


def masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and shifted as TFRecord has it."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def parse_example(data: bytes) -> dict[str, Any]:
    """The features of a serialized tf.train.Example: lists of bytes or of numbers."""
    from google.protobuf.message import DecodeError

    try:
        example = _example_type().FromString(data)
    except DecodeError as error:
        raise Unreadable(f"it is no tf.train.Example ({error})") from None
    found = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        found[name] = list(getattr(feature, kind).value) if kind else []
    return found


def example(**features: np.ndarray) -> bytes:
    """A serialized tf.train.Example of lists of whole numbers."""
    made = _example_type()()
    for name, values in features.items():
        made.features.feature[name].int64_list.value.extend(values.tolist())
    return made.SerializeToString()


@cache
def _example_type() -> Any:
    """tf.train.Example, by its definition in TensorFlow's example.proto and feature.proto."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="xenarc/example.proto", package="xenarc", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, str, bool]) -> descriptor_pb2.DescriptorProto:
        made = file.message_type.add(name=name)
        for name_, number, kind, of, repeated in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            made.field.add(name=name_, number=number, type=kind, type_name=of or None, label=label)
        return made

    message("BytesList", ("value", 1, field.TYPE_BYTES, "", True))
    message("FloatList", ("value", 1, field.TYPE_FLOAT, "", True))
    message("Int64List", ("value", 1, field.TYPE_INT64, "", True))
    lists = [("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List")]
    feature = message("Feature", *((n, i, field.TYPE_MESSAGE, f".xenarc.{t}", False) for i, (n, t) in enumerate(lists, 1)))
    feature.oneof_decl.add(name="kind")
    for each in feature.field:
        each.oneof_index = 0
    features = message("Features", ("feature", 1, field.TYPE_MESSAGE, ".xenarc.Features.FeatureEntry", True))
    entry = features.nested_type.add(name="FeatureEntry", options=descriptor_pb2.MessageOptions(map_entry=True))
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=field.TYPE_MESSAGE, type_name=".xenarc.Feature", label=field.LABEL_OPTIONAL
    )
    message("Example", ("features", 1, field.TYPE_MESSAGE, ".xenarc.Features", False))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("xenarc.Example"))


_BLOCK = tarfile.BLOCKSIZE


def tar_samples(stream: BinaryIO, start: int) -> Records:
    """WebDataset's samples: neighbouring members with the same name up to the first dot of its last part, by what comes after it.

    Members are read into memory and never written anywhere; names that would lead out of a folder, links and devices are
    refused all the same.
    """
    from webdataset.tariterators import base_plus_ext

    key, sample, end = None, {}, start
    for member, name, at, following in _members(stream, start):
        base, extension = (name, "") if isinstance(member, Unreadable) else base_plus_ext(name)
        if base is None:
            continue  # a file without an extension belongs to no sample
        if base != key:
            if sample:
                yield at, _whole(sample)
            key, sample = base, {}
        sample[extension] = member
        end = following
    if sample:
        yield end, _whole(sample)


def _whole(sample: dict[str, bytes | Unreadable]) -> Payload:
    broken = [member for member in sample.values() if isinstance(member, Unreadable)]
    return broken[0] if broken else sample


def _members(stream: BinaryIO, start: int) -> Iterator[tuple[bytes | Unreadable, str, int, int]]:
    """Content, name, first byte, and the byte after it, of every file in a tar archive."""
    at, position = start, start
    longer: dict[str, str] = {}
    while block := stream.read(_BLOCK):
        if len(block) < _BLOCK:
            raise Unreadable("the archive ends within a member's header")
        position += _BLOCK
        if not block.strip(b"\0"):
            return  # the end has a mark
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise Unreadable(f"a member's header is broken ({error})") from None
        size = info.size
        if info.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
            longer |= _longer(info.type, _padded(stream, size))
            position += -(-size // _BLOCK) * _BLOCK
            continue
        name = longer.get("path", info.name)
        if longer.get("size", "").isdecimal():
            size = int(longer["size"])
        longer = {}
        data = _padded(stream, size) if info.isreg() else b""
        position += -(-size // _BLOCK) * _BLOCK if info.isreg() else 0
        if ".." in name.split("/") or name.startswith("/"):
            yield Unreadable(f"its member {name} would lead out of a folder"), name, at, position
        elif info.isreg():
            yield data, name, at, position
        elif not info.isdir():
            yield Unreadable(f"its member {name} is a link or a device"), name, at, position
        at = position
    raise Unreadable("the archive ends without the mark of its end")


def _padded(stream: BinaryIO, size: int) -> bytes:
    """A member's content; what fills its last block is dropped."""
    data = _read(stream, size, "a member")
    _read(stream, -size % _BLOCK, "a member")
    return data


def _longer(kind: bytes, data: bytes) -> dict[str, str]:
    """What comes before a member whose header is too small for it: GNU's long name, or POSIX's records `length key=value`."""
    if kind == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    found = {}
    while kind == tarfile.XHDTYPE and data.strip(b"\0"):
        length, _, rest = data.partition(b" ")
        if not length.isdigit() or not len(length) + 1 < int(length) <= len(data):
            raise Unreadable("a member's extended header is broken")
        record = data[len(length) + 1 : int(length)]
        name, _, value = record.rstrip(b"\n").partition(b"=")
        found[name.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        data = data[int(length) :]
    return found


def parse_sample(sample: dict[str, bytes]) -> dict[str, Any]:
    """A sample's parts by their extensions, as text where they are; the values of a `.json` are added by their names."""
    found: dict[str, Any] = {}
    for extension, data in sample.items():
        if extension.rpartition(".")[2] != "json":
            found[extension] = data
            continue
        value = parse_json(data)
        found |= value if isinstance(value, dict) else {extension: value}
    return found
