"""Writes what a test needs to check a run: its batches and validation text, or its newest checkpoint as safetensors.

python dump_run.py batches TEXT CONTEXT STEPS SEED OUT.npz
python dump_run.py state ARTIFACT RUN OUT.safetensors
"""

import sys
from pathlib import Path

import numpy as np

from xenarc_runtime import artifact, checkpoint
from xenarc_runtime.program import named, placements
from xenarc_runtime.run import write_tensors


def batches(text, context, steps, seed, out):
    bytes_ = np.frombuffer(Path(text).read_bytes(), np.uint8)
    split = bytes_.size - round(bytes_.size * 0.1)
    train, width = bytes_[:split], int(context) + 1

    def batch(step):
        numbers = np.random.Philox(key=int(seed), counter=[0, 0, 0, step]).random_raw(8)
        starts = (numbers % np.uint64(train.size - width + 1)).astype(int).reshape(2, 4)
        return train[starts[..., None] + np.arange(width)].astype(np.int32)

    np.savez(out, batches=[batch(step) for step in range(int(steps))], validation=bytes_[split:])


def state(folder, run, out):
    loaded = artifact.load(Path(folder))
    ports = named(loaded.program("train_step").inputs, "state")
    arrays = checkpoint.restore(checkpoint.newest(Path(run)), ports, placements(loaded, ports))
    write_tensors(Path(out), {name: np.asarray(array) for name, array in arrays.items()})


{"batches": batches, "state": state}[sys.argv[1]](*sys.argv[2:])
