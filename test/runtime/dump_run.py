"""Writes what a test needs to check a run: its batches and validation text, or its newest checkpoint as safetensors.

python dump_run.py batches TEXT CONTEXT STEPS SEED OUT.npz
python dump_run.py state ARTIFACT RUN OUT.safetensors
"""

import sys
from pathlib import Path

import numpy as np

from xenarc_runtime import artifact, checkpoint, data
from xenarc_runtime.program import named, placements
from xenarc_runtime.run import write_tensors


def batches(text, context, steps, seed, out):
    corpus = data.load(Path(text), 0.1, int(context))
    shape = (2, 4, int(context) + 1)
    made = [data.train_batch(corpus.train, int(seed), step, shape) for step in range(int(steps))]
    np.savez(out, batches=made, validation=corpus.validation)


def state(folder, run, out):
    loaded = artifact.load(Path(folder))
    ports = named(loaded.program("train_step").inputs, "state")
    arrays = checkpoint.restore(Path(run), checkpoint.newest(Path(run)), ports, placements(loaded, ports))
    write_tensors(Path(out), {name: np.asarray(array) for name, array in arrays.items()})


{"batches": batches, "state": state}[sys.argv[1]](*sys.argv[2:])
