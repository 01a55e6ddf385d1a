"""Tokenizes data ahead of training: shards of token ids, and an index that says what they hold and how far the work is.

What is written is a function of the data, the tokenizer and the size of a shard alone. After each shard the index is
written anew, with the position of the next record, so work that was ended at any moment goes on from its last shard.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .. import events
from ..errors import Problem
from ..tokenizer import Tokenizer
from .reading import Item, Reader, text_of
from .settings import SourceSettings
from .shards import Shard

INDEX = "index.json"
_BATCH_CHARACTERS = 1 << 21
_BATCH_RECORDS = 1024
_PROGRESS_SECONDS = 0.5


@dataclass(frozen=True)
class Work:
    """What is tokenized, and into what."""

    sources: tuple[SourceSettings, ...]
    tokenizer: Tokenizer
    tokenizer_name: str
    folder: Path
    format: str
    shard_tokens: int
    skip_bad: bool


def pretokenize(work: Work) -> None:
    """Emits `working` events and one `tokenized` event at the end."""
    started = time.monotonic()
    reader = Reader(work.sources, work.skip_bad, work.tokenizer)
    tokenizer = work.tokenizer
    dtype = np.dtype(np.uint16 if tokenizer.vocab_size <= 1 << 16 else np.uint32)
    index = _begin(work, reader, dtype)
    if index["complete"]:
        events.emit("log", level="info", message=f"All of it is in {work.folder} already.")
    else:
        _write(work, reader, dtype, index)
    events.emit(
        "tokenized",
        path=str(work.folder),
        format=work.format,
        dtype=dtype.name,
        shards=len(index["shards"]),
        documents=index["documents"],
        tokens=index["tokens"],
        bad=index["bad"],
        seconds=round(time.monotonic() - started, 3),
    )


def _write(work: Work, reader: Reader, dtype: np.dtype, index: dict[str, Any]) -> None:
    shard: Shard | None = None
    bad, item, last = 0, None, 0.0
    end = work.tokenizer.ending()

    def finish(after: Any, complete: bool) -> None:
        nonlocal shard, bad
        if shard is not None:
            entry = shard.finish()
            index["shards"].append(entry)
            for name in ("tokens", "documents"):
                index[name] += entry[name]
        index["bad"] += bad
        index["position"], index["complete"] = after, complete
        shard, bad = None, 0
        _save(work.folder, index)

    try:
        for item, ids in _tokenized(reader, index["position"], work.tokenizer):
            if ids is None:
                bad += 1
                continue
            if shard is None:
                shard = Shard(work.folder, len(index["shards"]), work.format, dtype)
            has_end = not item.ends or np.array_equal(ids[ids.size - end.size :], end)
            shard.add(ids if has_end else np.append(ids, end), item.ends)
            if shard.tokens >= work.shard_tokens:
                finish(item.after, False)
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS:
                last = now
                tokens = index["tokens"] + (shard.tokens if shard else 0)
                events.emit("working", done=(item.source + item.share) / len(work.sources), tokens=tokens)
        finish(None, True)
    finally:
        if shard is not None:
            shard.drop()
    if not index["shards"]:
        raise Problem("data_empty", "There is no record to tokenize.", "Look at the sources.")


def _tokenized(reader: Reader, position: Any, tokenizer: Tokenizer) -> Iterator[tuple[Item, np.ndarray | None]]:
    """Items from a position on with their ids; many are tokenized together, which the library does in parallel."""
    batch: list[Item] = []
    characters = 0

    def made() -> Iterator[tuple[Item, np.ndarray | None]]:
        texts = {number: text_of(item.value) for number, item in enumerate(batch) if item.value is not None}
        try:
            found = dict(zip(texts, tokenizer.encode_batch(list(texts.values()), special=False), strict=True))
        except Problem:  # one by one it is seen which of them it is about
            encode = partial(tokenizer.encode, special=False)
            found = {number: reader.attempt(batch[number], partial(encode, text)) for number, text in texts.items()}
        for number, item in enumerate(batch):
            ids = found.get(number)
            yield item, None if ids is None else tokenizer.around(ids, item.begins, item.ends)

    for item in reader.items(position):
        batch.append(item)
        characters += 0 if item.value is None else len(item.value)
        if characters >= _BATCH_CHARACTERS or len(batch) == _BATCH_RECORDS:
            yield from made()
            batch, characters = [], 0
    yield from made()


def _begin(work: Work, reader: Reader, dtype: np.dtype) -> dict[str, Any]:
    """The index to go on with; what a shard that was not finished left is gone."""
    folder = work.folder
    told = {
        "schema": 1,
        "format": work.format,
        "dtype": dtype.name,
        "tokenizer": work.tokenizer_name,
        "vocabulary": work.tokenizer.vocab_size,
        "tokenizer_sha256": work.tokenizer.fingerprint,
        "shard_tokens": work.shard_tokens,
        "sources": [
            {"path": source.path, "field": source.field, "sha256": print_}
            for source, print_ in zip(work.sources, reader.fingerprints(), strict=True)
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    fresh = {**told, "complete": False, "documents": 0, "tokens": 0, "bad": 0, "shards": [], "position": None}
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
    except FileNotFoundError:
        if any(not file.name.startswith(".") for file in folder.iterdir()):
            raise Problem("usage", f"{folder} is not empty.", "Give a new folder with --out.") from None
        index = fresh
        _save(folder, index)
    except ValueError as error:
        raise Problem("usage", f"{folder / INDEX} is damaged: {error}.", "Delete the folder, or give another.") from None
    different = [name for name, value in told.items() if index.get(name) != value]
    if different and not index.get("shards"):
        # Of what was begun there is nothing.
        index = fresh
        _save(folder, index)
    elif different:
        raise Problem(
            "usage",
            f"{folder} holds other data, as `{different[0]}` in its {INDEX} says.",
            "Give another folder with --out, or delete this one.",
        )
    for file in folder.glob(".tokens-*"):
        file.unlink()
    return index


def _save(folder: Path, index: dict[str, Any]) -> None:
    draft = folder / f".{INDEX}"
    with open(draft, "w", encoding="utf-8") as stream:
        json.dump(index, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(folder / INDEX)
