"""Runs the entry points that do not train, and compares artifacts with the first: `serving.py FOLDER... --out JSON`.

Written to the file: by artifact, the largest relative difference of each output of `eval_step`, `forward`, `prefill` and
four of `decode_step`, whose caches are compared too.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from xenarc_runtime import pjrt
from xenarc_runtime.artifact import load
from xenarc_runtime.program import Entry

SAMPLING = {
    "key": np.array([0, 3], np.uint32),
    "temperature": np.float32(1),
    "top_k": np.int32(0),
    "top_p": np.float32(1),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    artifacts = [load(folder) for folder in arguments.folders]
    for artifact in sorted(artifacts, key=lambda a: -np.prod([axis.size for axis in a.mesh])):
        pjrt.make_mesh(artifact.mesh)
    runs = [run(artifact) for artifact in artifacts]
    arguments.out.write_text(json.dumps([differences(a, runs[0]) for a in runs]))


def run(artifact):
    state = Entry(artifact, "init")({"key": np.array([0, 7], np.uint32)})
    parameters = {name: array for name, array in state.items() if name.startswith("params/")}
    random = np.random.default_rng(0)

    def tokens(entry, name):
        (shape,) = [port.shape for port in artifact.program(entry).inputs if port.name == name]
        return random.integers(0, 256, shape).astype(np.int32)

    found = {}

    def call(entry, inputs, label):
        outputs = Entry(artifact, entry)({**parameters, **inputs})
        found.update({f"{label} {name}": np.asarray(array) for name, array in outputs.items()})
        return outputs

    call("eval_step", {"tokens": tokens("eval_step", "tokens")}, "eval_step")
    call("forward", {"tokens": tokens("forward", "tokens")}, "forward")
    prompt = tokens("prefill", "tokens")
    length = 2 + np.arange(len(prompt), dtype=np.int32) % 4
    outputs = call("prefill", {"tokens": prompt, "length": length, **SAMPLING}, "prefill")
    for step in range(4):
        token = np.asarray(outputs.pop("next_token"))
        inputs = {"token": token, "position": length + step, **outputs, **SAMPLING}
        outputs = call("decode_step", inputs, f"decode_step {step}")
    return found


def differences(found, reference):
    return {
        name: float(np.abs(array.astype(np.float64) - reference[name]).max() / max(np.abs(reference[name]).max(), 1e-30))
        for name, array in found.items()
    }


main()
