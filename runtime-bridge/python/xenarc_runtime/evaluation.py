"""The loss over the validation data: while a model is trained, and of a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from . import checkpoint, data, events, history, pretrained
from . import tokenizer as tokenizers
from .artifact import Artifact
from .errors import Problem
from .program import Arrays, Entry, load, named
from .settings import EvalSettings
from .tokenizer import Tokenizer
from .words import listed


@dataclass(frozen=True)
class Evaluation:
    """The mean loss over so many tokens, and of what layers report, by name, the mean over the batches."""

    loss: float
    tokens: int
    reported: Mapping[str, np.ndarray]


Beat = Callable[[int, int | None], None]
"""Told of every batch that is begun, by its number, from 1, and again when it is done: its number, and how many there are."""
Evaluator = Callable[[Arrays, Beat], Evaluation]


def reason_to_stop(losses: Sequence[float], settings: EvalSettings) -> str | None:
    """Why a run with these validation losses, oldest first, ends early; None: it goes on.

    A loss is better that is more than `min_delta` below the best before it. One that is not finite is none.
    """
    if settings.patience is None:
        return None
    best, since = math.inf, 0
    for loss in losses:
        better = loss < best - settings.min_delta
        best, since = (loss, 0) if better else (best, since + 1)
    if since < settings.patience:
        return None
    least = f" by more than {settings.min_delta:g}" if settings.min_delta else ""
    return f"The validation loss has not gone below {best:.4f}{least} in {since} evaluations (eval.patience)."


def evaluator_of(artifact: Artifact, pipeline: data.Pipeline, batches: int | None = None) -> Evaluator | None:
    """A function from the state to what it is on the validation data, or so many batches of them; None if there are none.

    Raises Problem where nothing in them is learnt.
    """
    if "eval_step" not in artifact.programs or not pipeline.has_validation:
        return None
    program = artifact.program("eval_step")
    names = [port.name for port in named(program.inputs, "state")]
    ports = named(program.inputs, "batch")
    if not any(_targets(batch)[1].any() for batch in islice(pipeline.validation(ports), batches)):
        raise Problem(
            "data_missing",
            f"No token of {'the validation data' if batches is None else f'the first {batches:,} batches of validation data'} counts:"
            " where answers alone are learnt, none is within the model's context.",
            "Compile the model with a longer context, leave out long prompts, evaluate more batches, or keep no validation data (data.validation=0).",
        )
    run = Entry(artifact, "eval_step")
    reports = [port.name for port in named(program.outputs, "metric") if port.name not in ("loss_sum", "count")]

    def evaluate(state: Arrays, beat: Beat) -> Evaluation:
        parameters = {name: state[name] for name in names}
        # All batches are started before the first result is read.
        results = []
        for number, batch in enumerate(islice(pipeline.validation(ports), batches), 1):
            results.append(run({**parameters, **batch}))
            beat(number, None)
        run.flush()
        total, count = 0.0, 0.0
        for number, result in enumerate(results, 1):
            total += float(np.asarray(result["loss_sum"]))
            count += float(np.asarray(result["count"]))
            beat(number, len(results))
        reported = {name: np.mean([np.asarray(result[name]) for result in results], axis=0) for name in reports}
        return Evaluation(total / count, round(count), reported)

    return evaluate


def required_evaluator(artifact: Artifact, pipeline: data.Pipeline, batches: int | None) -> Evaluator:
    """The same, where there must be validation data. Raises Problem if there are none."""
    evaluator = evaluator_of(artifact, pipeline, batches)
    if evaluator is None:
        raise Problem(
            "data_missing",
            "There are no validation data to evaluate on.",
            "Name some with --data, or keep a share of the training data apart: data.validation.",
        )
    return evaluator


def held_out_data(artifact: Artifact, run: Path, paths: Sequence[str]) -> data.Pipeline:
    """What a run is evaluated on: all of what is at `paths`; without, what it kept for validation of the data that it was trained on."""
    if paths:
        return data.open(artifact, paths, held_out=True)
    pipeline = data.open(artifact, history.data_of(run))
    changes = history.changed_data(run, pipeline.settings)
    if changes:
        message = f"The data are not those of the run: {listed(changes)}. It may have been trained on some of what it is evaluated on."
        events.emit("log", level="warning", message=message)
    return pipeline


def saved_at(run: Path, step: int | None, items: Sequence[str]) -> checkpoint.Saved:
    """A run's checkpoint of a step, or its newest. Raises Problem if there is none."""
    saved = checkpoint.newest(run, items) if step is None else checkpoint.at(run, step, items)
    if saved is None:
        raise Problem("checkpoint_missing", f"There is no checkpoint in {run}.", "Train first: xenarc train")
    return saved


def evaluate(folder: Path, run: Path, step: int | None, paths: Sequence[str], batches: int | None) -> None:
    """Emits an `evaluated` event: of a checkpoint of a run, over its validation data or over all of what is at `paths`."""
    artifact = load(folder)
    pipeline = held_out_data(artifact, run, paths)
    evaluator = required_evaluator(artifact, pipeline, batches)
    ports = named(artifact.program("eval_step").inputs, "state")
    saved = saved_at(run, step, checkpoint.items_of(ports))
    found = evaluator(pretrained.restore(artifact, saved, ports), lambda *_: None)
    loss, tokens = found.loss, found.tokens
    batch_ports = named(artifact.program("eval_step").inputs, "batch")
    size = _bytes(tokenizers.open(artifact), islice(pipeline.validation(batch_ports), batches))
    events.emit(
        "evaluated",
        step=saved.step,
        loss=loss,
        perplexity=math.exp(loss) if loss < 700 else None,
        bits_per_byte=loss * tokens / math.log(2) / size if size else None,
        tokens=tokens,
        bytes=size,
        data=pipeline.path,
    )


def _bytes(tokenizer: Tokenizer, batches: Iterator[dict[str, np.ndarray]]) -> int:
    """Bytes of the text of the targets in batches; a character that is cut by the end of a row may count for nothing."""
    total = 0
    for batch in batches:
        tokens, counts = _targets(batch)
        if isinstance(tokenizer, tokenizers.Bytes):
            total += int(counts.sum())
        else:
            total += sum(_bytes_between(tokenizer, row, *span) for row, which in zip(tokens, counts) for span in _spans(which))
    return total


def _targets(batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of a batch `[rows, window]`, and which of them are targets that count."""
    parts = {name.rpartition("/")[2]: array for name, array in batch.items()}
    counts = parts["tokens"] >= 0
    counts[:, 0] = False
    if "segments" in parts:
        counts[:, 1:] &= parts["segments"][:, 1:] == parts["segments"][:, :-1]
    if "mask" in parts:
        counts &= parts["mask"] != 0
    return parts["tokens"], counts


def _spans(which: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where neighbours are all true: the first, and behind the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], which, [False]])))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


_CONTEXT = 4
"""A token's text depends on so many tokens before it: on whether a space is left out at the beginning, on the first bytes of a character."""


def _bytes_between(tokenizer: Tokenizer, row: np.ndarray, first: int, last: int) -> int:
    """Bytes that the tokens from `first` to before `last` add to the text of those before them."""
    before = row[max(0, first - _CONTEXT) : first]
    texts = (tokenizer.decode(ids[ids >= 0].tolist()) for ids in (before, np.concatenate([before, row[first:last]])))
    without, whole = (len(text.strip("\ufffd").encode()) for text in texts)
    return whole - without
