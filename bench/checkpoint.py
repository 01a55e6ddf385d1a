"""How long a save of a state holds training up, and how long a copy of the state takes.

`python checkpoint.py FOLDER MIB` answers `save` and `copy` with their seconds.
"""

import itertools
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "jax"), str(HERE.parent / "runtime-bridge" / "python")]

from measure import serve, timed  # noqa: E402

from xenarc_runtime import pjrt  # noqa: E402
from xenarc_runtime.saving import Saver  # noqa: E402
from xenarc_runtime.settings import CheckpointSettings  # noqa: E402

TENSOR = 4 << 20
"""Bytes of a tensor: that of a small model's layer."""


def main():
    folder, mib = Path(sys.argv[1]), int(sys.argv[2])
    where = pjrt.placement(pjrt.make_mesh(()), ())
    drawn = np.random.default_rng(1)
    names = [f"{part}/{n}" for part in ("params", "optimizer/mu", "optimizer/nu") for n in range((mib << 20) // TENSOR // 3)]
    state = {name: pjrt.to_device(drawn.random((TENSOR // 4096, 1024), np.float32), where) for name in names}
    steps = itertools.count(1)

    with Saver(folder, CheckpointSettings(every=1, keep=1)) as saver:

        def save():
            step = next(steps)
            seconds, _ = timed(lambda: saver.save(step, state, {"step": step}))
            saver.wait()
            return {"seconds": seconds}

        serve({"save": save, "copy": lambda: {"seconds": timed(lambda: [np.array(array) for array in state.values()])[0]}})


main()
