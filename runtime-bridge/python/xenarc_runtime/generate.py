"""Streams text from a checkpoint: prefill on the prompt, then a token a step with the donated cache.

Sampling happens inside the programs; here only the settings are handed over.
"""

from __future__ import annotations

import itertools
import math
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import checkpoint, control, events, pjrt, pretrained
from . import tokenizer as tokenizers
from .artifact import Artifact
from .embeddings import Prompted
from .errors import Problem
from .program import Arrays, Entry, load, named
from .session import Session
from .tokenizer import Tokenizer
from .trace import Trace

_SEED_BITS = 0xFFFFFFFF


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen: temperature 0 takes the likeliest, top_k 0 and top_p 1 are off."""

    temperature: float
    top_k: int
    top_p: float
    seed: int


def generate(
    folder: Path,
    run: Path,
    step: int | None,
    prompt: str,
    sampling: Sampling,
    max_tokens: int,
    stop: list[str],
    probes: Path | None = None,
    top: int = 5,
    session: Path | None = None,
    embeddings: Sequence[tuple[Path, int]] = (),
) -> None:
    """Emits `text` events and one `generated` event at the end. SIGINT ends the generation, not with an error.

    It ends at the token that the tokenizer ends texts with. When the context is full, it is filled anew with the last half of the tokens;
    a model with a memory has read the others. The file `session` has what such a model remembers: it is read, if it is there, and written.
    Each of the files `embeddings` has vectors that stand in the prompt, behind so many of its tokens. With `probes`, an artifact with the programs for it, there are `token` events too, with the `top` likeliest tokens each.
    """
    _check(sampling, max_tokens)
    artifact = load(folder)
    tokenizer = tokenizers.open(artifact)
    tokens = encode(tokenizer, prompt)
    prompted = Prompted(artifact, embeddings)
    parameters = _parameters(artifact, run, step)
    text = tokenizer.stream()
    trace = None if probes is None else Trace(load(probes), tokenizer, top)
    output = _Output(stop)
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stopped.append(received))

    started, count, reason = time.monotonic(), 0, "length"
    # What looks on is made for the whole context.
    writer = Writer(artifact, tokenizer, trace, None if trace else len(tokens) + len(prompted) + max_tokens)
    remembered = writer.session(session)
    stream = writer.tokens(parameters, tokens, sampling, remembered, prompted)
    while count < max_tokens:
        if stopped or events.reader_gone():
            reason = "interrupted"
            break
        token = next(stream)
        if count == 0:
            first = time.monotonic()
        count += 1
        if token == tokenizer.eos:
            reason = "eos"
        further = "" if reason == "eos" else text.add(token)
        if trace is not None:
            trace.tell(further)
        if reason == "eos":
            break
        if output.add(further):
            reason = "stop"
            break
    output.finish(text.finish() if reason != "stop" else "")
    remembered.save()
    rest = time.monotonic() - (first if count > 1 else started)
    events.emit(
        "generated",
        tokens=count,
        seconds=round(time.monotonic() - started, 3),
        tokens_per_second=round((count - 1) / rest, 1) if count > 1 and rest > 0 else None,
        reason=reason,
        context=writer.context,
    )


def encode(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """The tokens of a prompt. Raises Problem if there are none."""
    tokens = tokenizer.encode(prompt).tolist()
    if not tokens:
        raise Problem("prompt", "The prompt is empty.", "Give at least one character.")
    return tokens


class Writer:
    """The programs that write text, compiled once; what they write depends on the parameters that are given each time."""

    def __init__(
        self, artifact: Artifact, tokenizer: Tokenizer, trace: Trace | None = None, longest: int | None = None
    ) -> None:
        """`longest`: how many tokens texts come to at the most, prompt and all. Default: any number."""
        self._tokenizer = tokenizer
        self._artifact = artifact
        self._trace = trace
        self._length = _length_for(artifact, longest)
        self._prefill = Entry(artifact, f"prefill{self._length}")
        self._decode = Entry(artifact, f"decode_step{self._length}")
        self._actor = control.actor(artifact)
        ports = {port.name: port for port in artifact.program(f"prefill{self._length}").inputs}
        self._batch, self.context = ports["tokens"].shape
        """How many tokens the programs see at once."""
        self._caches = [port.name for port in named(artifact.program(f"decode_step{self._length}").inputs, "cache")]

    def session(self, file: Path | None = None) -> Session:
        """What is remembered before a text, of a file if there is one."""
        return Session(self._artifact, file, self._length)

    def text(self, parameters: Arrays, prompt: str, sampling: Sampling, tokens: int, told: Callable[[int], None]) -> str:
        """What follows a prompt: so many tokens, or fewer where the text ends. `told`: of each token, by its number from 1, when it is there."""
        stream = self._tokenizer.stream()
        text = ""
        following = itertools.islice(self.tokens(parameters, encode(self._tokenizer, prompt), sampling), tokens)
        for number, token in enumerate(following, 1):
            told(number)
            if token == self._tokenizer.eos:
                break
            text += stream.add(token)
        return text + stream.finish()

    def tokens(
        self,
        parameters: Arrays,
        prompt: list[int],
        sampling: Sampling,
        session: Session | None = None,
        prompted: Prompted | None = None,
    ) -> Iterator[int]:
        """Token after token without end. The next step is started before the last one's token is waited for, unless it is traced."""
        session = session or self.session()
        prompted = prompted or Prompted(self._artifact)
        batch, context = self._batch, self.context
        settings = {
            "temperature": np.float32(sampling.temperature),
            "top_k": np.int32(sampling.top_k),
            "top_p": np.float32(sampling.top_p),
        }

        def reading(history: list[int]) -> Arrays:
            padded = np.zeros((batch, context), np.int32)
            padded[:, : len(history)] = np.maximum(history, 0)
            return {
                **parameters,
                **settings,
                **session.arrays,
                **prompted.arrays(history, batch, context),
                "tokens": padded,
                "length": np.full(batch, len(history), np.int32),
                "key": _key(sampling.seed, drawn),
            }

        def fill(history: list[int]) -> dict[str, pjrt.Array]:
            return run("prefill", reading(history), len(history))

        def run(name: str, arrays: Arrays, length: int) -> dict[str, pjrt.Array]:
            entry = self._prefill if name == "prefill" else self._decode
            if self._trace is None:
                return entry(arrays)
            return self._trace.run(name, entry, arrays, len(prompt) + drawn - length, length)

        prompt = prompted.among(prompt, context)
        if self._trace is not None:
            self._trace.begin(prompt)
        drawn = 0
        first = context - context // 2
        # A model with a memory reads all of a long prompt.
        while session.remembers and len(prompt) > context:
            session.read(self._prefill(reading(prompt[:context])), context)
            session.after(first)
            prompt = prompt[first:]
        history = prompt[-context:]
        outputs = fill(history)
        parameters = self._controlled(parameters, outputs)
        session.read(outputs, len(history))
        while True:
            drawn += 1
            position = len(history)
            if position < context:
                following = run(
                    "decode_step",
                    {
                        **parameters,
                        **settings,
                        **{name: outputs[name] for name in self._caches},
                        "token": outputs["next_token"],
                        "position": np.full(batch, position, np.int32),
                        "key": _key(sampling.seed, drawn),
                    },
                    position + 1,
                )
                token = int(np.asarray(outputs["next_token"])[0])
                history.append(token)
            else:
                token = int(np.asarray(outputs["next_token"])[0])
                session.after(first)
                history = [*history[-(context // 2) :], token][-context:]
                following = fill(history)
                parameters = self._controlled(parameters, following)
            session.read(following, len(history))
            self._prefill.flush()
            yield token
            outputs = following


    def _controlled(self, parameters: Arrays, outputs: Arrays) -> Arrays:
        """The parameters with the values of the run that follow from what was observed of the tokens read."""
        return {**parameters, **self._actor({**parameters, **outputs})} if self._actor else parameters


_PREFILL = re.compile(r"prefill(_(\d+))")


def _length_for(artifact: Artifact, tokens: int | None) -> str:
    """How the names of the programs end that are for texts of so many tokens: the shortest of those that hold them, or those for the whole context."""
    found = [match for match in map(_PREFILL.fullmatch, artifact.programs) if match and int(match[2]) >= (tokens or math.inf)]
    return min(found, key=lambda match: int(match[2]))[1] if found else ""


def _key(seed: int, drawn: int) -> np.ndarray:
    """A key of its own for each token; Threefry makes unrelated numbers of neighbouring keys."""
    return np.array([seed & _SEED_BITS, drawn], np.uint32)


class _Output:
    """Emits text as it comes, but holds back what may be the beginning of a stop text."""

    def __init__(self, stop: list[str]) -> None:
        self._stop = [text for text in stop if text]
        self._held = ""

    def add(self, text: str) -> bool:
        """Takes further text; true if a stop text is complete, which itself is not emitted."""
        self._held += text
        found = [at for at in map(self._held.find, self._stop) if at >= 0]
        if found:
            self._emit(min(found))
            self._held = ""
            return True
        self._emit(len(self._held) - self._suspicious())
        return False

    def finish(self, text: str) -> None:
        """Emits what is left."""
        self._held += text
        self._emit(len(self._held))

    def _suspicious(self) -> int:
        """The length of the longest end of the held text that a stop text begins with."""
        longest = 0
        for stop in self._stop:
            for size in range(min(len(stop) - 1, len(self._held)), longest, -1):
                if self._held.endswith(stop[:size]):
                    longest = size
                    break
        return longest

    def _emit(self, size: int) -> None:
        if size > 0:
            events.emit("text", text=self._held[:size])
            self._held = self._held[size:]


def _parameters(artifact: Artifact, run: Path, step: int | None) -> Arrays:
    ports = [*named(artifact.program("prefill").inputs, "state"), *control.actor_ports(artifact)]
    items = checkpoint.items_of(ports)
    saved = checkpoint.newest(run, items) if step is None else checkpoint.at(run, step, items)
    if saved is None:
        raise Problem("checkpoint_missing", f"There is no checkpoint in {run}.", "Train first: xenarc train")
    return pretrained.restore(artifact, saved, ports)


def _check(sampling: Sampling, max_tokens: int) -> None:
    rules = {
        "--temperature must be 0 or more.": sampling.temperature >= 0,
        "--top-k must be 0 (off) or more.": sampling.top_k >= 0,
        "--top-p must be above 0 and at most 1 (off).": 0 < sampling.top_p <= 1,
        "--max-tokens must be 1 or more.": max_tokens >= 1,
    }
    for rule, holds in rules.items():
        if not holds:
            raise Problem("usage", rule)
