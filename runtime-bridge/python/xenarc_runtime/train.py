"""Trains: init or resume, steps, evaluations, checkpoints. The arithmetic is all in the artifact's programs.

Standard output gets an event per line: start, compiled, progress, eval, profile, checkpoint, curve, done, log, error.
The run's folder gets checkpoints/, config.yaml, parameters.txt, log.txt, loss.png, and what the tracker writes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint, curve, data, events, group, pjrt, run_files
from .anomaly import open_anomalies
from .artifact import Artifact, Port
from .errors import Problem
from .evaluation import evaluator_of
from .meter import Meter
from .profile import Profiler, Window
from .program import Arrays, Entry, load, named, placements
from .samples import sampler_of
from .settings import Settings, settings_of
from .speed import work_of
from .tracking import Tracker, open_tracker

HUNG = 3
"""The exit code of a process that the watchdog ended: the environment's fault."""


def train(
    folder: Path,
    run: Path,
    paths: Sequence[str],
    resume: bool,
    overwrite: bool,
    watchdog: float = 0,
    source: Path | None = None,
    window: Window | None = None,
) -> None:
    """Trains the artifact in `folder`, writing to the folder `run`; this process does its share if it is in a group.

    `paths` take the place of those in the configuration's section `data` (data.open). A folder with checkpoints is an error unless `resume` (go on from
    the newest) or `overwrite` (delete them). SIGINT, SIGTERM and SIGHUP end the run after the step, with a checkpoint.
    A new run begins with the weights at `source`, which overrides the configuration's `train.from`; without either, with drawn ones.
    A run in which nothing happens for `watchdog` seconds is ended; 0: never. The steps of `window` are profiled.
    """
    artifact = load(folder)
    settings = settings_of(artifact)
    step_program = artifact.program("train_step")
    pipeline = data.open(artifact, paths)
    start = _prepare_run(run, resume, overwrite)
    if group.is_first():
        run_files.keep_log(run)
        run_files.describe(artifact, run)

    with group.stop_signal() as stops_at, group.Watchdog(watchdog, run, HUNG) as watch:
        state_ports = named(step_program.inputs, "state")
        if start is None:
            watch.rest()
            state = _initial_state(artifact, settings.seed, source or _configured_source(artifact))
            watch.beat("init was run")
            step, record = 0, None
        else:
            state = checkpoint.restore(run, start, state_ports, placements(artifact, state_ports))
            step = start
            watch.beat(f"the checkpoint of step {step} was read")
            record = checkpoint.read_record(run, start)
            _compare_record(record, artifact, pipeline)
        events.emit(
            "start",
            name=artifact.name,
            parameters=artifact.parameters,
            step=step,
            steps=settings.steps,
            resumed=start is not None,
            tokens_per_step=_tokens_per_step(named(step_program.inputs, "batch")),
            **pipeline.facts(),
            run=str(run),
            device=pjrt.devices()[0]["kind"],
            devices=pjrt.mesh_size(artifact.mesh),
            processes=group.size(),
            parameter_groups=run_files.parameter_groups(run_files.parameters_of(artifact)),
        )
        with (
            closing(pipeline.feed(record and record["data"]["position"])) as feed,
            closing(open_tracker(artifact, run, after=step)) as tracker,
        ):
            record = {"data": pipeline.identity(), "config": artifact.config, "artifact": artifact.sha256}
            _loop(artifact, run, settings, pipeline, feed, tracker, state, step, window, record, stops_at, watch)


