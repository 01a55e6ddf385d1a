"""One training at a time in a run's folder: a file there says which process trains."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from .errors import Problem

_BEAT_SECONDS = 5.0
_PATIENCE_SECONDS = 4 * _BEAT_SECONDS
"""How long another host's lock is watched: if nothing moves in it, that host's process is gone."""


class RunLock:
    """Holds a run's folder. Raises Problem when another process that lives trains there.

    On this host that is seen by the process's number and start; of another host's process the file is rewritten every few seconds.
    """

    def __init__(self, run: Path) -> None:
        self._path = run / "training.lock"
        self._owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started": psutil.Process().create_time(),
        }
        self._beats = 0
        self._released = threading.Event()

    def __enter__(self) -> RunLock:
        while not self._create():
            held = self._read()
            if held is not None and self._lives(held):
                raise Problem(
                    "run_busy",
                    f"Another training is under way in {self._path.parent}: process {held['pid']} on {held['host']}.",
                    f"Wait for it or stop it, or give another folder. ({self._path} says so; it goes with that process.)",
                )
            self._path.unlink(missing_ok=True)
        threading.Thread(target=self._beat, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._released.set()
        held = self._read()
        if held is not None and self._same(held):
            self._path.unlink(missing_ok=True)

    def _create(self) -> bool:
        try:
            with self._path.open("x") as stream:
                stream.write(self._text())
            return True
        except FileExistsError:
            return False

    def _text(self) -> str:
        return json.dumps({**self._owner, "beat": self._beats}) + "\n"

    def _same(self, held: dict[str, Any]) -> bool:
        return all(held.get(key) == value for key, value in self._owner.items())

    def _lives(self, held: dict[str, Any]) -> bool:
        if held["host"] == self._owner["host"]:
            try:
                return abs(psutil.Process(held["pid"]).create_time() - held["started"]) < 1
            except psutil.Error:
                return False
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            time.sleep(_BEAT_SECONDS / 5)
            now = self._read()
            if now != held:
                return now is not None
        return False

    def _read(self) -> dict[str, Any] | None:
        """What the file says; None: nothing that could be held against anybody."""
        try:
            held = json.loads(self._path.read_text())
            return held if {"pid", "host", "started"} <= held.keys() else None
        except (OSError, ValueError, AttributeError):
            return None

    def _beat(self) -> None:
        while not self._released.wait(_BEAT_SECONDS):
            self._beats += 1
            draft = self._path.with_suffix(f".{self._owner['pid']}")
            try:
                draft.write_text(self._text())
                if not self._released.is_set():
                    draft.replace(self._path)
                draft.unlink(missing_ok=True)
            except OSError:  # a full disk is told by what writes more than this
                continue
