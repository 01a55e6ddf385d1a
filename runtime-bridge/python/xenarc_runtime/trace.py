"""Says token by token what the model saw while it wrote: how probable the token was, and what besides; activations, attention.

Two programs (`probe_prefill`, `probe_decode_step`) look at what the two that write are given, before these run: the text is the
same with and without, and the time of a token is that of the program that found it.
"""

from __future__ import annotations

import base64
import time
from collections import deque
from typing import Any

import numpy as np

from . import events, pjrt
from .artifact import Artifact
from .errors import Problem
from .program import Arrays, Entry
from .tokenizer import Bytes, Tokenizer

KEYS = 8
"""How many of the tokens that a head attends to are told, the strongest first."""


class Trace:
    """Looks at every step of a generation; emits a `prompt` event and a `token` event for each token."""

    def __init__(self, probes: Artifact, tokenizer: Tokenizer, top: int) -> None:
        if top < 1:
            raise Problem("usage", "--top must be 1 or more.")
        self._probes = {name: Entry(probes, f"probe_{name}") for name in ("prefill", "decode_step")}
        self._tokenizer = tokenizer
        self._top = top
        self._prompt: list[int] = []
        self._before: int | None = None
        self._told: deque[dict[str, Any]] = deque()

    def begin(self, prompt: list[int]) -> None:
        """What is written on from; below 0: not a token, but a vector in the place of one."""
        self._prompt = prompt

    def run(self, name: str, entry: Entry, arrays: Arrays, first: int, length: int) -> dict[str, pjrt.Array]:
        """Runs an entry point that sees `length` tokens from the position `first` on, and remembers what it saw."""
        sight = {key: np.asarray(value) for key, value in self._probes[name](arrays).items()}
        started = time.perf_counter()
        outputs = entry(arrays)
        chosen = int(np.asarray(outputs["next_token"])[0])
        seconds = time.perf_counter() - started
        if "following" in sight and self._before is None:
            self._tell_prompt(sight["following"][: length - 1])
        self._told.append({"first": first, "seconds": _short(seconds), **self._seen(sight, first, length, chosen)})
        self._before = chosen
        return outputs

    def tell(self, text: str) -> None:
        """Emits the event of the next token; `text` is what it adds to the text."""
        told = self._told.popleft()
        events.emit("token", text=text, **told)

    def _tell_prompt(self, following: np.ndarray) -> None:
        unknown = [None] * (len(self._prompt) - len(following))
        probabilities = [*unknown, *map(_short, following)]
        stream = self._tokenizer.stream()
        tokens = [
            {"id": token, "text": stream.add(token) if token >= 0 else "", "probability": probability}
            for token, probability in zip(self._prompt, probabilities, strict=True)
        ]
        events.emit("prompt", tokens=tokens)
        self._before = max(self._prompt[-1], 0)

    def _seen(self, sight: dict[str, np.ndarray], first: int, length: int, chosen: int) -> dict[str, Any]:
        probabilities = sight["probabilities"].astype(np.float64)
        likeliest = np.argsort(-probabilities, kind="stable")[: self._top]
        activations: dict[str, dict[str, list[float]]] = {}
        attention = {}
        for name, value in sight.items():
            kind, _, path = name.partition("/")
            if kind == "activations":
                module, _, number = path.rpartition("/")
                activations.setdefault(module, {})[number] = [_short(x) for x in value.reshape(-1)]
            elif kind == "attention":
                heads, keys = value.shape[-3], value.shape[-1]
                attention[path] = _attention(value.reshape(-1, heads, keys)[..., :length], first)
        return {
            "position": first + length,
            "id": chosen,
            "probability": _short(probabilities[chosen]),
            "rank": 1 + int((probabilities > probabilities[chosen]).sum()),
            "entropy": _short(_entropy(probabilities)),
            "top": [
                {"id": int(i), "text": self._piece(int(i)), "probability": _short(probabilities[i])} for i in likeliest
            ],
            "activations": activations,
            "attention": attention,
        }

    def _piece(self, token: int) -> str:
        """What a token would add to the text; a byte that is no character by itself as its number."""
        if isinstance(self._tokenizer, Bytes) and token > 0x7F:
            return f"<0x{token:02X}>"
        before = [] if self._before is None else [self._before]
        return self._tokenizer.decode([*before, token], special=True)[len(self._tokenizer.decode(before, special=True)) :]


def _attention(rows: np.ndarray, first: int) -> dict[str, Any]:
    """Of probabilities [layer, head, key]: by layer and head their entropy (nats) and the strongest keys; all of them as a picture.

    `rows` has a byte for each: 255 times the root of the probability, so that small ones are seen as well.
    """
    strongest = np.argsort(-rows, axis=-1, kind="stable")[..., :KEYS]
    heads = [
        [
            {
                "entropy": _short(_entropy(row.astype(np.float64))),
                "keys": [[first + int(k), _short(row[k])] for k in places if row[k] > 0],
            }
            for row, places in zip(layer, of_layer, strict=True)
        ]
        for layer, of_layer in zip(rows, strongest, strict=True)
    ]
    picture = np.round(255 * np.sqrt(np.clip(np.nan_to_num(rows), 0, 1))).astype(np.uint8)
    return {"layers": heads, "rows": base64.b64encode(picture.tobytes()).decode()}


def _entropy(probabilities: np.ndarray) -> float:
    """In nats."""
    some = probabilities[probabilities > 0]
    return float(-(some * np.log(some)).sum()) + 0.0


def _short(number: float) -> float:
    """Six digits: what a float32 has."""
    return float(f"{float(number):.6g}")
