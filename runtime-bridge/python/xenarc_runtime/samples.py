"""Text that the model writes while it is trained, by the programs that `generate` uses, with the parameters of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import control, events, group
from . import tokenizer as tokenizers
from .artifact import Artifact
from .generate import Sampling, Writer, encode
from .program import Arrays, named
from .tracking import Tracker


@dataclass(frozen=True)
class Schedule:
    """`log.samples` of the configuration."""

    every: int
    prompts: list[str]
    tokens: int
    temperature: float


class Sampler:
    """Writes a text for each prompt. Its two programs are compiled, and hold memory, only if `log.samples` is there."""

    def __init__(self, artifact: Artifact, schedule: Schedule, seed: int) -> None:
        self.every = schedule.every
        self._schedule = schedule
        tokenizer = tokenizers.open(artifact)
        longest = max(len(encode(tokenizer, prompt)) for prompt in schedule.prompts) + schedule.tokens
        self._writer = Writer(artifact, tokenizer, longest=longest)
        ports = [*named(artifact.program("prefill").inputs, "state"), *control.actor_ports(artifact)]
        self._names = [port.name for port in ports]
        self._sampling = Sampling(schedule.temperature, top_k=0, top_p=1.0, seed=seed)

    def write(self, step: int, state: Arrays, tracker: Tracker, beat: Callable[[str], None]) -> None:
        """The same seed for every step: what differs is what was learnt. `beat`: told of each token."""
        parameters = {name: state[name] for name in self._names}
        tokens = self._schedule.tokens
        for number, prompt in enumerate(self._schedule.prompts):

            def told(token: int, number: int = number) -> None:
                beat(f"token {token} of {tokens} of sample {number} was written")

            text = self._writer.text(parameters, prompt, self._sampling, tokens, told)
            tracker.text(step, f"samples/{number}", prompt + text)
            events.emit("sample", step=step, prompt=prompt, text=text)


def sampler_of(artifact: Artifact, seed: int) -> Sampler | None:
    """The sampler that the artifact's `log.samples` asks for."""
    settings: Mapping[str, Any] | None = artifact.config.get("log", {}).get("samples")
    if not settings:
        return None
    token = next(port for port in artifact.program("prefill").outputs if port.name == "next_token")
    if group.size() > 1 and any(token.sharding):
        message = f"log.samples is left out: no process has all of `{token}`, which is split over the mesh."
        events.emit("log", level="warning", message=message)
        return None
    return Sampler(artifact, Schedule(**settings), seed)
