"""Windows of one long run of tokens: any of them is read at once, so a batch is a pure function of the seed and the step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .runs import Run

IGNORED = -1
"""The token that is none: neither read by the model nor counted as a target."""

EMPTY = {"tokens": IGNORED, "segments": 0, "mask": 0, "types": -1}
"""What a row holds where there is nothing."""


def empty(ports: Iterable[str], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Arrays of a shape in which there is nothing."""
    return {port: np.full(shape, EMPTY[port], np.int32) for port in ports}


def draws(seed: int, step: int, count: int, stream: int = 0) -> np.ndarray:
    """`count` random numbers of 64 bits: the same for the same seed, step and stream.

    Raw Philox output is specified; numpy's distributions may change from version to version.
    """
    return np.random.Philox(key=seed, counter=[0, 0, stream, step]).random_raw(count)


def at_random(length: int, numbers: np.ndarray, width: int) -> np.ndarray:
    """Where the windows `[rows]` begin that random numbers `[rows]` of 64 bits choose from `length` tokens.

    Modulo by a length is even enough: 64 bits leave a bias below 1e-9 for 10 billion tokens.
    """
    return (numbers % np.uint64(length - width + 1)).astype(np.int64)


def in_order(run: Run, start: int, width: int) -> Iterator[tuple[int, np.ndarray]]:
    """Consecutive windows from the token `start` on, and where each begins; each token but the first is a target exactly once.

    Neighbouring windows share one token: the last target of one is the first input of the next. The last one may be
    shorter.
    """
    for at in range(start, run.size - 1, width - 1):
        yield at, run.read(np.array([at]), min(width, run.size - at))[0]
