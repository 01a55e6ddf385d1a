"""Attention of several resolutions, as docs/hierarchical-attention.md states it, dense: each query and each position has the
path that leads from one to the other, or none, and one softmax goes over all positions and all means of chunks.

Axes: b batch, s seq (q of queries, k of keys), h kvHeads, g group, d headDim, c chunks, e embed, p the paths in the order
of `PATHS`. `at` are the values of the run, each [b]: `window`, `dilation`, `globals`, `chunk` (integers) and `sparsity`.
`options`: `sinks`, `maxGlobals`, `unit` (chunks are multiples of it), `block` (queries that choose chunks together), and
`span`, which global tokens are spread over (the length, unless stated).
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import nn

Array = jax.Array
Values = dict[str, Array]
Options = dict[str, Any]

PATHS = ("local", "global", "sinks", "coarse", "chunks")
LOCAL, GLOBAL, SINKS, COARSE, CHUNKS = range(len(PATHS))
NONE = -1
OFF = -1e29  # a bias at most so large: there is no such path
VALUES = ("window", "dilation", "globals", "chunk", "sparsity")


def _whole_chunk(at: Values, options: Options) -> Array:
    """The positions that a chunk has."""
    unit = options["unit"]
    return jnp.maximum(at["chunk"] // unit, 1) * unit


def _intervals(at: Values, options: Options, length: int) -> tuple[Array, Array, Array]:
    """The first position, the first behind the last, and whether there is one: of `maxGlobals` intervals."""
    span = options.get("span", length)
    number = jnp.minimum(at["globals"], options["maxGlobals"])
    index = jnp.arange(options["maxGlobals"])
    size = jnp.maximum(span // jnp.maximum(number, 1), 1)
    return index * size, (index + 1) * size, index < number


def _global_tokens(selection: Array | None, at: Values, options: Options, length: int) -> Array:
    """Which keys [q, k] queries see as global tokens."""
    position = jnp.arange(length)
    seen = jnp.zeros((length, length), bool)
    for begin, end, there in zip(*_intervals(at, options, length)):
        if selection is None:
            key, since = begin, begin
        else:
            within = (position >= begin) & (position < end) & (position >= options["sinks"])
            key, since = jnp.argmax(jnp.where(within, selection, -jnp.inf)), end - 1
        seen = seen | (there & (position[None, :] == key) & (position[:, None] >= since))
    return seen


def _means(x: Array, size: Array, unit: int) -> Array:
    """The means [c, h, d] of the chunks of x [k, h, d]; what has not ended counts as if the rest were 0."""
    length = len(x)
    chunks = -(-length // unit)
    member = (jnp.arange(length)[None, :] // size) == jnp.arange(chunks)[:, None]
    return jnp.einsum("ck,khd->chd", member.astype(x.dtype), x) / size


def _chosen(query: Array, mean: Array, at: Values, options: Options) -> Array:
    """Which chunks [q, c] are gone through for the block of each of the queries [q, h, g, d]."""
    length = len(query)
    first = jnp.arange(length) // options["block"] * options["block"]
    size, so_far = _whole_chunk(at, options), first + 1
    number = jnp.minimum(at["globals"], options["maxGlobals"])
    left = (
        at["sparsity"] * so_far
        - options["sinks"]
        - jnp.ceil(jnp.minimum(at["window"], so_far) / at["dilation"])
        - so_far * number // options.get("span", length)
    )
    ended = (jnp.arange(len(mean)) + 1) * size <= first[:, None]
    score = jnp.where(ended, jnp.einsum("qhgd,chd->qc", query[first], mean), -jnp.inf)
    place = jnp.argsort(jnp.argsort(-score, axis=1, stable=True), axis=1)
    return ended & (place < jnp.round(left / size)[:, None])


def _paths(
    query: Array, key: Array, selection: Array | None, at: Values, options: Options
) -> tuple[Array, Array]:
    """The path [q, k] by which a query sees a key, or `NONE`; and whether [q, c] it sees the mean of a chunk."""
    length = len(query)
    here, there = jnp.arange(length)[:, None], jnp.arange(length)[None, :]
    size, unit = _whole_chunk(at, options), options["unit"]
    mean = _means(key, size, unit)
    behind = here - there
    reached = {
        SINKS: there < options["sinks"],
        LOCAL: (behind < at["window"]) & (behind % at["dilation"] == 0),
        GLOBAL: _global_tokens(selection, at, options, length),
        CHUNKS: _chosen(query, mean, at, options)[:, (jnp.arange(length) // size).astype(int)],
    }
    path = jnp.full((length, length), NONE)
    for number, seen in reached.items():
        path = jnp.where((path == NONE) & seen & (behind >= 0), number, path)
    return path, (jnp.arange(len(mean)) + 1) * size <= here + 1


def _one(
    query: Array, key: Array, value: Array, bias: Array, selection: Array | None, at: Values, options: Options
) -> Array:
    """`attention` of one input."""
    size, unit = _whole_chunk(at, options), options["unit"]
    path, ended = jax.lax.stop_gradient(_paths(query, key, selection, at, options))
    added = jnp.concatenate([jnp.take_along_axis(bias, jnp.maximum(path, 0), axis=1), ended * bias[:, COARSE, None]], axis=1)
    seen = jnp.concatenate([path != NONE, ended], axis=1) & (added > OFF)
    scores = jnp.einsum("qhgd,khd->hgqk", query, jnp.concatenate([key, _means(key, size, unit)])) + added
    weights = nn.softmax(jnp.where(seen, scores, -1e30), axis=-1) * seen
    of_keys, of_means = weights[..., : len(key)], weights[..., len(key) :]
    if selection is not None:
        of_keys = of_keys * jnp.where(path == GLOBAL, nn.sigmoid(selection), 1.0)
    return jnp.einsum("hgqk,khd->qhgd", of_keys, value) + jnp.einsum("hgqc,chd->qhgd", of_means, _means(value, size, unit))


def attention(
    query: Array, key: Array, value: Array, bias: Array, selection: Array | None, at: Values, options: Options
) -> Array:
    """[b, q, h, g, d] of query [b, q, h, g, d], already scaled, key and value [b, k, h, d], bias [b, q, p] and selection
    [b, k]: what the selector scores a position; or none, and the global tokens are the first of their intervals."""
    at = {name: jnp.asarray(x) for name, x in at.items() if name in VALUES}
    one = functools.partial(_one, options=options)
    return jax.vmap(one, in_axes=(0, 0, 0, 0, None if selection is None else 0, 0))(query, key, value, bias, selection, at)


def pairs(query: Array, key: Array, selection: Array | None, at: Values, options: Options) -> Array:
    """By path [p], how many keys (means, for `coarse`) all queries [q, h, g, d] of one input together see."""
    path, ended = _paths(query, key, selection, at, options)
    return jnp.stack([jnp.sum(ended) if p == COARSE else jnp.sum(path == p) for p in range(len(PATHS))])


def visits(query: Array, key: Array, at: Values, options: Options) -> Array:
    """By path [p], how many blocks of keys a block of queries [q, h, g, d] has to be compared with, on average over the blocks of a length
    that is a multiple of them; without dilation, and with the first tokens of intervals as the global ones."""
    length, block, unit = len(query), options["block"], options["unit"]
    parts = length // block
    behind = jnp.arange(length)[:, None] - jnp.arange(length)[None, :]
    near = ((behind >= 0) & (behind < at["window"])).reshape(parts, block, parts, block)
    first = jnp.arange(parts) * block
    last = first + block - 1
    begin, _, there = _intervals(at, options, length)
    tokens = jnp.sum(there & (begin <= last[:, None]), axis=1)
    size = _whole_chunk(at, options)
    chosen = _chosen(query, _means(key, size, unit), at, options)[first].sum(axis=1)

    def blocks(number: Array, most: int) -> Array:
        return jnp.ceil(number / math.ceil(most / math.ceil(most / block)))

    by_path = [
        near.any(axis=(1, 3)).sum(axis=1),
        blocks(tokens, options["maxGlobals"]),
        jnp.full(parts, int(options["sinks"] > 0)),
        blocks((last + 1) // size, -(-length // unit)),
        chosen * size / unit,
    ]
    return jnp.stack([x.mean() for x in by_path])


def yarn(half: int, theta: float, factor: float, original: int, fast: float = 32, slow: float = 1) -> Array:
    """The frequencies [half] of pairs whose positions are stretched `factor` times (Peng et al. 2023, arXiv:2309.00071, 3.2).

    A pair that turns more than `fast` times in `original` positions keeps its frequency, one that turns less than `slow`
    times has it divided; those between go over along a line by their number, from the whole pair below to the one above, as in
    the authors' program."""

    def pair_that_turns(times: float) -> float:
        return half * math.log(original / (times * 2 * math.pi)) / math.log(theta)

    low, high = max(math.floor(pair_that_turns(fast)), 0), min(math.ceil(pair_that_turns(slow)), 2 * half - 1)
    index = jnp.arange(half, dtype=jnp.float32)
    frequency = theta ** (-index / half)
    stretched = jnp.clip((index - low) / max(high - low, 1e-3), 0, 1)
    return frequency * (1 - stretched) + frequency / factor * stretched


