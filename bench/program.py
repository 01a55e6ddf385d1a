"""Our side of the benches that run programs: compiles StableHLO texts through the runtime and runs them.

    python program.py FOLDER    # the line protocol: `step N`, `stats`, `temp FILE`

With `init.mlir` and `train_step.mlir` in the folder, `step` and `stats` mean what they mean to jax/nanogpt.py. The state
is what `init` gives; it takes the place of the arguments that `train_step` donates. Other arguments are random bytes,
the text being as good as any other to a clock.
"""

import os
import re
import sys
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# A program is compiled here as it is for the peer: now, not once upon a time.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
_BENCH = Path(__file__).resolve().parent
sys.path[:0] = [str(_BENCH / "jax"), str(_BENCH.parent / "runtime-bridge" / "python")]

import numpy as np  # noqa: E402
from measure import compiled_stats, serve, timed  # noqa: E402
from xenarc_runtime import pjrt  # noqa: E402
from xenarc_runtime.dtypes import to_numpy  # noqa: E402


def stats(executable: pjrt.Executable) -> dict[str, int | float]:
    """What `measure.compiled_stats` says of an executable."""
    loaded = executable.loaded
    return compiled_stats(
        SimpleNamespace(
            memory_analysis=loaded.get_compiled_memory_stats,
            as_text=lambda: pjrt.optimized_hlo(executable),
        )
    )


def donations(text: str) -> dict[int, int]:
    """Result by argument, of the arguments that @main donates."""
    signature = re.search(r"func\.func public @main\((.*?)\) -> ", text, re.DOTALL)
    arguments = re.split(r"%[^\s:]+: ", signature[1])[1:] if signature else []
    found = {i: re.search(r"tf\.aliasing_output = (\d+)", argument) for i, argument in enumerate(arguments)}
    return {i: int(match[1]) for i, match in found.items() if match}


class Session:
    """The compiled programs of a folder, and the state of training."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.state: dict[int, Any] = {}

    @cached_property
    def text(self) -> str:
        return (self.folder / "train_step.mlir").read_text()

    @cached_property
    def executable(self) -> pjrt.Executable:
        """The compiled step. Making it also makes the first state and the batch."""
        compiled = pjrt.compile_program(self.text)
        init = pjrt.compile_program((self.folder / "init.mlir").read_text())
        rng = np.random.default_rng(0)
        first = pjrt.execute(init, [pjrt.to_device(np.zeros(t.shape, to_numpy(t.dtype))) for t in init.inputs])
        self.state = dict(zip(self.donated, first, strict=True))
        self.batch = {
            i: pjrt.to_device(rng.integers(0, 256, t.shape).astype(to_numpy(t.dtype)))
            for i, t in enumerate(compiled.inputs)
            if i not in self.donated
        }
        return compiled

    @cached_property
    def donated(self) -> dict[int, int]:
        return donations(self.text)

    def step(self, count: str) -> dict[str, float]:
        """Seconds of `count` steps, state donated from each to the next."""
        executable = self.executable

        def work() -> None:
            for _ in range(int(count)):
                arguments = self.state | self.batch
                results = pjrt.execute(executable, [arguments[i] for i in range(len(arguments))])
                self.state = {argument: results[result] for argument, result in self.donated.items()}
            for array in results:
                array.block_until_ready()

        return {"seconds": timed(work)[0]}

    def stats(self) -> dict[str, int | float]:
        return stats(self.executable)

    def temp(self, path: str) -> dict[str, int | float]:
        """What is to be said of another program, which is compiled and forgotten."""
        return stats(pjrt.compile_program(Path(path).read_text()))


if __name__ == "__main__":
    session = Session(Path(sys.argv[1]))
    serve({"step": session.step, "stats": session.stats, "temp": session.temp})
