"""The loss of a run's newest checkpoint over the last tenth of a text, without eval_step: scores of `forward`, the rest in numpy.

    python evaluated.py ARTIFACT RUN TEXT CONTEXT
"""

import json
import sys
from pathlib import Path

import numpy as np
import tokenizers

from xenarc_runtime import artifact, checkpoint
from xenarc_runtime.program import Entry, named, placements

folder, run, text, context = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
loaded = artifact.load(folder)
ports = named(loaded.program("forward").inputs, "state")
state = checkpoint.restore(checkpoint.newest(run), ports, placements(loaded, ports))
library = tokenizers.Tokenizer.from_file(str(folder / "tokenizer/tokenizer.json"))
ids = np.array(library.encode(text.read_text(), add_special_tokens=False).ids, np.int32)
held_out = ids[ids.size - round(ids.size * 0.1) :]

forward, total = Entry(loaded, "forward"), 0.0
for start in range(0, held_out.size - 1, context):
    window = held_out[start : start + context + 1]
    tokens = np.zeros((1, context), np.int32)
    tokens[0, : window.size - 1] = window[:-1]
    scores = np.asarray(forward({**state, "tokens": tokens})["logits"], np.float64)[0, : window.size - 1]
    largest = scores.max(axis=1)
    norms = largest + np.log(np.exp(scores - largest[:, None]).sum(axis=1))
    total += float((norms - scores[np.arange(window.size - 1), window[1:]]).sum())
print(json.dumps({"loss": total / (held_out.size - 1), "tokens": held_out.size - 1}))