def _turned(x: Array, frequencies: Array, magnitude: float) -> Array:
    """x [b, s, h, d] with its pairs (i, i + d/2) turned by position times frequency, and made longer by `magnitude`."""
    angles = jnp.arange(x.shape[1], dtype=jnp.float32)[:, None, None] * frequencies
    first, second = jnp.split(x, 2, axis=-1)
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    return magnitude * jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def states(params: dict[str, Array], path: str, x: Array) -> Array:
    """The states [b, s, r] behind each position of x [b, s, e]: s_t = g s_(t-1) + (1 - g) tanh(x U), g = sigmoid(x G + b)."""
    gate = nn.sigmoid(x @ params[f"{path}/gate/weight"] + params[f"{path}/gate/bias"])
    new = jnp.tanh(x @ params[f"{path}/update/weight"])
    state, all_states = jnp.zeros_like(new[:, 0]), []
    for t in range(x.shape[1]):
        state = gate[:, t] * state + (1 - gate[:, t]) * new[:, t]
        all_states.append(state)
    return jnp.stack(all_states, axis=1)


def layer(
    params: dict[str, Array], path: str, x: Array, at: Values, bias: Array | None, config: dict[str, Any]
) -> Array:
    """The layer on x [b, s, e], keys and values made of what the cache keeps of a token.

    `at` also has `latent` [b], the dimensions of the latent that are used, and `weights` [b, 6], those of the paths and last
    of the recurrent state; `bias` [b, s, 6] is added to their logarithms. `config`: `theta`, `yarn` (or none), `epsilon`
    and `hierarchy`, the options of `attention`."""
    weight = {name.removeprefix(f"{path}/"): value for name, value in params.items() if name.startswith(f"{path}/")}
    latent = x @ weight["input/down"]
    latent = latent * (jnp.arange(latent.shape[-1]) < jnp.asarray(at["latent"])[:, None, None])
    query = jnp.einsum("bsl,lhd->bshd", latent, weight["input/up/query"])
    kept = latent @ weight["input/up/kept"]
    kept = kept / jnp.sqrt(jnp.mean(kept**2, axis=-1, keepdims=True) + config.get("epsilon", 1e-5)) * weight["norm/scale"]
    key, value = (jnp.einsum("bsr,rhd->bshd", kept, weight[name]) for name in ("key", "value"))

    half = query.shape[-1] // 2
    if config.get("yarn"):
        frequencies = yarn(half, config["theta"], **config["yarn"])
        magnitude = 0.1 * math.log(config["yarn"]["factor"]) + 1
    else:
        frequencies, magnitude = config["theta"] ** (-jnp.arange(half, dtype=jnp.float32) / half), 1.0
    query, key = _turned(query, frequencies, magnitude), _turned(key, frequencies, magnitude)

    selection = None
    if "score" in weight:
        hidden = nn.gelu(x @ weight["selector/weight"] + weight["selector/bias"], approximate=True)
        selection = hidden @ weight["score"]

    logarithm = jnp.maximum(jnp.log(jnp.asarray(at["weights"])), -1e30)[:, None, :]
    logarithm = jnp.broadcast_to(logarithm, (*x.shape[:2], logarithm.shape[-1])) if bias is None else logarithm + bias
    batch, seq, heads, width = query.shape
    grouped = query.reshape(batch, seq, key.shape[2], heads // key.shape[2], width) / math.sqrt(width)
    seen = attention(grouped, key, value, logarithm[..., : len(PATHS)], selection, at, config["hierarchy"])
    y = jnp.einsum("bshd,hde->bse", seen.reshape(query.shape), weight["output/weight"])
    remembered = states(params, f"{path}/recurrent", x) @ weight["read/weight"]
    return y + jnp.exp(logarithm[..., len(PATHS) :]) * remembered
