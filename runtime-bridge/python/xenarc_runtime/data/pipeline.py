"""From the configuration's section `data` to batches."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from math import prod
from multiprocessing import connection, parent_process
from os import _exit
from typing import Any

import grain
import numpy as np
from absl import flags

from .. import tokenizer as tokenizers
from ..artifact import Artifact, Port
from ..errors import Problem
from ..program import named, placements
from ..words import listed
from . import settings as data_settings
from . import duplicates, tokens, windows
from .batches import STEP, Batches
from .buckets import Bucket, BucketBatches
from .feed import Feed, kind_of, share_of, tokens_of
from .kinds import TEXT, described, find_source
from .rows import DocumentSource
from .settings import Settings
from .source import Form, Source
from .tokens import Tokens


_FORMS = {
    "kind": "{path} is of the kind {kind}, and was of the kind {old}",
    "field": "the field of {path} is {field}, and was {old}",
}
"""What is said of a source that gives other records of the same files."""

_TRAIN_STEP = re.compile(rf"{STEP}(_\d+)?")


class Pipeline:
    """All data of a run; made by open."""

    def __init__(self, artifact: Artifact, settings: Settings) -> None:
        self._artifact, self.settings = artifact, settings
        self._ports = named(artifact.program(STEP).inputs, "batch")
        first = tokens_of(self._ports)
        self._kinds = {
            kind_of(port): port.shape[len(first.shape) - 1 :] if port.dtype == "f32" else None for port in self._ports
        }
        self._width = first.shape[-1]
        self.sources = list(_sources(Form(settings, tokenizers.open(artifact), self._width, self._kinds)))
        documents = [source for source in self.sources if isinstance(source, DocumentSource)]
        if how := settings.filters.get("duplicates"):
            duplicates.leave_out(documents, how, settings.filters["similarity"])
        self.path = ", ".join(source.path for source in settings.sources)

    def facts(self) -> dict[str, Any]:
        """What the `start` event says of the data."""
        units = {source.unit for source in self.sources}
        return {
            "train_tokens": _sum(source.train_tokens for source in self.sources),
            "validation_tokens": _sum(source.validation_tokens for source in self.sources),
            "records": _sum(source.records for source in self.sources),
            "unit": units.pop() if len(units) == 1 else "tokens",
            "files": sum(len(source.found.files) for source in self.sources),
            "data": self.path,
            "sources": [described(source.found) for source in self.sources],
        }

    def identity(self) -> dict[str, Any]:
        """What a checkpoint keeps, to tell whether a run goes on with the same data."""
        sources = [
            {
                "path": source.found.source.path,
                "kind": source.found.kind.name,
                "field": source.found.source.field,
                "position": source.position,
                "sha256": source.fingerprint,
            }
            for source in self.sources
        ]
        return {"sources": sources, "format": self.settings.format, "seed": self.settings.seed}

    def compare(self, then: dict[str, Any], changes: Sequence[str]) -> list[str]:
        """What is not as in the data of the run that goes on, whose identity is `then`; `changes`: of their files.

        Raises Problem where the run's position is that of a record, which is another one or none in data that have changed. Where
        the position is the step, a run may go on with other tokens.
        """
        now = self.identity()
        before, after = then["sources"], now["sources"]
        if len(before) != len(after):
            raise _no_position([f"there are {len(after)} sources, and there were {len(before)}"])
        said: list[str] = []
        for old, new in zip(before, after, strict=True):
            form = [words.format(**new, old=old[name]) for name, words in _FORMS.items() if old[name] != new[name]]
            if not form and old["position"] == "record" and then["format"] != now["format"]:
                form = [f"data.format is {now['format']}, and was {then['format']}"]
            differing = form or ([] if old["sha256"] == new["sha256"] else changes or [f"{new['path']} is not what it was"])
            if differing and "record" in (old["position"], new["position"]):
                raise _no_position(differing)
            said += [what for what in differing if what not in said]
        return said

    def warnings(self) -> list[str]:
        """What is to be said of the data before training."""
        if not self.settings.whole or tokenizers.open(self._artifact).eos is not None:
            return []
        return ["The tokenizer has no end token: answers are learnt without one, and `xenarc generate` stops where --stop says alone."]

    @property
    def has_validation(self) -> bool:
        """Whether there is a target to evaluate on."""
        rows = (row for source in self.sources for row in source.validation())
        return any((row["tokens"][1:] != windows.IGNORED).any() for row in rows)

    def feed(self, state: dict[str, Any] | None = None) -> Feed:
        """Batches from the beginning, or from where a feed's state was taken."""
        settings = self.settings
        weights = [source.weight for source in settings.sources]
        if settings.buckets:
            entries, share = self.entries, None
            shapes = [Bucket(name, prod(shape[:-1]), shape[-1]) for name, shape in ((n, tokens_of(p).shape) for n, p in entries.items())]
            batches = BucketBatches(self.sources, weights, settings.seed, shapes, self._kinds, settings.whole)
        else:
            first = tokens_of(self._ports)
            entries, share = self.entries, share_of(first, placements(self._artifact, [first])[first.name])
            batches = Batches(self.sources, weights, settings.seed, share, self._width, self._kinds)
        # Windows are found at once: there is no work that others could do.
        workers = 0 if all(isinstance(source, Tokens) for source in self.sources) else settings.workers
        if workers:
            if not flags.FLAGS.is_parsed():
                flags.FLAGS.mark_as_parsed()  # Grain asks for its own; a command line of absl's there is not
            options = grain.MultiprocessingOptions(workers, per_worker_buffer_size=settings.prefetch)
            ahead = batches.mp_prefetch(options, worker_init_fn=_begin_worker)
        else:
            ahead = grain.experimental.ThreadPrefetchIterDataset(batches, prefetch_buffer_size=settings.prefetch)
        return Feed(ahead, entries, share, workers, state)

    @property
    def entries(self) -> dict[str, Sequence[Port]]:
        """The entry points that batches are for, with their ports."""
        programs = self._artifact.programs
        names = [name for name in programs if _TRAIN_STEP.fullmatch(name)] if self.settings.buckets else [STEP]
        return {name: named(programs[name].inputs, "batch") for name in names}

    def validation(self, ports: Sequence[Port]) -> Iterator[dict[str, np.ndarray]]:
        """The validation data in whole batches for the ports of `eval_step`, by their names.

        Every process gets the same. What is left of the last batch is empty.
        """
        rows = (row for source in self.sources for row in source.validation())
        shape = tokens_of(ports).shape
        while found := list(islice(rows, shape[0])):
            batch = windows.empty({kind_of(port): self._kinds[kind_of(port)] for port in ports}, shape)
            for name, array in batch.items():
                array[: len(found)] = [row[name] for row in found]
            yield {port.name: batch[kind_of(port)] for port in ports}


