"""What every Python side of a bench shares: the line protocol, and what the optimized HLO says of a program."""

import json
import math
import re
import sys
import time
from collections.abc import Callable
from typing import Any

_INSTRUCTION = re.compile(r"^\s*(?:ROOT )?%?[\w.-]+ = (\w+)\[([\d,]*)\](?:\{([\d,]*)[^}]*\})? ([\w-]+)\(", re.MULTILINE)
_BITS = {"pred": 8, "bf16": 16, "f16": 16, "f32": 32, "f64": 64}


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


def hlo_moves(text: str) -> dict[str, int]:
    """Transposes and copies in a module's optimized HLO text, counted with the bytes that they write.

    A transpose inside a fusion may cost nothing of its own, one that stands alone is a pass over memory; both are
    counted, for every program alike. A copy is how layout assignment spells a transpose."""
    counts = {"transposes": 0, "transposeBytes": 0, "copies": 0, "copyBytes": 0}
    for dtype, shape, _, opcode in _INSTRUCTION.findall(text):
        if opcode not in ("transpose", "copy"):
            continue
        bits = _BITS.get(dtype) or int(re.sub(r"\D", "", dtype) or 8)
        size = math.prod(int(n) for n in shape.split(",") if n) * bits // 8
        kind = "transpose" if opcode == "transpose" else "copy"
        counts["transposes" if kind == "transpose" else "copies"] += 1
        counts[f"{kind}Bytes"] += size
    return counts


def compiled_stats(compiled: Any) -> dict[str, int | float]:
    """Memory, bytes accessed and moves of a `jax.stages.Compiled`, or of anything with the same three methods."""
    memory = compiled.memory_analysis()
    cost = compiled.cost_analysis()
    cost = cost[0] if isinstance(cost, list) else cost
    return {
        "temp": memory.temp_size_in_bytes,
        "argument": memory.argument_size_in_bytes,
        "output": memory.output_size_in_bytes,
        "alias": memory.alias_size_in_bytes,
        "peak": memory.peak_memory_in_bytes,
        "bytesAccessed": cost.get("bytes accessed", 0.0),
        "flops": cost.get("flops", 0.0),
        **hlo_moves(compiled.as_text()),
    }
