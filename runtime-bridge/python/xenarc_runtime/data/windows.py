"""Windows of one long run of tokens: any of them is read at once, so a batch is a pure function of the seed and the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from .runs import Run

IGNORED = -1
"""The token that is none: neither read by the model nor counted as a target."""

_NOTHING = {"segments": 0, "mask": 0}
"""What stands for nothing where it is not -1."""

Ports = Mapping[str, tuple[int, ...] | None]
"""What rows have, by name: None for a whole number for each token (i32), or the shape of what a row has of vectors (f32)."""


def empty(ports: Ports, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Arrays for rows of a shape `[..., window]` in which there is nothing."""
    return {
        name: np.full(shape, _NOTHING.get(name, -1), np.int32) if vectors is None else np.zeros((*shape[:-1], *vectors), np.float32)
        for name, vectors in ports.items()
    }


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