def open(artifact: Artifact, paths: Sequence[str] = (), held_out: bool = False) -> Pipeline:
    """The data that an artifact's configuration names. Raises Problem where they are not there, or bad.

    With `held_out` all of them are for validation. One of `paths` takes the place of all sources; as many as there are sources take the place of their paths.
    """
    settings = data_settings.read(artifact, paths)
    return Pipeline(artifact, replace(settings, validation=1.0) if held_out else settings)


def _sources(form: Form) -> Iterator[Source]:
    """The sources of a mixture: long runs of tokens, or documents."""
    settings = form.settings
    for number, source in enumerate(settings.sources):
        found = find_source(source)
        if found.kind is TEXT and not settings.packing and not settings.buckets:
            _refuse_what_needs_records(settings, f"{source.path} is one text", "With data.packing each file is a document.")
            yield tokens.from_text(found, form)
            continue
        run = tokens.from_files(found, form)
        if run is not None:
            _refuse_what_needs_records(settings, f"{source.path} is one run of tokens", "Take data of records.")
        yield run or DocumentSource(found, form, number)


def _refuse_what_needs_records(settings: Settings, what: str, hint: str) -> None:
    """Nothing of a run of tokens is left out, divided by length, or learnt in part."""
    if settings.whole:
        raise Problem(
            "data_kind",
            f"{what}, and data.format={settings.format} is about records.",
            "Take data of records, such as JSON lines: `kind: jsonl` says it of files whose names do not.",
        )
    given = [f"data.filters.{name}" for name, value in settings.filters.items() if value is not None and name != "similarity"]
    given += ["data.buckets"] if settings.buckets else []
    if given:
        raise Problem("data_kind", f"{what}, and {given[0]} is about records.", f"{hint} Or leave {given[0]} out.")


def _no_position(differing: Sequence[str]) -> Problem:
    return Problem(
        "data_changed",
        f"The run's position in its data is none in these: {listed(differing)}.",
        "Bring them back, or name a copy of them with --data. Other data are for another run, which may begin with the weights of"
        " this one: --run DIR --from RUN",
    )


def _begin_worker(number: int, count: int) -> None:
    """A process that reads ahead leaves signals to its parent, and ends with it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    parent = parent_process()

    def watch() -> None:
        connection.wait([parent.sentinel])
        _exit(1)

    if parent is not None:
        threading.Thread(target=watch, daemon=True).start()


def _sum(counts: Iterable[int | None]) -> int | None:
    """None when one of them is not known."""
    known = list(counts)
    return None if None in known else sum(known)
