"""`write FOLDER`: a histogram, a picture and a text by the tracker. `read FOLDER`: what TensorBoard's own reader finds in a run's folder, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def write(run: Path) -> dict[str, object]:
    from xenarc_runtime.tracking import TensorBoard, Tracker

    run.mkdir(parents=True)
    tracker = Tracker(run, sinks=[TensorBoard(run / "tensorboard", 0)])
    values = np.random.default_rng(11).normal(size=1000)
    counts, edges = np.histogram(values, bins=20, range=(-5, 5))
    tracker.histogram(3, "activations/blocks", edges, counts)
    tracker.image(3, "attention/blocks", np.linspace(0, 1, 12).reshape(3, 4))
    tracker.text(3, "samples/0", "# one\n*two*")
    tracker.close()
    held = np.flatnonzero(counts)
    return {"edges": edges[held[0] : held[-1] + 2].tolist(), "counts": counts[held[0] : held[-1] + 1].tolist()}


def read(run: Path) -> dict[str, object]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    accumulator = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0, "histograms": 0})
    accumulator.Reload()
    tags = accumulator.Tags()
    found: dict[str, object] = {
        "scalars": {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in tags["scalars"]},
        "images": {tag: [(e.step, e.width, e.height) for e in accumulator.Images(tag)] for tag in tags["images"]},
    }
    histograms = {tag: accumulator.Histograms(tag) for tag in tags["histograms"]}
    found["histograms"] = {
        tag: [(e.step, list(e.histogram_value.bucket_limit), list(e.histogram_value.bucket)) for e in events]
        for tag, events in histograms.items()
    }
    # Texts are tensors of strings.
    texts = {tag: accumulator.Tensors(tag) for tag in tags["tensors"]}
    found["texts"] = {
        tag: [(e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode()) for e in events]
        for tag, events in texts.items()
    }
    return found


if __name__ == "__main__":
    print(json.dumps({"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))))
