"""Runs programs on the devices of their meshes, and what JAX makes of the same: `programs.py CASES OUT`.

CASES is a JSON list of {artifact, inputs: [{name, dtype, shape, data}], jax}: a folder with one entry point `forward`, and a Python
function of the inputs in which mesh, jax, jnp, lax, np, P and reference(name), a module of test/systems/reference, are known. OUT becomes a JSON list of {outputs, expected, hlo}.
"""

import importlib
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P
from xenarc_runtime import pjrt
from xenarc_runtime.artifact import load
from xenarc_runtime.program import Entry


sys.path.append(str(Path(__file__).resolve().parents[1] / "systems" / "reference"))


def flat(tree):
    return [np.asarray(x, np.float64).ravel().tolist() for x in jax.tree.leaves(tree)]


def run(case, artifact):
    inputs = {i["name"]: np.array(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]}
    entry = Entry(artifact, "forward")
    outputs = entry(inputs)
    names = [port.name for port in artifact.program("forward").outputs]
    sizes = {axis.name: axis.size for axis in artifact.mesh}
    count = int(np.prod(list(sizes.values())))
    mesh = Mesh(np.array(jax.devices()[:count]).reshape(*sizes.values()), tuple(sizes))
    scope = {"mesh": mesh, "jax": jax, "jnp": jnp, "lax": lax, "np": np, "P": P, "reference": importlib.import_module}
    with jax.default_matmul_precision("highest"):
        expected = eval(case["jax"], scope)(*inputs.values())
    return {
        "outputs": flat([outputs[name] for name in names]),
        "expected": flat(expected),
        "hlo": pjrt.optimized_hlo(entry.executable),
    }


def main():
    cases = json.loads(Path(sys.argv[1]).read_text())
    artifacts = [load(Path(case["artifact"])) for case in cases]
    # The largest mesh first: the CPU shows itself as so many devices or never.
    for artifact in sorted(artifacts, key=lambda a: -np.prod([axis.size for axis in a.mesh])):
        pjrt.make_mesh(artifact.mesh)
    runs = [run(case, artifact) for case, artifact in zip(cases, artifacts, strict=True)]
    Path(sys.argv[2]).write_text(json.dumps(runs))


main()
