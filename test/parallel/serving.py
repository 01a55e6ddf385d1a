"""Runs the entry points that do not train, and compares artifacts with the first: `serving.py FOLDER... --out JSON`.

Written to the file: by artifact, the largest relative difference of each output of the `eval_step`, `forward` and `prefill` that there are and
of four `decode_step`, whose caches are compared too, but for what is behind the prompt, of `--length` tokens, and what was written.
With `--hlo`, the optimized HLO of each artifact's `decode_step` is written into its folder.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from xenarc_runtime import pjrt
from xenarc_runtime.artifact import load
from xenarc_runtime.dtypes import to_numpy
from xenarc_runtime.program import Entry, named

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
    parser.add_argument("--hlo", action="store_true")
    parser.add_argument("--length", type=int, default=2)
    arguments = parser.parse_args()
    artifacts = [load(folder) for folder in arguments.folders]
    for artifact in sorted(artifacts, key=lambda a: -np.prod([axis.size for axis in a.mesh])):
        pjrt.make_mesh(artifact.mesh)
    runs = []
    for folder, artifact in zip(arguments.folders, artifacts, strict=True):
        found, decode = run(artifact, arguments.length)
        runs.append(found)
        if arguments.hlo:
            (folder / "decode_step.hlo.txt").write_text(pjrt.optimized_hlo(decode.executable))
    arguments.out.write_text(json.dumps([differences(a, runs[0]) for a in runs]))


def run(artifact, least):
    state = Entry(artifact, "init")({"key": np.array([0, 7], np.uint32)})
    parameters = {name: array for name, array in state.items() if name.startswith("params/")}
    random = np.random.default_rng(0)

    def tokens(entry, name):
        (shape,) = [port.shape for port in artifact.program(entry).inputs if port.name == name]
        return random.integers(0, 256, shape).astype(np.int32)

    found = {}

    entries = {}

    def call(entry, inputs, label, end=None):
        if entry not in entries:
            entries[entry] = Entry(artifact, entry)
        outputs = entries[entry]({**parameters, **inputs})
        ports = {port.name: port for port in artifact.program(entry).outputs}
        found.update({f"{label} {name}": written(ports[name], np.asarray(array), end) for name, array in outputs.items()})
        return outputs

    def written(port, array, end):
        if port.role != "cache" or "key" not in port.axes or array.shape[port.axes.index("key")] != prompt.shape[1]:
            return array
        at = np.arange(prompt.shape[1]) < end[:, None]
        own = [port.axes.index("batch"), port.axes.index("key")]
        return array * at.reshape([n if d in own else 1 for d, n in enumerate(array.shape)])

    for entry in ("eval_step", "forward"):
        if entry in artifact.programs:
            call(entry, {"tokens": tokens(entry, "tokens")}, entry)
    prompt = tokens("prefill", "tokens")
    length = least + np.arange(len(prompt), dtype=np.int32) % 4
    # A session of nothing, where the model remembers any.
    session = {p.name: np.zeros(p.shape, to_numpy(p.dtype)) for p in named(artifact.program("prefill").inputs, "cache")}
    outputs = call("prefill", {"tokens": prompt, "length": length, **session, **SAMPLING}, "prefill", length)
    for step in range(4):
        token = np.asarray(outputs.pop("next_token"))
        inputs = {"token": token, "position": length + step, **outputs, **SAMPLING}
        outputs = call("decode_step", inputs, f"decode_step {step}", length + step + 1)
    return found, entries["decode_step"]


def differences(found, reference):
    return {
        name: float(np.abs(array.astype(np.float64) - reference[name]).max() / max(np.abs(reference[name]).max(), 1e-30))
        for name, array in found.items()
    }


main()
