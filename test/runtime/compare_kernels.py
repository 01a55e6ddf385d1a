"""Runs a program as it is and with the TPU's kernels interpreted: `compare_kernels.py FOLDER ENTRY OUT`.

Inputs are random. Written to OUT as JSON: by output the largest difference, relative to the output's largest element; the kernels
that stand in the program then; and what became of each composite.
"""

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jax._src.interpreters import mlir
from jaxlib.mlir import ir
from xenarc_runtime import dtypes, kernels, pjrt
from xenarc_runtime.artifact import load


def main(folder, entry, out):
    artifact = load(folder)
    program = artifact.program(entry)
    mesh = pjrt.make_mesh(artifact.mesh)
    with mlir.make_ir_context(), ir.Location.unknown():
        module = ir.Module.parse(program.text)
        placements = kernels.replace(module, "cpu", interpret=True)
        module.operation.verify()
        text = str(module)
    random = np.random.default_rng(0)
    inputs = [random_input(random, port) for port in program.inputs]

    def run(text):
        executable = pjrt.compile_program(text, program.options, mesh)
        where = lambda ports: [pjrt.placement(mesh, port.sharding or [()] * len(port.shape)) for port in ports]
        arguments = [pjrt.to_device(x.copy(), w) for x, w in zip(inputs, where(program.inputs))]
        return [np.asarray(x) for x in pjrt.execute(executable, arguments, where(program.outputs))]

    pairs = zip(program.outputs, run(program.text), run(text))
    result = {
        "differences": {port.name: difference(x, y) for port, x, y in pairs},
        "kernels": sorted(set(re.findall(r"@([\w.]+\.kernel\w*)\(", text))),
        "composites": len(re.findall("stablehlo.composite", text)),
        "placements": [asdict(placement) for placement in placements],
    }
    out.write_text(json.dumps(result))


def random_input(random, port):
    if port.dtype == "i32":  # segments: there are queries whose number no key has
        return random.integers(0, 3 if port.name.endswith("segments") else 2, port.shape).astype(np.int32)
    if port.dtype == "ui32":
        return np.array(random.integers(0, 9, port.shape), np.uint32)
    return np.asarray(random.normal(size=port.shape) * 0.3, dtypes.to_numpy(port.dtype))


def difference(x, y):
    x, y = x.astype(np.float64), y.astype(np.float64)
    return float(np.abs(x - y).max() / max(np.abs(x).max(), 1e-30))


main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
