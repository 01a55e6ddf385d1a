"""Text to token ids and back: bytes, or any `tokenizer.json` by the library `tokenizers`.

`open` takes the tokenizer of an artifact, `read` one from its files. Both can be pickled: worker processes are given them.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from . import pieces
from .artifact import Artifact
from .errors import Problem, first_lines

# Work is shared among processes, each with its share of the processors; threads of the library's own would be too many.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


class Stream(ABC):
    """Text from tokens as they come. What is given out is whole characters, and all of it together is the text."""

    @abstractmethod
    def add(self, token: int) -> str:
        """Takes the next token; the text that is certain now."""

    @abstractmethod
    def finish(self) -> str:
        """What was held back: an incomplete character becomes U+FFFD."""


class Tokenizer(ABC):
    """Between text and the ids from 0 to `vocab_size` - 1; `bos`, `eos` and `pad` are None where there is none."""

    vocab_size: int
    bos: int | None = None
    eos: int | None = None
    pad: int | None = None
    special: Mapping[str, str]
    """Special tokens as text by their names: `bos_token`, `eos_token`, ...; what chat templates know."""
    template: str | None = None
    """The chat template, in Jinja."""
    fingerprint: str
    """SHA-256 of its files."""
    unit = "tokens"
    """What ids are called when they are counted."""

    @property
    def dtype(self) -> np.dtype:
        """The smallest unsigned type that holds every id."""
        return np.dtype(np.min_scalar_type(self.vocab_size - 1))

    def ending(self) -> np.ndarray:
        """What is put after a document: the token that ends texts, else a line feed."""
        return self.encode("\n", special=False) if self.eos is None else np.array([self.eos], self.dtype)

    def encode(self, text: str, special: bool = True) -> np.ndarray:
        """The ids of a text; with `special`, in what the tokenizer puts around every text. Raises Problem."""
        return self.encode_batch([text], special)[0]

    @abstractmethod
    def encode_batch(self, texts: Sequence[str], special: bool = True) -> list[np.ndarray]:
        """`encode` of each."""

    def encode_piece(self, text: str, begins: bool, ends: bool) -> np.ndarray:
        """The ids of a piece of a text, in what is put before the text if it begins there, and after it if it ends there."""
        return self.around(self.encode(text, special=False), begins, ends)

    def around(self, ids: np.ndarray, begins: bool = True, ends: bool = True) -> np.ndarray:
        """Ids in what the tokenizer puts before every text, and after it."""
        return ids

    @abstractmethod
    def encode_spans(
        self, text: str, spans: Sequence[tuple[int, int]], special: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """`encode`, and 1 (u8) for each token that has a character of one of `spans` (first, and after the last), else 0."""

    @abstractmethod
    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        """The text of ids; special tokens are left out unless `special`, and what is no UTF-8 is U+FFFD."""

    @abstractmethod
    def stream(self) -> Stream:
        """A decoder for tokens that come one by one."""


def open(artifact: Artifact) -> Tokenizer:  # noqa: A001 - `tokenizer.open` reads well
    """The tokenizer that an artifact was compiled with."""
    return _make(artifact.tokenizer.kind, artifact.tokenizer.files, str(artifact.folder))


def read(name: str) -> Tokenizer:
    """`bytes`, or the tokenizer of a `tokenizer.json` and the files beside it. Raises Problem."""
    if name == "bytes":
        return BYTES
    file = Path(name)
    if not file.is_file():
        raise Problem("tokenizer", f"There is no tokenizer {name}: no such file.", "Give the path of a tokenizer.json.")
    beside = {other: file.parent / other for other in _FILES[1:]}
    files = {other: path.read_bytes() for other, path in beside.items() if path.is_file()}
    return _make("json", {_FILES[0]: file.read_bytes(), **files}, str(file.parent))


def _make(kind: str, files: Mapping[str, bytes], where: str) -> Tokenizer:
    kinds = {"characters": Characters, "json": Library}
    made = Bytes() if kind == "bytes" else kinds[kind](files, where)
    if files:
        made.fingerprint = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    if "chat_template.jinja" in files:
        made.template = files["chat_template.jinja"].decode("utf-8")
    return made


class Bytes(Tokenizer):
    """The bytes of UTF-8; text from a command line may hold bytes that are none, as surrogates."""

    vocab_size = 256
    unit = "bytes"
    special: Mapping[str, str] = {}
    fingerprint = hashlib.sha256(b"bytes").hexdigest()

    def encode_batch(self, texts: Sequence[str], special: bool = True) -> list[np.ndarray]:
        try:
            return [np.frombuffer(text.encode("utf-8", errors="surrogateescape"), np.uint8) for text in texts]
        except UnicodeEncodeError:
            raise _not_tokenized(_NOT_UNICODE) from None

    def encode_spans(
        self, text: str, spans: Sequence[tuple[int, int]], special: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        ids = self.encode(text)
        mask = np.zeros(ids.size, np.uint8)
        for start, end in spans:
            first = self.encode(text[:start]).size
            mask[first : first + self.encode(text[start:end]).size] = 1
        return ids, mask

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        return bytes(ids).decode("utf-8", errors="replace")

    def stream(self) -> Stream:
        return _ByteStream()


class _ByteStream(Stream):
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def add(self, token: int) -> str:
        return self._decoder.decode(bytes([token]))

    def finish(self) -> str:
        return self._decoder.decode(b"", final=True)


BYTES = Bytes()


class Library(Tokenizer):
    """A `tokenizer.json`; special tokens and the chat template are in the files beside it, by their usual names."""

    def __init__(self, files: Mapping[str, bytes], where: str) -> None:
        import tokenizers

        try:
            self._library = tokenizers.Tokenizer.from_str(files["tokenizer.json"].decode("utf-8"))
        except Exception as error:  # the library raises nothing narrower
            raise Problem(
                "tokenizer",
                f"The tokenizer.json in {where} cannot be used: {first_lines(str(error), 1)}.",
                "It may need another version of the library: pip show tokenizers.",
            ) from None
        # Files of encoders bring a length along, to which each text would be cut.
        self._library.no_truncation()
        self._library.no_padding()
        settings: dict[str, Any] = {}
        for name in ("special_tokens_map.json", "tokenizer_config.json"):
            settings.update(_json(files.get(name, b"{}"), f"{where}: {name}"))
        named = {key: value for key, value in settings.items() if key.endswith("_token")}
        texts = {key: value.get("content") if isinstance(value, dict) else value for key, value in named.items()}
        self.special = texts = {key: text for key, text in texts.items() if isinstance(text, str)}
        self.vocab_size = 1 + max(self._library.get_vocab(with_added_tokens=True).values(), default=-1)
        self.bos, self.eos, self.pad = (self._id(texts.get(f"{name}_token")) for name in ("bos", "eos", "pad"))
        self.template = _template(settings.get("chat_template"))

    def _id(self, text: str | None) -> int | None:
        return None if text is None else self._library.token_to_id(text)

    def encode_batch(self, texts: Sequence[str], special: bool = True) -> list[np.ndarray]:
        found = iter(_tokenized(self._library.encode_batch_fast, [text for text in texts if _is_short(text)], special))
        return [
            np.array(next(found).ids, self.dtype) if _is_short(text) else self._encode_long(text, special) for text in texts
        ]

    def _encode_long(self, text: str, special: bool) -> np.ndarray:
        ids = np.concatenate([self.encode(piece, special=False) for piece in pieces.of([text])])
        return self.around(ids) if special else ids

    def around(self, ids: np.ndarray, begins: bool = True, ends: bool = True) -> np.ndarray:
        before, after = self._put_around
        return np.concatenate([before if begins else before[:0], ids, after if ends else after[:0]])

    @cached_property
    def _put_around(self) -> tuple[np.ndarray, np.ndarray]:
        """What is put before a text, and after it: seen on any text that has a token."""
        encode = self._library.encode
        sample = next((text for text in ("a", *self._library.get_vocab()) if encode(text, add_special_tokens=False).ids), "")
        found = encode(sample)
        ids, own = np.array(found.ids, self.dtype), np.flatnonzero(np.array(found.special_tokens_mask) == 0)
        return (ids[: own[0]], ids[own[-1] + 1 :]) if own.size else (ids, ids[:0])

    def encode_spans(
        self, text: str, spans: Sequence[tuple[int, int]], special: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        (encoding,) = _tokenized(self._library.encode_batch, [text], special)
        mask = np.zeros(len(encoding.ids), np.uint8)
        places = np.array(encoding.offsets, np.int64).reshape(-1, 2)
        # Special tokens that the text does not have are nowhere.
        somewhere = places[:, 0] < places[:, 1]
        for start, end in spans:
            inside = np.flatnonzero(somewhere & (places[:, 1] > start) & (places[:, 0] < end))
            if inside.size:
                mask[inside[0] : inside[-1] + 1] = 1
        return np.array(encoding.ids, self.dtype), mask

    def decode(self, ids: Iterable[int], special: bool = False) -> str:
        return self._library.decode([int(i) for i in ids], skip_special_tokens=not special)

    def stream(self) -> Stream:
        return _LibraryStream(self)


class Characters(Library):
    """A vocabulary of single characters, from `characters`. One that it lacks is an error rather than left out."""

    def encode_batch(self, texts: Sequence[str], special: bool = True) -> list[np.ndarray]:
        found = super().encode_batch(texts, special)
        for text, ids in zip(texts, found, strict=True):
            if len(ids) != len(text):
                at = next(i for i, character in enumerate(text) if self._id(character) is None)
                raise Problem(
                    "tokenizer",
                    f"The character {text[at]!r} (U+{ord(text[at]):04X}, in {text[max(0, at - 20) : at + 20]!r}) is not in the"
                    f" vocabulary of {self.vocab_size:,} characters, which was made from the training text.",
                    "Leave it out, or train with data.tokenizer=bytes, which knows every text.",
                )
        return found


def unicode(text: str) -> str:
    """The text. Raises Problem for one that UTF-8 has no bytes for: JSON may name half a character."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise _not_tokenized(_NOT_UNICODE) from None
    return text


