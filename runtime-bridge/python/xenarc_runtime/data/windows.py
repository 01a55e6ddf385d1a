"""Windows of one long run of tokens: any of them is read at once, so a batch is a pure function of the seed and the step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

IGNORED = -1
"""The token that is none: neither read by the model nor counted as a target."""

EMPTY = {"tokens": IGNORED, "segments": 0, "mask": 0}
"""What a row holds where there is nothing."""


def draws(seed: int, step: int, count: int, stream: int = 0) -> np.ndarray:
    """`count` random numbers of 64 bits: the same for the same seed, step and stream.

    Raw Philox output is specified; numpy's distributions may change from version to version.
    """
    return np.random.Philox(key=seed, counter=[0, 0, stream, step]).random_raw(count)


def at_random(tokens: np.ndarray, numbers: np.ndarray, width: int) -> np.ndarray:
    """The windows `[..., width]` of `tokens` that random numbers `[...]` of 64 bits choose.

    Modulo by a length is even enough: 64 bits leave a bias below 1e-9 for 10 billion tokens.
    """
    offsets = (numbers % np.uint64(tokens.size - width + 1)).astype(np.int64)
    return tokens[offsets[..., None] + np.arange(width)].astype(np.int32)


def in_order(tokens: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """Consecutive windows over all of `tokens`; each token but the first is a target exactly once.

    Neighbouring windows share one token: the last target of one is the first input of the next. What is left of the
    last one is IGNORED.
    """
    for start in range(0, tokens.size - 1, width - 1):
        window = tokens[start : start + width]
        row = np.full(width, IGNORED, np.int32)
        row[: window.size] = window
        yield row
