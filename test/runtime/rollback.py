"""A run that is rolled back, compared with one that is stepped by hand: python rollback.py ARTIFACT TEXT FOLDER

By hand: the programs are called one after the other; at a bad step the state of the last multiple of `checkpoint.every` is taken, and the batch
after the bad one.
"""

import json
import sys
from pathlib import Path

import numpy as np

from xenarc_runtime import checkpoint, data, pjrt, train
from xenarc_runtime.profile import Window
from xenarc_runtime.program import Entry, load, named, placements

ARTIFACT, TEXT, FOLDER = map(Path, sys.argv[1:])


def by_hand(artifact):
    """Losses by step, the last state, and the steps that were bad in the order they came."""
    config = artifact.config
    program = artifact.program("train_step")
    ports = named(program.inputs, "batch")
    where = placements(artifact, ports)
    feed = data.open(artifact, [str(TEXT)]).feed()
    seed = config["train"]["seed"]
    state = Entry(artifact, "init")({"key": np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)})
    kept = (0, {name: np.asarray(value) for name, value in state.items()})
    run = Entry(artifact, "train_step")
    step, losses, bad = 0, {}, []
    while step < config["train"]["steps"]:
        parts = feed.next().ports
        batch = {port.name: pjrt.from_callback(port.shape, where[port.name], parts[port.name]) for port in ports}
        outputs = run({**state, **batch})
        step += 1
        if float(outputs["bad_step"]):
            bad.append(step)
            step, arrays = kept
            state = {name: pjrt.to_device(array) for name, array in arrays.items()}
            continue
        losses[step] = float(outputs["loss"])
        state = {name: outputs[name] for name in state}
        if step % config["checkpoint"]["every"] == 0:
            kept = (step, {name: np.asarray(value) for name, value in state.items()})
    feed.close()
    return losses, state, bad


def main():
    artifact = load(ARTIFACT)
    losses, state, bad = by_hand(artifact)
    assert bad, f"the test needs bad steps; there were {bad}"
    train.train(ARTIFACT, FOLDER, [str(TEXT)], resume=False, overwrite=False, window=Window(bad[0] - 1, bad[0] + 1))
    assert list((FOLDER / "profile").rglob("*.trace.json.gz")), "steps around a bad one are not profiled"
    entries = [json.loads(line) for line in (FOLDER / "metrics.jsonl").read_text().splitlines()]
    logged = {entry["step"]: entry["loss"] for entry in entries if "loss" in entry}
    assert logged == losses, (logged, losses)
    saved = checkpoint.newest(FOLDER)
    ports = named(artifact.program("train_step").inputs, "state")
    found = checkpoint.restore(saved, ports, placements(artifact, ports))
    for name, array in state.items():
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(array), name)
    assert checkpoint.read_record(saved)["bad_steps"] == {"skipped": 0, "rollbacks": len(bad)}
    repeated = json.loads((FOLDER / "goodput.json").read_text())["seconds"]["repeated"]
    assert repeated > 0, "steps that are done again are not counted as such"
    print(f"bad: {bad}", file=sys.stderr)


main()
