"""Trains artifacts on the same random batches, and compares them with the first: `steps.py FOLDER... --steps N --out JSON`.

Written to the file: by artifact its losses and gradient norms, the largest difference of each tensor of the state after
the first and after the last step (relative to the tensor's largest element), and its optimized HLO.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from xenarc_runtime import pjrt
from xenarc_runtime.artifact import load
from xenarc_runtime.program import Entry, named


# Batches by port: tokens, documents of about a dozen tokens, and which tokens are learnt.
DRAWN = {
    "tokens": lambda random, shape: random.integers(0, 256, shape).astype(np.int32),
    "segments": lambda random, shape: 1 + np.cumsum(random.random(shape) < 1 / 12, -1, np.int32),
    "mask": lambda random, shape: random.integers(0, 2, shape).astype(np.int32),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    artifacts = [load(folder) for folder in arguments.folders]
    # The largest mesh first: the CPU shows itself as so many devices or never.
    for artifact in sorted(artifacts, key=lambda a: -np.prod([axis.size for axis in a.mesh])):
        pjrt.make_mesh(artifact.mesh)
    random = np.random.default_rng(0)
    ports = named(artifacts[0].program("train_step").inputs, "batch")
    batches = [{port.name: DRAWN[port.name](random, port.shape) for port in ports} for _ in range(arguments.steps)]
    runs = [train(artifact, batches) for artifact in artifacts]
    for run in runs:
        run["first"] = differences(run["first"], runs[0]["states"][0])
        run["last"] = differences(run["last"], runs[0]["states"][1])
    for run in runs:
        del run["states"]
    arguments.out.write_text(json.dumps(runs))


def train(artifact, batches):
    state = Entry(artifact, "init")({"key": np.array([0, 7], np.uint32)})
    step = Entry(artifact, "train_step")
    run = {"metrics": [], "hlo": pjrt.optimized_hlo(step.executable)}
    names = [port.name for port in named(artifact.program("train_step").outputs, "metric")]
    states = []
    for number, batch in enumerate(batches):
        outputs = step({**state, **batch})
        state = {name: outputs[name] for name in state}
        run["metrics"].append({name: np.asarray(outputs[name]).tolist() for name in names})
        if number in (0, len(batches) - 1):
            states.append({name: np.asarray(array) for name, array in state.items()})
    return {**run, "first": states[0], "last": states[-1], "states": (states[0], states[-1])}


def differences(state, reference):
    def relative(a, b):
        # A pipeline with repeats has the layers along two axes.
        a, b = a.astype(np.float64), b.astype(np.float64).reshape(a.shape)
        return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))

    return {name: relative(array, reference[name]) for name, array in state.items()}


main()
