"""A server that verifies, prints and executes programs for TypeScript: `evaluate`, and the tests.

One process serves several clients on a Unix socket, so that jax is imported once for a whole test run.
"""

from __future__ import annotations

import base64
import gc
import hashlib
import os
import runpy
import socketserver
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from . import pjrt
from .dtypes import from_numpy
from .errors import Problem, from_exception
from .wire import read_frame, write_frame

Method = Callable[[dict[str, Any], list[np.ndarray]], tuple[Any, list[np.ndarray]]]

# Bounds the memory of a long test run, in which nearly every program runs once.
_KEPT_EXECUTABLES = 256
# Each function that XLA compiles for a CPU is a few memory mappings, of which Linux grants a process 65,530
# (vm.max_map_count); beyond them LLVM can allocate no code, and the process crashes. A call adds a few hundred.
kept_mappings = 16_000
_CALLS_PER_COUNT = 16


def serve(socket_path: Path, plugins: list[Path]) -> None:
    """Serves until standard input ends, as it does when the parent process is gone however it went."""
    methods = {**_METHODS}
    for plugin in plugins:
        methods.update(_load_plugin(plugin))
    socket_path.unlink(missing_ok=True)
    server = _Server(str(socket_path), _handler(methods))
    threading.Thread(target=_exit_with_parent, args=(socket_path,), daemon=True).start()
    server.serve_forever()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def _handler(methods: dict[str, Method]) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        rbufsize = wbufsize = 1 << 20

        def handle(self) -> None:
            try:
                while (frame := read_frame(self.rfile)) is not None:
                    answer, tensors = _answer(methods, *frame)
                    write_frame(self.wfile, answer, tensors)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client is gone; nobody is left to tell

    return Handler


def _answer(
    methods: dict[str, Method], header: dict[str, Any], tensors: list[np.ndarray]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    identity = {"id": header.get("id")}
    try:
        method = methods.get(header.get("method", ""))
        if method is None:
            known = ", ".join(sorted(methods))
            raise Problem("method", f"There is no method `{header.get('method')}`.", f"Known: {known}.")
        result, outputs = method(header.get("params", {}), tensors)
        return {**identity, "result": result}, outputs
    except Exception as error:
        return {**identity, "error": from_exception(error).as_json()}, []
    finally:
        if next(_calls) % _CALLS_PER_COUNT == 0 and _mappings() > kept_mappings:
            _release_code()


def _mappings() -> int:
    """Memory mappings of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            return sum(1 for _ in maps)
    except OSError:
        return 0


def _release_code() -> None:
    """Frees all compiled programs, those of the plugins' `jax.jit` too; what runs now keeps its own."""
    with _executables_lock:
        _executables.clear()
    pjrt.clear_caches()
    gc.collect()


def _exit_with_parent(socket_path: Path) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    socket_path.unlink(missing_ok=True)
    os._exit(0)


def _load_plugin(path: Path) -> dict[str, Method]:
    if not path.is_file():
        raise Problem("plugin", f"There is no plugin file {path}.")
    sys.path.insert(0, str(path.parent))  # a plugin may import what stands beside it
    methods = runpy.run_path(str(path)).get("METHODS")
    if not isinstance(methods, dict):
        raise Problem("plugin", f"{path} defines no METHODS dictionary.")
    return methods


_calls = count(1)
_executables: OrderedDict[str, pjrt.Executable] = OrderedDict()
_executables_lock = threading.Lock()


def _executable(params: dict[str, Any]) -> pjrt.Executable:
    text = params["text"]
    options = base64.b64decode(params["options"]) if params.get("options") else None
    key = hashlib.sha256(text.encode() + b"\0" + (options or b"")).hexdigest()
    with _executables_lock:
        if (found := _executables.get(key)) is not None:
            _executables.move_to_end(key)
            return found
    compiled = pjrt.compile_program(text, options)
    with _executables_lock:
        _executables[key] = compiled
        while len(_executables) > _KEPT_EXECUTABLES:
            _executables.popitem(last=False)
    return compiled


def check_arguments(expected: tuple[pjrt.TensorType, ...], tensors: list[np.ndarray]) -> None:
    """Refuses arguments that differ from a program's in number, shape or element type."""
    given = [pjrt.TensorType(tensor.shape, from_numpy(tensor.dtype)) for tensor in tensors]
    if len(given) != len(expected):
        raise Problem("arguments", f"The program takes {len(expected)} tensors, {len(given)} were given.")
    for index, (want, have) in enumerate(zip(expected, given, strict=True)):
        if want != have:
            raise Problem("arguments", f"Argument {index}: the program takes tensor<{want}>, tensor<{have}> was given.")


def _verify(params: dict[str, Any], _: list[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    diagnostics = pjrt.verify(params["text"])
    return {"valid": diagnostics is None, "diagnostics": diagnostics or ""}, []


def _canonical(params: dict[str, Any], _: list[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    return {"text": pjrt.canonical(params["text"], bool(params.get("debug")))}, []


def _execute(params: dict[str, Any], tensors: list[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    executable = _executable(params)
    check_arguments(executable.inputs, tensors)
    results = pjrt.execute(executable, [pjrt.to_device(tensor) for tensor in tensors])
    return {}, [np.asarray(result) for result in results]


def _hlo(params: dict[str, Any], _: list[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    executable = _executable(params)
    return {"text": pjrt.optimized_hlo(executable), "memory": pjrt.memory(executable)}, []


def _ping(_params: dict[str, Any], tensors: list[np.ndarray]) -> tuple[Any, list[np.ndarray]]:
    return {"versions": pjrt.versions(), "devices": pjrt.devices()}, tensors


_METHODS: dict[str, Method] = {
    "verify": _verify,
    "canonical": _canonical,
    "execute": _execute,
    "hlo": _hlo,
    "ping": _ping,
}
