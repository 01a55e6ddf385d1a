"""The processes that train one model together: how they find each other, stop together, and fail together.

Every process runs the same programs on its share of the devices. They meet through `jax.distributed`. One of them, the first,
speaks and writes for all. Whichever fails says why to the others, so that every host's log has the reason.
"""

from __future__ import annotations

import faulthandler
import itertools
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TextIO

from . import events, pjrt
from .errors import Problem

_FAILED = "xenarc/failed"
_LISTEN_SECONDS = 0.5
# What one process says must have reached the others before the process that keeps the message is gone.
_FAREWELL_SECONDS = 4 * _LISTEN_SECONDS
_DUMP_SECONDS = 10.0
_WATCH_SECONDS = 0.2

# How the words of XLA and jax begin when it is another process that is gone or stuck.
_LOST = ("Gloo", "Connection closed by peer", "Connection reset by peer", "CoordinationService", "DEADLINE_EXCEEDED")


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Joins the group that the arguments name, or that the environment does (Cloud TPU, GKE, SLURM, Open MPI); none: alone.

    Must come before anything asks for a device. Processes but the first are silent from here on, but for errors.
    """
    try:
        pjrt.join(coordinator, processes, process)
    except Problem:
        raise
    except Exception as error:
        raise Problem(
            "group",
            f"The processes did not find each other: {str(error).splitlines()[0]}",
            "All must be started within five minutes, and reach the first one's host and port.",
        ) from None
    if size() > 1:
        if not is_first():
            events.errors_only()
        threading.Thread(target=_listen, daemon=True).start()


def size() -> int:
    """How many processes there are."""
    return pjrt.process_count()


def rank() -> int:
    """Which of them this one is, from 0."""
    return pjrt.process_index()


def is_first() -> bool:
    """Whether this process speaks and writes for all."""
    return rank() == 0


def wait_for_all(what: str) -> None:
    """Returns when every process has come here."""
    if size() > 1:
        pjrt.barrier(f"xenarc/{what}")


_gathered = itertools.count()


def gather(what: str, said: str) -> list[str]:
    """What each process says, in the order of their ranks. All must call it, as often and in the same order."""
    key = f"xenarc/gather/{what}/{next(_gathered)}"
    pjrt.publish(f"{key}/{rank()}", said)
    pjrt.barrier(key)
    found = [pjrt.published(f"{key}/{number}") or "" for number in range(size())]
    pjrt.barrier(f"{key}/read")
    pjrt.forget(f"{key}/{rank()}")
    return found


_questions = itertools.count()
_thread = threading.local()


@contextmanager
def alone() -> Iterator[None]:
    """Within it this thread answers its questions itself: the other processes do not ask them."""
    _thread.alone = True
    try:
        yield
    finally:
        _thread.alone = False
_ANSWER_SECONDS = 3600.0


def from_first(answer: Callable[[], Any]) -> Any:
    """What the first process answers, as JSON, in every one; every process asks the same questions in the same order.

    Raises the first one's Problem in it; the others hear of it as of any other failure.
    """
    if size() == 1 or getattr(_thread, "alone", False):
        return answer()
    key = f"xenarc/answers/{next(_questions)}"
    if is_first():
        pjrt.publish(key, json.dumps(answer()))
    return json.loads(pjrt.await_published(key, _ANSWER_SECONDS))


def tell(what: str, text: str) -> None:
    """Says something of this process to the others, in place of what it said before; nobody waits."""
    pjrt.tell(f"xenarc/{what}", str(rank()), text)


def heard(what: str) -> dict[int, str]:
    """What processes have said by `tell`, by their numbers."""
    return {int(process): text for process, text in pjrt.told(f"xenarc/{what}").items()}


def fail(problem: Problem, code: int) -> NoReturn:
    """Ends this process with an error that the others are told; they end with the same."""
    if is_lost_peer(problem):
        # The others know better what happened: give them the time to say so.
        time.sleep(_FAREWELL_SECONDS)
    _end(problem, code, tell=not is_lost_peer(problem))


def is_lost_peer(problem: Problem) -> bool:
    """Whether a problem only says that another process is gone or stuck."""
    return problem.kind == "group"


def in_group_words(problem: Problem) -> Problem:
    """What XLA and jax say of a lost connection, in words; any other problem as it is."""
    if size() == 1 or not any(word in problem.message for word in _LOST):
        return problem
    return Problem(
        "group",
        f"Process {rank()} of {size()} lost the connection to another one.",
        "The other process's own error says why; go on from the last checkpoint with --resume.",
    )


_ending = threading.Lock()


def _end(problem: Problem, code: int, tell: bool) -> NoReturn:
    """Without the usual farewells: they would wait for processes that wait for this one."""
    with _ending:
        if tell:
            try:
                pjrt.publish(_FAILED, json.dumps({**problem.as_json(), "process": rank(), "code": code}))
            except Exception:  # the others are gone already
                pass
        with suppress(OSError):  # standard output may be a file on a disk that is full
            events.emit("error", **problem.as_json(), process=rank())
        if tell and is_first():
            time.sleep(_FAREWELL_SECONDS)
        sys.stderr.flush()
        os._exit(code)


_stacks: Callable[[], None] | None = None


def _listen() -> None:
    """Ends this process as soon as another one says that it failed."""
    while True:
        time.sleep(_LISTEN_SECONDS)
        try:
            said = pjrt.published(_FAILED)
        except Exception:  # the connection is gone: jax ends the process
            return
        if said is None:
            continue
        failed = json.loads(said)
        if failed["process"] == rank():
            return
        if failed["kind"] == "hang" and _stacks is not None:
            _stacks()
        with _ending:
            fields = {name: failed[name] for name in ("kind", "message", "hint", "process")}
            with suppress(OSError):
                events.emit("error", **fields)
            os._exit(failed["code"])


class Watchdog:
    """Ends the process when nothing has happened for too long, after writing every thread's stack to a file.

    The file is `stacks/process-RANK.txt` in the run's folder. 0 seconds: nobody watches.
    """

    def __init__(self, seconds: float, run: Path, code: int) -> None:
        self._seconds = seconds
        self._code = code
        self._path = run / "stacks" / f"process-{rank()}.txt"
        self._file: TextIO | None = None
        self._last = "training began"
        self._due = math.inf
        self._armed = 0.0
        self._closed = threading.Event()

    def __enter__(self) -> Watchdog:
        global _stacks
        if self._seconds > 0:
            self._path.parent.mkdir(exist_ok=True)
            self._file = self._path.open("w")
            _stacks = self.dump
            self.beat(self._last)
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the watch; a file without a stack in it goes."""
        global _stacks
        if self._file is None:
            return
        _stacks = None
        self._closed.set()
        faulthandler.cancel_dump_traceback_later()
        self._file.close()
        if self._path.stat().st_size == 0:
            self._path.unlink()
            with suppress(OSError):  # another process's file is there still
                self._path.parent.rmdir()

    def beat(self, what: str) -> None:
        """Something happened: `what`. The next thing must within the seconds."""
        now = time.monotonic()
        self._last, self._due = what, now + self._seconds
        if self._file is not None and now - self._armed > min(1.0, self._seconds / 4):
            self._armed = now
            # Python's own watchdog needs no Python to run: it is there for what holds the interpreter's lock.
            faulthandler.dump_traceback_later(self._seconds + _DUMP_SECONDS, file=self._file, exit=True)

    def rest(self) -> None:
        """What comes now may take as long as it will, until the next beat: XLA's compiler waits for nobody."""
        self._due = math.inf
        self._armed = 0.0
        faulthandler.cancel_dump_traceback_later()

    def clear_others(self) -> None:
        """Takes away the stacks of an earlier run in the folder. This group's own files are open."""
        own = {f"process-{number}.txt" for number in range(size())} if self._file else set()
        for path in self._path.parent.glob("process-*.txt"):
            if path.name not in own:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # there is none, or it is in use
            self._path.parent.rmdir()

    def dump(self) -> None:
        """Writes the stacks."""
        faulthandler.dump_traceback(file=self._file, all_threads=True)

    def _watch(self) -> None:
        while not self._closed.wait(_WATCH_SECONDS):
            if time.monotonic() < self._due:
                continue
            self.dump()
            problem = Problem(
                "hang",
                f"Nothing has happened for {self._seconds:g} s since {self._last}.",
                f"Where each process stood is in {self._path.parent}. If a step may take longer, "
                "give --watchdog more seconds (0 switches it off).",
            )
            _end(problem, self._code, tell=size() > 1)


@contextmanager
def stop_signal() -> Iterator[Callable[[int], bool]]:
    """Gives a function that says, when called before every step with its number, whether to stop there.

    SIGINT, SIGTERM and SIGHUP ask for it, and a reader of events that is gone. A group agrees on the step, by jax's
    protocol for preemption: SIGTERM in any process starts it, so the other signals become that one.
    """
    received: list[int] = []
    alone = size() == 1

    def note(number: int, _: object) -> None:
        received.append(number)
        if not alone:
            os.kill(os.getpid(), signal.SIGTERM)

    def stops_at(step: int) -> bool:
        if alone:
            return bool(received) or events.reader_gone()
        if events.reader_gone() and not received:
            note(signal.SIGHUP, None)
        return pjrt.agreed_to_stop(step)

    signals = [signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if alone:
        signals.append(signal.SIGTERM)
    before = {number: signal.signal(number, note) for number in signals}
    try:
        yield stops_at
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
