"""Where data lie: local paths, globs, folders, and URLs through fsspec."""

from __future__ import annotations

import codecs
import glob
import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import fsspec
import pyarrow as pa

from ..errors import Problem, first_lines, sentence

_SAMPLED = 1 << 16
_SAMPLES = 16
"""So many bytes at so many places of a file, the ends among them, stand for its content."""

# Folders that hold other people's text, or none.
_SKIPPED_FOLDERS = {"node_modules", "__pycache__"}

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed files begin."""


class Unreadable(Exception):
    """A file that ends too early, or is not what it says; `hint` says what to do about it."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True)
class File:
    """One file, local or remote."""

    name: str
    """A path or a URL, as it is said to people."""

    @property
    def is_remote(self) -> bool:
        """Whether it is reached through fsspec."""
        return "://" in self.name

    def open(self) -> BinaryIO:
        """The file's bytes, at any position."""
        if not self.is_remote:
            return open(self.name, "rb")
        filesystem, path = _filesystem(self.name)
        with _Reach(self.name):
            return filesystem.open(path, "rb")

    @property
    def is_compressed(self) -> bool:
        """Whether what `stream` gives is not what is stored."""
        with self.open() as raw:
            return _codec(raw) is not None

    def stream(self, start: int = 0) -> BinaryIO:
        """What the file holds from byte `start` on, decompressed if it is compressed: then all before is read too."""
        raw = self.open()
        codec = _codec(raw)
        raw.seek(start if codec is None else 0)
        if codec is None:
            return raw
        stream = io.BufferedReader(_Decompressed(raw, codec), 1 << 16)
        for left in range(start, 0, -_SAMPLED):
            stream.read(min(left, _SAMPLED))
        return stream

    def local(self) -> str:
        """A path for what can read local files only; a remote file is copied, once for this process."""
        if not self.is_remote:
            return self.name
        _filesystem(self.name)
        with _Reach(self.name):
            return fsspec.open_local(f"simplecache::{self.name}")

    def size(self) -> int:
        """Bytes."""
        if not self.is_remote:
            return os.path.getsize(self.name)
        filesystem, path = _filesystem(self.name)
        with _Reach(self.name):
            return filesystem.size(path)

    def print(self, whole: bool = False) -> bytes:
        """SHA-256 of the size and of the content, of which samples are taken if it is long and not wanted `whole`."""
        size = self.size()
        # Each place of a remote file is a request.
        samples = 2 if self.is_remote else _SAMPLES
        last = max(0, size - _SAMPLED)
        digest = hashlib.sha256(f"{size} ".encode())
        with self.open() as stream:
            if whole or size <= samples * _SAMPLED:
                while block := stream.read(1 << 20):
                    digest.update(block)
                return digest.digest()
            for place in range(samples):
                stream.seek(last * place // (samples - 1))
                digest.update(stream.read(_SAMPLED))
        return digest.digest()


def _codec(raw: BinaryIO) -> str | None:
    """How a file is compressed, by its first bytes."""
    head = raw.read(4)
    return next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), None)


def fingerprint(files: list[File]) -> str:
    """SHA-256 of what tells files from others."""
    return hashlib.sha256(b"".join(file.print() for file in files)).hexdigest()


def find(path: str) -> list[File]:
    """The files that a path, a glob or a URL names, in the order of their names. Raises Problem where there is none."""
    if "://" in path:
        filesystem, inside = _filesystem(path)
        with _Reach(path):
            names = filesystem.glob(inside) if glob.has_magic(inside) else filesystem.find(inside)
        found = [filesystem.unstrip_protocol(name) for name in names if not Path(name).name.startswith(".")]
    elif glob.has_magic(path) and not os.path.exists(path):
        found = [name for name in glob.glob(path, recursive=True) if os.path.isfile(name)]
    elif os.path.isdir(path):
        found = [str(file) for file in _walk(Path(path))]
    else:
        found = [path] if os.path.isfile(path) else []
    if not found:
        if os.path.isdir(path):
            raise Problem("data_empty", f"There is no file in {path}.", "Give a folder that holds some.")
        hint = "Name a UTF-8 file, a folder, a glob such as data/*.jsonl, or a URL."
        raise Problem("data_missing", f"There is no file or folder {path}.", hint)
    return [File(name) for name in sorted(found)]


def _walk(path: Path) -> list[Path]:
    """Every file below a folder, in the order of their paths."""
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED_FOLDERS]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file())


def _filesystem(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    scheme = url.partition("://")[0]
    try:
        return fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = {"gs": "gcsfs", "gcs": "gcsfs", "s3": "s3fs"}.get(scheme)
        hint = f"Install {package} into the Python environment of the runtime." if package else ""
        raise Problem("data_protocol", f"{scheme}:// needs a package: {sentence(str(error))}", hint) from None
    except ValueError as error:
        raise Problem("data_protocol", f"{url}: {sentence(str(error))}", "fsspec knows file://, gs://, s3://, ...") from None
    except Exception as error:
        raise _unreachable(url, error) from None


class _Reach:
    """Says where a filesystem's errors come from; each has its own kinds of them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Problem):
            raise _unreachable(self._url, error) from None


def _unreachable(url: str, error: Exception) -> Problem:
    said = first_lines(str(error), 2) or type(error).__name__
    return Problem("data_missing", f"{url} cannot be read: {sentence(said)}", "Check the URL and the rights to read it.")


def bad_file(file: File, error: Exception) -> Problem:
    """What is wrong with a file as a whole."""
    if isinstance(error, Problem):
        return error
    hint = isinstance(error, Unreadable) and error.hint
    return Problem("data_file", f"{file.name} cannot be read: {sentence(said(error))}", hint or "Mend it, or leave it out.")


def conversion(head: bytes) -> str:
    """How a text that is not UTF-8 and begins so is made UTF-8."""
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "latin1"
    return f"Convert it (iconv -f {encoding} -t utf-8), or leave it out."


def said(error: Exception) -> str:
    """What is wrong with something that was read, in a line."""
    text = first_lines(str(error), 1)
    return text if isinstance(error, (Unreadable, Problem)) and text else f"{type(error).__name__}: {text}"


class _Decompressed(io.RawIOBase):
    """A compressed stream by Arrow, which notices when it is cut short."""

    def __init__(self, raw: BinaryIO, codec: str) -> None:
        self._raw = raw
        self._stream = pa.CompressedInputStream(pa.PythonFile(raw, "r"), codec)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        try:
            data = self._stream.read(len(buffer))
        except (OSError, pa.ArrowException) as error:
            raise Unreadable(first_lines(str(error), 1)) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
