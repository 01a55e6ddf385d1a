"""Compiles a named run of the plain-JAX references of the systems (a folder with `common.py` and `sys1.py` ... `sys5.py`) with libtpu.

    python reference.py FOLDER sys5 v4_128_b2 OUT     # one line of JSON; the optimized HLO goes into the file OUT

Of the run's train step it says `parameters`, and `peak`, bytes a device at the most; where that is more than a device has, there is no HLO.
Nothing is allocated.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any


def runs_of(folder: Path, system: str) -> dict[str, Any]:
    """The runs by name that a reference's file hands to `common.main`: configuration, topology, mesh, batch, length."""
    import common

    found: dict[str, Any] = {}
    common.main = found.update
    exec(compile((folder / f"{system}.py").read_text(), f"{system}.py", "exec"), {"__name__": "__main__"})
    return found


def measure(run: tuple[Any, ...], out: Path) -> dict[str, Any]:
    import common
    import jax
    import numpy as np
    from jax.sharding import Mesh, NamedSharding
    from jax.sharding import PartitionSpec as P

    config, topology, shape, batch, length, *_ = run
    mesh = Mesh(np.array(common.topo(topology)).reshape(shape), common.ALL)
    state = common.abstract(config, mesh)
    accumulated = config.accum > 1
    tokens = jax.ShapeDtypeStruct(
        (*([config.accum] if accumulated else []), batch, length),
        jax.numpy.int32,
        sharding=NamedSharding(mesh, P(*([None] if accumulated else []), "data", "seq")),
    )
    results = jax.tree.map(lambda a: a.sharding, state), None
    lowered = jax.jit(common.make_step(config, mesh), donate_argnums=0, out_shardings=results).lower(state, tokens)
    said = {"parameters": common.count(config)}
    try:
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        needed = re.search(r"Used ([\d.]+)([MG]) of", str(error))
        if needed is None:
            raise
        return {**said, "peak": float(needed[1]) * 1024 ** " KMG".index(needed[2])}
    out.write_text(compiled.as_text(), "utf-8")
    return {**said, "peak": compiled.memory_analysis().peak_memory_in_bytes}


if __name__ == "__main__":
    folder, system, name, out = sys.argv[1:]
    sys.argv = [system]
    sys.path.insert(0, folder)
    print(json.dumps(measure(runs_of(Path(folder), system)[name], Path(out))), flush=True)
