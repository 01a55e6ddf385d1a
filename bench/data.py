"""Batches of a file of token ids, by xenarc's pipeline and by a loader written by hand on numpy's memmap.

`python data.py ours|theirs FILE ROWS WIDTH` answers `batches N` with the seconds that N batches take.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "jax"), str(HERE.parent / "runtime-bridge" / "python")]

from measure import serve, timed  # noqa: E402


def ours(file, rows, width):
    from xenarc_runtime import data
    from xenarc_runtime.artifact import Artifact, Port, Program, TokenizerFiles

    port = Port("batch/tokens", "batch", ("accumulation", "batch", "window"), (1, rows, width), "i32")
    config = {"model": {"vocab": 50257}, "train": {"seed": 1}, "data": {"path": str(file), "validation": 0.1}}
    programs = {"train_step": Program("train_step", "", b"", (port,), ())}
    feed = data.open(Artifact(HERE, "bench", "", 0, config, (), programs, TokenizerFiles("bytes", {}))).feed()
    whole = (slice(None),) * 3
    return lambda: feed.next().ports["batch/tokens"](whole)


def theirs(file, rows, width):
    tokens = np.memmap(file, np.uint16, "r")
    last = int(tokens.size * 0.9) - width
    random = np.random.default_rng(1)

    def batch():
        starts = random.integers(last, size=rows)
        return np.stack([tokens[start : start + width].astype(np.int32) for start in starts])[None]

    return batch


def main():
    side, file, rows, width = sys.argv[1:]
    batch = {"ours": ours, "theirs": theirs}[side](Path(file), int(rows), int(width))
    serve({"batches": lambda count: {"seconds": timed(lambda: [batch() for _ in range(int(count))])[0]}})


main()
