"""Makes the argument files of run.test.ts, and checks a result against numpy.

python tensors.py make STATE.safetensors FOLDER
python tensors.py check ARGUMENTS.safetensors RESULT.safetensors
"""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def make(state, folder):
    folder = Path(folder)
    parameters = {name: array for name, array in load_file(state).items() if name.startswith("params/")}
    tokens = np.arange(16, dtype=np.int32)[None] * 7 % 256
    files = {
        "whole": {**parameters, "tokens": tokens},
        "tokens": {"tokens": tokens},
        "extra": {**parameters, "tokens": tokens, "label": np.zeros(1, np.float32)},
        "shape": {**parameters, "tokens": tokens[:, :15].copy()},
        "dtype": {**parameters, "tokens": tokens.astype(np.int64)},
    }
    files["good"] = {"x": np.array([1, 2, 3], np.float32)}
    files["bad"] = {"x": np.array([1, np.nan, 3], np.float32)}
    for name, tensors in files.items():
        save_file(tensors, folder / f"{name}.safetensors")
    (folder / "garbage.safetensors").write_bytes(b"not a safetensors file")


def check(arguments, result):
    given = load_file(arguments)
    embeddings = given["params/embed"][given["tokens"][0]]
    means = np.cumsum(embeddings, axis=0) / np.arange(1, 17)[:, None]
    np.testing.assert_allclose(load_file(result)["logits"][0], means @ given["params/head/w"], rtol=1e-4, atol=1e-5)
    print("equal")


{"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
