"""Trains: init or resume, steps, evaluations, checkpoints. The arithmetic is all in the artifact's programs.

Standard output gets an event per line: start, compiled, progress, eval, profile, checkpoint, curve, done, log, error.
The run's folder gets checkpoints/, run.json, config.yaml, parameters.txt, log.txt, loss.png, and what the tracker writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import checkpoint, control, curve, data, events, group, history, pjrt, pretrained, run_files
from .anomaly import open_anomalies
from .artifact import Artifact, Port
from .bad_steps import BadSteps, RollBack
from .base import Base, base_at, base_of, frozen
from .errors import Problem
from .evaluation import Evaluator, evaluator_of, reason_to_stop
from .goodput import Goodput
from .lock import RunLock
from .meter import Meter
from .probe import probe_of
from .profile import Profiler, Window
from .program import Arrays, Entry, load, named
from .samples import Sampler, sampler_of
from .saving import Saver
from .settings import Settings, settings_of
from .speed import work_of
from .steps import TrainSteps
from .tracking import Tracker, open_tracker
from .words import listed

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
    command: Any = None,
    repeats: Path | None = None,
    base: Path | None = None,
) -> None:
    """Trains the artifact in `folder`, writing to the folder `run`; this process does its share if it is in a group.

    `paths` take the place of those in the configuration's section `data` (data.open). A folder with checkpoints is an error unless `resume` (go on from
    the newest) or `overwrite` (delete them). SIGINT, SIGTERM and SIGHUP end the run after the step, with a checkpoint.
    A new run begins with the weights at `source`, which overrides the configuration's `train.from`; without either, with drawn ones. Where these are
    adapters alone, `base` (the configuration's) has the weights that they stand beside.
    A run in which nothing happens for `watchdog` seconds is ended; 0: never. The steps of `window` are profiled.
    `command` is what the run's history says of the command; a run that `repeats` the one in another folder is held against that one's history.
    """
    artifact = load(folder)
    settings = settings_of(artifact)
    configured = _configured_source(artifact)
    beginning = source or configured

    @cache
    def source_at() -> pretrained.Source | None:
        if beginning is None:
            return _refuse_drawn_base(artifact)
        found = pretrained.source_at(beginning, base or configured)
        pretrained.check(artifact, found)
        return found

    if not resume:
        source_at()
    pipeline = data.open(artifact, paths)
    _refuse_unjudged(artifact, settings, pipeline)
    run.mkdir(parents=True, exist_ok=True)

    with (
        RunLock(run) if group.is_first() else nullcontext(),
        group.stop_signal() as stops_at,
        group.Watchdog(watchdog, run, HUNG) as watch,
    ):
        goodput = Goodput(run)
        watch.rest()
        start, weights = _prepare_run(run, settings, resume, overwrite, source_at)
        if overwrite and group.is_first():
            watch.clear_others()
        if group.is_first():
            step, begun_with = (start.step, None) if start else (0, weights)
            made_of = history.start_of(artifact, run, pipeline.settings, begun_with, command, step)
            run_files.keep_log(run)
            if start is not None:
                _compare_record(checkpoint.read_record(start), artifact, pipeline, history.changed_files(run, made_of))
            run_files.describe(artifact, run)
            if repeats is not None and start is None:
                history.compare(repeats, run, made_of)
            history.add(run, made_of)
        session = _Session(artifact, run, settings, pipeline, weights, window, stops_at, watch, goodput)
        session.train(start)


@dataclass
class _Session:
    """What this process does for a run, from a checkpoint or the beginning to the last step or a signal."""

    artifact: Artifact
    run: Path
    settings: Settings
    pipeline: data.Pipeline
    source: pretrained.Source | None
    window: Window | None
    stops_at: Callable[[int], bool]
    watch: group.Watchdog
    goodput: Goodput
    base: Base | None = None
    """What checkpoints leave out."""
    read: int = 0
    """How many parameters came from `source`."""

    def train(self, start: checkpoint.Saved | None) -> None:
        """Trains; a run that is rolled back goes on from its last checkpoint, behind the batch that was bad."""
        state, step, record = self._state(start)
        self._say_start(step, start is not None)
        _say_warmup(self.artifact, self.settings.steps)
        bad_steps = BadSteps(self.artifact, record and record["bad_steps"])
        position = record and record["data"]["position"]
        with self.goodput.spent_on("compile"):
            self.watch.rest()
            programs = (
                TrainSteps(self.artifact, self.pipeline.entries),
                evaluator_of(self.artifact, self.pipeline, self.settings.evaluation.batches),
                sampler_of(self.artifact, self.settings.seed),
            )
            self.watch.beat("the programs were compiled")
        # One for the whole run: a rollback goes on within a window.
        profiler = Profiler(self.run, self.window, programs[0].executables, self.watch)
        while True:
            try:
                self._go_on(state, step, position, programs, bad_steps, profiler)
                return
            except RollBack as bad:
                position = bad.position
                state, step, _ = self._state(checkpoint.newest(self.run, aside=True))
                bad_steps.rolled_back(bad, step)

    def _state(self, start: checkpoint.Saved | None) -> tuple[Arrays, int, dict[str, Any] | None]:
        """The state, the step and the record of a checkpoint, or of the beginning."""
        self.watch.rest()
        if start is None:
            state = self._initial_state()
            self.base = self._left_out()
            self.watch.beat("init was run")
            return state, 0, None
        ports = named(self.artifact.program("init").outputs, "state")
        state, record = pretrained.restore(self.artifact, start, ports), checkpoint.read_record(start)
        self.base = self._still_left_out(base_of(record))
        self.watch.beat(f"the checkpoint of step {start.step} was read")
        return state, start.step, record

    def _initial_state(self) -> Arrays:
        artifact, seed = self.artifact, self.settings.seed
        with self.goodput.spent_on("compile"):
            init = Entry(artifact, "init")
        state = init({"key": np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)})
        if self.source is None:
            return state
        found = pretrained.initial(artifact, self.source.place, artifact.program("init").outputs, self.source.adapters)
        self.read = sum(array.size for name, array in found.items() if name.startswith(checkpoint.PARAMETERS))
        return {**state, **found}

    def _left_out(self) -> Base | None:
        """Beside adapters, what was read and is not trained need not be written again and again."""
        if self.source is None or "lora" not in self.artifact.config:
            return None
        return base_at(self.source.path, () if self.settings.checkpoint.base else frozen(self.artifact))

    def _still_left_out(self, base: Base | None) -> Base | None:
        """A run that goes on may train more than before, or have checkpoints hold more."""
        if base is None:
            return None
        names = () if self.settings.checkpoint.base else frozen(self.artifact).intersection(base.names)
        return replace(base, names=tuple(sorted(names)))

    def _say_start(self, step: int, resumed: bool) -> None:
        artifact, source = self.artifact, self.source
        parameters, fixed = run_files.parameters_of(artifact), frozen(artifact)
        weights = source and {
            "path": str(source.path),
            "adapters": None if source.adapters is None else str(source.adapters),
            "parameters": self.read,
        }
        events.emit(
            "start",
            name=artifact.name,
            parameters=artifact.parameters,
            frozen=sum(run_files.elements(port) for port in parameters if port.name in fixed),
            weights=weights,
            step=step,
            steps=self.settings.steps,
            resumed=resumed,
            tokens_per_step=_tokens_per_step(named(artifact.program("train_step").inputs, "batch")),
            **self.pipeline.facts(),
            run=str(self.run),
            device=pjrt.devices()[0]["kind"],
            devices=pjrt.mesh_size(artifact.mesh),
            processes=group.size(),
            parameter_groups=run_files.parameter_groups(parameters),
        )
        for message in self.pipeline.warnings():
            events.emit("log", level="warning", message=message)

    def _go_on(
        self,
        state: Arrays,
        step: int,
        position: dict[str, Any] | None,
        programs: tuple[TrainSteps, Evaluator | None, Sampler | None],
        bad_steps: BadSteps,
        profiler: Profiler,
    ) -> None:
        """Steps from `step` to the last, or to where `stops_at` says so."""
        with (
            closing(self.pipeline.feed(position)) as feed,
            closing(open_tracker(self.artifact, self.run, after=step)) as tracker,
        ):
            done = self._loop(state, step, feed, tracker, *programs, bad_steps, profiler)
            picture = self.run / "loss.png"
            with self.goodput.spent_on("startup"):
                if group.is_first():
                    curve.draw(tracker.metrics.entries, picture, self.artifact.name)
            events.emit("curve", path=str(picture), metrics=str(tracker.metrics.path))
        self.goodput.say()
        self.goodput.write(ended=True)
        events.emit("done", **done, **bad_steps.counts())

    def _loop(
        self,
        state: Arrays,
        step: int,
        feed: data.Feed,
        tracker: Tracker,
        steps: TrainSteps,
        evaluator: Evaluator | None,
        sampler: Sampler | None,
        bad_steps: BadSteps,
        profiler: Profiler,
    ) -> dict[str, Any]:
        artifact, settings, watch, goodput = self.artifact, self.settings, self.watch, self.goodput
        program = artifact.program("train_step")
        batch_ports, metric_ports = named(program.inputs, "batch"), named(program.outputs, "metric")
        meter = Meter(settings, work_of(artifact, _tokens_per_step(batch_ports)), tracker, goodput, bad_steps)
        record = {
            "data": self.pipeline.identity(),
            "config": artifact.config,
            "train_step": _step_print(artifact),
            "versions": pjrt.versions(),
            **({"base": self.base.as_json()} if self.base else {}),
        }
        left_out = self.base.names if self.base else ()
        running: pjrt.Array | None = None
        with goodput.spent_on("compile"):
            watch.rest()
            anomalies = open_anomalies(artifact, self.run, watch)
            probe = probe_of(artifact, self.run)
            controller = control.learner(artifact)
            metric_ports += controller.metrics if controller else []

        def evaluated(number: int, of: int | None) -> None:
            what = f"batch {number} of an evaluation was begun" if of is None else f"batch {number} of {of} of an evaluation was done"
            watch.beat(what)

        with Saver(self.run, settings.checkpoint, artifact) as saver:

            def save(loss: float | None, all: bool = False) -> None:
                steps.flush()
                meter.flush()
                where_now = {"data": {**record["data"], "position": feed.state()}, "bad_steps": bad_steps.counts()}
                began = time.monotonic()
                # A save waits for the one before: a distant disk takes the time that it takes.
                watch.rest()
                with goodput.spent_on("checkpoint"):
                    kept = {name: array for name, array in state.items() if name not in left_out}
                    begun = saver.save(step, kept, {**record, **where_now}, loss, all)
                blocked = round((time.monotonic() - began) * 1e3, 1)
                for saved in begun:
                    events.emit("checkpoint", step=step, path=str(saved), blocked_ms=blocked)
                watch.beat(f"the checkpoint of step {step} was begun")
                meter.skip(step)

            watch.beat("the data and the checkpoints were opened")
            goodput.loop_began()
            stopped, loss = False, None
            ended = reason_to_stop(tracker.metrics.all("validation_loss"), settings.evaluation)
            while step < settings.steps and ended is None:
                stopped = self.stops_at(step)
                if stopped:
                    break
                profiler.begin(step + 1, state)
                with goodput.waiting_for_data(lambda: pjrt.is_busy(running)):
                    given = feed.next()
                    arrays = {**state, **steps.place(given)}
                outputs = steps.run(given.entry, arrays)
                if anomalies:
                    anomalies.look(step + 1, arrays, outputs, given.entry)
                if controller:
                    outputs |= controller({**state, **outputs})
                state = {name: outputs[name] for name in state}
                running = outputs[metric_ports[0].name] if metric_ports else None
                step += 1
                bad_steps.began(step, feed)
                meter.add(step, {port.name: outputs[port.name] for port in metric_ports})
                watch.beat(f"step {step - 1} ended")
                if profiler.end(step, state):
                    meter.flush()
                    meter.skip(step)
                loss = None
                if evaluator and (step % settings.evaluation.every == 0 or step == settings.steps):
                    meter.flush()
                    with goodput.spent_on("evaluation"):
                        found = evaluator(state, evaluated)
                    loss = found.loss
                    meter.evaluated(step, loss, found.tokens)
                    ended = reason_to_stop(tracker.metrics.all("validation_loss"), settings.evaluation)
                if sampler and (step % sampler.every == 0 or step == settings.steps):
                    meter.flush()
                    with goodput.spent_on("evaluation"):
                        sampler.write(step, state, tracker, watch.beat)
                    meter.skip(step)
                if probe and probe.due(step, settings.steps):
                    meter.flush()
                    with goodput.spent_on("evaluation"):
                        probe.look(step, {**arrays, **state}, tracker)
                    meter.skip(step)
                if saver.due(step) or (loss is not None and saver.improves(loss)):
                    save(loss)
                saver.check()
            meter.flush()
            profiler.close(step)
            if ended is not None:
                events.emit("log", level="info", message=f"{ended} The run ends at step {step}.")
            if stopped:
                events.emit("log", level="info", message=f"Stopped after step {step}; saving a checkpoint.")
            save(loss, all=True)
            watch.rest()
            with goodput.spent_on("checkpoint"):
                # What ends a run may not have the time; its next start writes them.
                saver.wait(weights=not stopped)
            watch.beat("the last checkpoint was written")
        return {
            "step": step,
            "steps": settings.steps,
            "interrupted": stopped,
            "ended_early": ended,
            "seconds": meter.seconds(),
            "loss": meter.loss,
            **({} if meter.validation_loss is None else {"validation_loss": meter.validation_loss}),
        }


def _tokens_per_step(batch: list[Port]) -> int:
    """Targets of a batch: a window of tokens has one less."""
    *rows, window = next(port.shape for port in batch if port.name.endswith("tokens"))
    return int(np.prod(rows)) * (window - 1)


def _configured_source(artifact: Artifact) -> Path | None:
    configured = artifact.config["train"].get("from")
    return Path(configured) if configured else None


def _refuse_drawn_base(artifact: Artifact) -> None:
    """Raises Problem where a run that begins with drawn weights would train adapters of theirs, and leave them as they are."""
    if "lora" in artifact.config and frozen(artifact):
        raise Problem(
            "usage",
            f"lora.rank={artifact.config['lora']['rank']} trains adapters alone, beside weights that stay as they are, and no weights "
            "are named: they would be random ones.",
            "Say what to begin with: --from PATH (a run, or a folder of safetensors), or train.from. To train the whole model, leave lora out.",
        )


def _refuse_unjudged(artifact: Artifact, settings: Settings, pipeline: data.Pipeline) -> None:
    """Raises Problem where a setting goes by the validation loss, and there will be none."""
    asked = {"eval.patience": settings.evaluation.patience, "checkpoint.best": artifact.config["checkpoint"].get("best")}
    keys = [key for key, value in asked.items() if value]
    if keys and not pipeline.has_validation:
        goes, out = ("goes", "it") if len(keys) == 1 else ("go", "them")
        kept = pipeline.settings.validation
        share = "Keep a share of the data apart (data.validation=0.1)" if kept == 0 else "Keep a larger share apart (data.validation)"
        # What is a duplicate of something that is trained on is left out.
        why = ", but for duplicates" if kept and pipeline.settings.filters.get("duplicates") else ""
        raise Problem(
            "data_missing",
            f"{' and '.join(keys)} {goes} by the validation loss, and there are no validation data in {pipeline.path}{why}.",
            f"{share}, give more, or leave {out} out.",
        )


def _say_warmup(artifact: Artifact, steps: int) -> None:
    """A warm-up that is longer than the run leaves it below its learning rate: it may be meant so, of a short trial."""
    warmup = artifact.config["train"].get("warmup", 0)
    if warmup > steps:
        message = (
            f"train.warmup is {warmup:,} and train.steps {steps:,}: the learning rate rises until the end, and comes to "
            f"{(steps - 1) / warmup:.0%} of train.learningRate. train.warmup=N sets a shorter one."
        )
        events.emit("log", level="warning", message=message)


_WRITTEN = (
    *("run.json", "metrics.jsonl", "performance.jsonl", "goodput.json", "loss.png", "log.txt", "anomalies.jsonl", "wandb-id.txt"),
    *("tensorboard", "profile", "probes", "wandb", "weights"),
)
"""What training writes into a run's folder, beside checkpoints, that an earlier run may have left there."""


def _prepare_run(
    run: Path, settings: Settings, resume: bool, overwrite: bool, source_at: Callable[[], pretrained.Source | None]
) -> tuple[checkpoint.Saved | None, pretrained.Source | None]:
    """The checkpoint to go on from, if any; else the weights to begin with, if any, which `source_at` finds before anything is deleted."""
    remote = settings.checkpoint.remote and checkpoint.remote_tier(run, settings.checkpoint.remote.path)
    weights = source_at() if overwrite else None
    if weights is not None:
        _refuse_to_delete(weights, run, [*checkpoint.tiers(run), run / "weights", *([remote] if remote else [])])
    if overwrite:
        group.wait_for_all("the weights to begin with")
    if group.is_first():
        checkpoint.remember_remote(run, remote)
        if overwrite:
            checkpoint.delete_all(run)
            for path in (run / name for name in _WRITTEN):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    group.wait_for_all("the run's folder")
    if resume:
        start = checkpoint.newest(run, aside=True)
        return start, None if start else source_at()
    there = checkpoint.all_of(checkpoint.tiers(run))
    if there:
        raise Problem(
            "run_exists",
            f"The run's folder {run} has checkpoints already, the newest of step {there[0].step}.",
            "Go on from it with --resume, start anew with --overwrite, or give another folder.",
        )
    return None, weights if overwrite else source_at()


def _refuse_to_delete(weights: pretrained.Source, run: Path, tiers: Iterable[Any]) -> None:
    """Raises Problem where the weights to begin with lie in one of the run's own tiers, or are among the weights that it has written."""

    def real(path: Any) -> str:
        return str(path) if "://" in str(path) else os.path.realpath(path)

    place = weights.place
    needed = [place.saved.path if isinstance(place, pretrained.Run) else place, *([weights.adapters] if weights.adapters else [])]
    for path in needed:
        if any(real(path).startswith(os.path.join(real(tier), "")) for tier in tiers):
            raise Problem(
                "weights",
                f"The weights to begin with are those that --overwrite deletes: {path} belongs to {run} itself.",
                "Give the new run another folder.",
            )


def _compare_record(record: dict[str, Any], artifact: Artifact, pipeline: data.Pipeline, changes: Sequence[str]) -> None:
    """Says what differs from the run that is resumed: allowed, but then it is not the same run any more. `changes`: of its data's files.

    What is saved and told of a run makes no other run of it, in settings or in programs. Raises Problem where its position in the data is
    none in these.
    """
    other_data = pipeline.compare(record["data"], changes)
    before, now = (
        {key: value for key, value in _flat(config).items() if key.split(".")[0] not in ("checkpoint", "log")}
        for config in (record["config"], artifact.config)
    )
    sections = {key.split(".")[0] for key in (*before, *now) if "." in key}
    gone, new = (
        {section for section in sections if not any(key.startswith(f"{section}.") for key in flat)} for flat in (now, before)
    )
    changed = [
        *(f"{section} is left out now" for section in sorted(gone)),
        *(f"{section} was left out before" for section in sorted(new)),
        *(
            f"{key} is {json.dumps(now.get(key))} and was {json.dumps(before.get(key))}"
            for key in sorted({*before, *now})
            if before.get(key) != now.get(key) and key.split(".")[0] not in gone | new
        ),
    ]
    anew = record.get("train_step") not in (None, _step_print(artifact)) and not changed
    differences = {
        f"with other settings: {'; '.join(changed)}": changed,
        "a model that was changed since, or compiled by another xenarc": anew,
        f"on other data: {listed(other_data)}": other_data,
        "with another seed": record["data"]["seed"] != pipeline.settings.seed and "train.seed" not in before,
    }
    for what, differs in differences.items():
        if differs:
            events.emit("log", level="warning", message=f"Resuming {what}.")


def _step_print(artifact: Artifact) -> str:
    """Tells the program of a step from others."""
    return hashlib.sha256(artifact.program("train_step").text.encode()).hexdigest()


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A configuration by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