def _loop(
    artifact: Artifact,
    run: Path,
    settings: Settings,
    pipeline: data.Pipeline,
    feed: data.Feed,
    tracker: Tracker,
    state: Arrays,
    step: int,
    window: Window | None,
    record: dict[str, Any],
    stops_at: Callable[[int], bool],
    watch: group.Watchdog,
) -> None:
    """Steps from `step` to the last, or to where `stops_at` says so."""
    watch.rest()
    train_step = Entry(artifact, "train_step")
    evaluator = evaluator_of(artifact, pipeline)
    sampler = sampler_of(artifact, settings.seed)
    anomalies = open_anomalies(artifact, run)
    watch.beat("the programs were compiled")
    batch_ports = named(artifact.program("train_step").inputs, "batch")
    where = placements(artifact, batch_ports)
    meter = Meter(settings, work_of(artifact, _tokens_per_step(batch_ports)), tracker)
    profiler = Profiler(run, window, [train_step.executable])
    saved = step if step > 0 else None
    metric_names = [port.name for port in named(artifact.program("train_step").outputs, "metric")]

    with checkpoint.open_manager(run, settings.keep) as manager:

        def save() -> None:
            nonlocal saved
            train_step.flush()
            meter.flush()
            if saved != step:
                position = {**record["data"], "position": feed.state()}
                checkpoint.save(manager, step, dict(state), {**record, "step": step, "data": position})
                saved = step
                events.emit("checkpoint", step=step, path=str(run / "checkpoints" / str(step)))
                watch.beat(f"the checkpoint of step {step} was begun")

        stopped = False
        while step < settings.steps:
            stopped = stops_at(step)
            if stopped:
                break
            profiler.begin(step + 1, state)
            with meter.waiting_for_data():
                parts = feed.next().ports
                batch = {
                    port.name: pjrt.from_callback(port.shape, where[port.name], parts[port.name]) for port in batch_ports
                }
            outputs = train_step({**state, **batch})
            if anomalies:
                anomalies.look(step + 1, {**state, **batch}, outputs)
            state = {name: outputs[name] for name in state}
            step += 1
            meter.add(step, {name: outputs[name] for name in metric_names})
            watch.beat(f"step {step - 1} ended")
            if profiler.end(step, state):
                meter.flush()
                meter.skip(step)
            if evaluator and (step % settings.evaluate_every == 0 or step == settings.steps):
                meter.flush()
                meter.evaluated(step, *evaluator(state, watch))
            if sampler and (step % sampler.every == 0 or step == settings.steps):
                meter.flush()
                sampler.write(step, state, tracker)
                meter.skip(step)
            if step % settings.checkpoint_every == 0:
                save()
        meter.flush()
        profiler.close(step)
        if stopped:
            events.emit("log", level="info", message=f"Stopped after step {step}; saving a checkpoint.")
        save()
        manager.wait_until_finished()

    picture = run / "loss.png"
    if group.is_first():
        curve.draw(tracker.metrics.entries, picture, artifact.name)
    events.emit("curve", path=str(picture), metrics=str(tracker.metrics.path))
    events.emit(
        "done",
        step=step,
        steps=settings.steps,
        interrupted=step < settings.steps,
        seconds=meter.seconds(),
        loss=meter.loss,
        validation_loss=meter.validation_loss,
    )


def _tokens_per_step(batch: list[Port]) -> int:
    """Targets of a batch: a window of tokens has one less."""
    *rows, window = next(port.shape for port in batch if port.name.endswith("tokens"))
    return int(np.prod(rows)) * (window - 1)


def _initial_state(artifact: Artifact, seed: int, source: Path | None) -> Arrays:
    init = Entry(artifact, "init")
    state = init({"key": np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)})
    if source is None:
        return state
    from . import pretrained  # only this needs it

    return {**state, **pretrained.initial(artifact, source, artifact.program("init").outputs)}


def _configured_source(artifact: Artifact) -> Path | None:
    configured = artifact.config["train"].get("from")
    return Path(configured) if configured else None


def _prepare_run(run: Path, resume: bool, overwrite: bool) -> int | None:
    """The checkpoint to go on from, if any; the folder is there afterwards."""
    if overwrite and group.is_first():
        shutil.rmtree(run / "checkpoints", ignore_errors=True)
        for name in ("tensorboard", "profile"):
            shutil.rmtree(run / name, ignore_errors=True)
        for name in ("metrics.jsonl", "performance.jsonl", "loss.png", "log.txt", "wandb-id.txt"):
            (run / name).unlink(missing_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    group.wait_for_all("the run's folder")
    found = checkpoint.newest(run)
    if found is not None and not resume:
        raise Problem(
            "run_exists",
            f"The run's folder {run} has checkpoints already, the newest of step {found}.",
            "Go on from it with --resume, start anew with --overwrite, or give another folder.",
        )
    return found


def _compare_record(record: dict[str, Any], artifact: Artifact, pipeline: data.Pipeline) -> None:
    """Says what differs from the run that is resumed: allowed, but then it is not the same run any more."""
    before, now = _flat(record["config"]), _flat(artifact.config)
    changed = [
        f"{key} is {json.dumps(now.get(key))} and was {json.dumps(before.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    anew = record["artifact"] != artifact.sha256 and not changed
    now_data = pipeline.identity()
    differences = {
        f"with other settings: {'; '.join(changed)}": changed,
        "a model that was changed since, or compiled by another xenarc": anew,
        "on other data": record["data"]["sha256"] != now_data["sha256"],
        "with another seed": record["data"]["seed"] != now_data["seed"] and "train.seed" not in before,
    }
    for what, differs in differences.items():
        if differs:
            events.emit("log", level="warning", message=f"Resuming {what}.")


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A configuration by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
