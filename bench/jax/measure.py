"""What every Python side of a bench shares: the line protocol, and what is to be said of a compiled program."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from hlo import moves


def serve(commands: dict[str, Callable[..., Any]]) -> None:
    """Answers each line `name argument...` of standard input with one line of JSON: what the command of that name
    returned. Says `{"ready": true}` first. The harness asks the two sides of a pair in turn, so that both meet the same
    state of the machine."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        if name == "quit":
            return
        print(json.dumps(commands[name](*arguments)), flush=True)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` took, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compiled_stats(compiled: Any) -> dict[str, int]:
    """Memory and moves of a `jax.stages.Compiled`, or of anything with the same two methods."""
    memory = compiled.memory_analysis()
    return {
        "temp": memory.temp_size_in_bytes,
        "argument": memory.argument_size_in_bytes,
        "output": memory.output_size_in_bytes,
        "alias": memory.alias_size_in_bytes,
        **moves(compiled.as_text()),
    }
