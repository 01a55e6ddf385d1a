"""What the tests of the data share: an artifact that is only a configuration and ports, and files of every kind."""

import gzip
import json
import struct
from pathlib import Path

import google_crc32c
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import zstandard
from array_record.python.array_record_module import ArrayRecordWriter
from webdataset import TarWriter

from xenarc_runtime.artifact import Artifact, Port, Program, TokenizerFiles

WIDTH = 17
LEAD = (2, 3)


def artifact(ports=("tokens",), vocabulary=256, width=WIDTH, validation=0.0, lead=LEAD, tokenizer="bytes", files=(), **data):
    """The part of an artifact that the data are read by."""

    def step(shape):
        axes = ("accumulation", "batch", "window")[-len(shape) :]
        inputs = tuple(Port(f"batch/{name}", "batch", axes, shape, "i32") for name in ports)
        return Program("step", "", b"", inputs, ())

    config = {"model": {"vocab": vocabulary}, "train": {"seed": 7}, "data": {"validation": validation, **data}}
    programs = {"train_step": step((*lead, width)), "eval_step": step((*lead[1:], width))}
    return Artifact(Path("a"), "model", "0", 0, config, (), programs, TokenizerFiles(tokenizer, dict(files)))


def batch(feed):
    """The next batch of a feed, whole, by the names of its ports without `batch/`."""
    ports = feed.next().ports
    return {name.rpartition("/")[2]: part((slice(None),) * 3) for name, part in ports.items()}


def texts(count, seed=0):
    """Different texts of 5 to 60 bytes, none the beginning of another."""
    random = np.random.default_rng(seed)
    return [f"{seed}-{number}:{'abcdé '[number % 6] * int(random.integers(1, 40))}." for number in range(count)]


def write_text(path, found):
    path.mkdir()
    for number, text in enumerate(found):
        (path / f"{number:04}.txt").write_text(text)
    return path


def write_jsonl(path, found):
    path.write_text("".join(json.dumps({"text": text, "n": n}) + "\n" for n, text in enumerate(found)))
    return path


def write_gzip(path, found):
    path.write_bytes(gzip.compress(write_jsonl(path, found).read_bytes(), mtime=0))
    return path


def write_zstd(path, found):
    path.write_bytes(zstandard.compress(write_jsonl(path, found).read_bytes()))
    return path


def write_parquet(path, found):
    pa.parquet.write_table(pa.table({"text": found, "n": list(range(len(found)))}), path, row_group_size=7)
    return path


def masked(data):
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32)


def write_tfrecord(path, found):
    """By the format's description; the examples are bytes of protobuf written out by hand."""

    def field(number, content):
        size, head = len(content), b""
        while size > 127:
            head, size = head + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + head + bytes([size]) + content

    with path.open("wb") as out:
        for text in found:
            feature = field(1, field(1, text.encode()))  # bytes_list { value }
            data = field(1, field(1, field(1, b"text") + field(2, feature)))
            size = struct.pack("<Q", len(data))
            out.write(size + masked(size) + data + masked(data))
    return path


def write_webdataset(path, found):
    with TarWriter(str(path)) as out:
        for number, text in enumerate(found):
            out.write({"__key__": f"a/{number:04}", "txt": text, "cls": number})
    return path


def write_hdf5(path, found):
    with h5py.File(path, "w") as out:
        out.create_dataset("text", data=found, dtype=h5py.string_dtype())
    return path


def write_arrayrecord(path, found):
    out = ArrayRecordWriter(str(path), "group_size:1")
    for text in found:
        out.write(json.dumps({"text": text}).encode())
    out.close()
    return path


def write_arrow(path, found):
    table = pa.table({"text": found})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as out:
        out.write_table(table, max_chunksize=9)
    return path


def write_json(path, found):
    path.write_text(json.dumps([{"text": text, "n": n} for n, text in enumerate(found)], indent=1))
    return path


def write_csv(path, found):
    pa.csv.write_csv(pa.table({"n": list(range(len(found))), "text": found}), path)
    return path


STREAMS = {
    "a.jsonl": write_jsonl,
    "a.jsonl.gz": write_gzip,
    "a.jsonl.zst": write_zstd,
    "a.tfrecord-00000-of-00001": write_tfrecord,
    "a.tar": write_webdataset,
}
TABLES = {
    "text": write_text,
    "a.parquet": write_parquet,
    "a.h5": write_hdf5,
    "a.array_record": write_arrayrecord,
    "a.arrow": write_arrow,
    "a.json": write_json,
    "a.csv": write_csv,
}
"""How files of every kind are written, by a name that tells the kind."""