def characters(texts: Iterable[str]) -> str:
    """A `tokenizer.json` whose tokens are the characters of some texts, in the order of their code points."""
    import tokenizers

    found: set[str] = set()
    for text in texts:
        found.update(text)
    if not found:
        raise Problem("data_empty", "There is no text to make a vocabulary of.", "Give a text with --data.")
    # Pairs that are never merged: what is left of byte pair encoding is its first step.
    made = tokenizers.Tokenizer(tokenizers.models.BPE({character: i for i, character in enumerate(sorted(found))}, []))
    made.decoder = tokenizers.decoders.Fuse()
    return made.to_str(pretty=True)


class _LibraryStream(Stream):
    """Decodes what came since the last whole character together with what came before that, which decides about spaces."""

    def __init__(self, tokenizer: Library) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []
        self._since: list[int] = []

    def add(self, token: int) -> str:
        self._since.append(token)
        text = self._new()
        if text == "" or text.endswith("\ufffd"):
            return ""
        self._before, self._since = self._since, []
        return text

    def finish(self) -> str:
        text = self._new()
        self._before, self._since = [], []
        return text

    def _new(self) -> str:
        before = self._tokenizer.decode(self._before)
        return self._tokenizer.decode(self._before + self._since)[len(before) :]


def _is_short(text: str) -> bool:
    """Whether a text is tokenized at once. What the library says of a token takes a hundred bytes."""
    return len(text) <= pieces.SIZE


def _tokenized(encode: Callable[..., Any], texts: Sequence[str], special: bool) -> Any:
    try:
        return encode(list(texts), add_special_tokens=special)
    except Exception as error:  # the library raises nothing narrower
        is_unicode = not any("\ud800" <= character <= "\udfff" for text in texts for character in text)
        raise _not_tokenized(first_lines(str(error), 1) if is_unicode else _NOT_UNICODE) from None


_NOT_UNICODE = "it is not Unicode"


def _not_tokenized(why: str) -> Problem:
    return Problem("tokenizer", f"The text cannot be tokenized: {why}.")


def _json(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise Problem("tokenizer", f"{where} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise Problem("tokenizer", f"{where} holds no settings.", "Expected a JSON object.")
    return value


def _template(value: Any) -> str | None:
    """A template is text, or the one called `default` in a list of several."""
    if isinstance(value, list):
        by_name = {item.get("name"): item.get("template") for item in value if isinstance(item, dict)}
        value = by_name.get("default")
    return value if isinstance(value, str) else None
