"""The loss over the validation text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import data, group
from .artifact import Artifact
from .program import Arrays, Entry, named

Evaluator = Callable[[Arrays, group.Watchdog], tuple[float, int]]


def evaluator_of(artifact: Artifact, pipeline: data.Pipeline) -> Evaluator | None:
    """A function from the state to (mean loss, tokens) over all of the validation text; None if there is none."""
    if "eval_step" not in artifact.programs or not pipeline.has_validation:
        return None
    program = artifact.program("eval_step")
    run = Entry(artifact, "eval_step")
    names = [port.name for port in named(program.inputs, "state")]
    ports = named(program.inputs, "batch")

    def evaluate(state: Arrays, watch: group.Watchdog) -> tuple[float, int]:
        parameters = {name: state[name] for name in names}
        # All batches are started before the first result is read.
        results = [run({**parameters, **batch}) for batch in pipeline.validation(ports)]
        run.flush()
        total, count = 0.0, 0.0
        for number, result in enumerate(results, 1):
            total += float(np.asarray(result["loss_sum"]))
            count += float(np.asarray(result["count"]))
            watch.beat(f"batch {number} of {len(results)} of an evaluation was done")
        return total / count, round(count)

    return evaluate
