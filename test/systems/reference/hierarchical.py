"""Attention of several resolutions, dense: every path is a mask of all queries times all keys.

Axes: b batch, s seq (q of queries, k of keys), h kvHeads, g group, d headDim, c chunks, p path. The paths stand in the order
local, global, sinks, coarse, chunks. Numbers that differ from input to input are arrays [b]: `window`, `dilation`, `globals`,
`chunk` (integers) and `sparsity`; `options` are the sinks, the most global tokens, the span they are spread over, the smallest
chunk (`unit`) and the number of queries that choose chunks together (`block`).
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import nn

Array = jax.Array
LOCAL, GLOBAL, SINKS, COARSE, CHUNKS = range(5)


def global_from(number: Array, selection: Array | None, length: int, options: dict[str, Any]) -> Array:
    """For each key [k], the first query that sees it as a global token; `length` where none does."""
    token = jnp.arange(length)
    interval = jnp.maximum(options["span"] // jnp.maximum(number, 1), 1)
    seen = jnp.full(length, length)
    for index in range(options["maxGlobals"]):
        start, end = index * interval, (index + 1) * interval - 1
        at, since = start, start
        if selection is not None:
            inside = (token >= start) & (token <= end) & (token >= options["sinks"])
            at, since = jnp.argmax(jnp.where(inside, selection, -jnp.inf)), end
        there = (index < number) & (since < length) & (at >= options["sinks"])
        seen = jnp.where((token == at) & there, since, seen)
    return seen


def means(x: Array, size: Array, unit: int) -> Array:
    """The means [c, h, d] of chunks of `size` of x [k, h, d]: as many as there could be of the smallest."""
    token = jnp.arange(len(x))
    chunks = jnp.arange(-(-len(x) // unit))
    member = (token[None] // size == chunks[:, None]) / size
    return jnp.einsum("ck,khd->chd", member, x)


def chosen(query: Array, mean: Array, size: Array, at: dict[str, Array], options: dict[str, Any]) -> Array:
    """Which chunks [q, c] are gone through for each of the queries [q, h, g, d]."""
    length, number = len(query), jnp.arange(len(mean))
    begin = jnp.arange(length) // options["block"] * options["block"]
    scores = jnp.einsum("qhgd,chd->qc", query[begin], mean, precision="highest")
    ended = (number[None] + 1) * size <= begin[:, None]
    order = jnp.argsort(jnp.where(ended, -scores, jnp.inf), axis=-1, stable=True)
    rank = jnp.argsort(order, axis=-1)
    seen = (begin + 1).astype(jnp.float32)
    local = jnp.ceil(jnp.minimum(seen, at["window"].astype(jnp.float32)) / at["dilation"].astype(jnp.float32))
    marked = jnp.floor(seen * at["globals"].astype(jnp.float32) / options["span"])
    room = seen * at["sparsity"] - (local + marked + options["sinks"])
    count = jnp.round(room / size.astype(jnp.float32))
    return ended & (rank < count[:, None])


def masks(
    query: Array, key: Array, selection: Array | None, at: dict[str, Array], options: dict[str, Any]
) -> dict[int, Array]:
    """By path what [q, k] queries see of the keys, or [q, c] of the means of chunks; no key by two paths."""
    length, unit = len(key), options["unit"]
    position, token = jnp.arange(length)[:, None], jnp.arange(length)[None]
    size = jnp.maximum(at["chunk"] // unit, 1) * unit
    is_sink = token < options["sinks"]
    distance = position - token
    local = (distance >= 0) & (distance < at["window"]) & (distance % at["dilation"] == 0) & ~is_sink
    is_global = (global_from(at["globals"], selection, length, options)[None] <= position) & ~local & ~is_sink
    mean = means(key, size, unit)
    number = jnp.arange(len(mean))[None]
    taken = chosen(query, mean, size, at, options)
    within = jnp.take_along_axis(taken, jnp.broadcast_to(token // size, (length, length)), axis=1)
    return {
        LOCAL: local,
        GLOBAL: is_global,
        SINKS: is_sink & (distance >= 0),
        COARSE: (number + 1) * size <= position + 1,
        CHUNKS: within & ~local & ~is_global & ~is_sink,
    }


def _one(
    query: Array,
    key: Array,
    value: Array,
    bias: Array,
    selection: Array | None,
    at: dict[str, Array],
    options: dict[str, Any],
) -> Array:
    seen = masks(query, key, selection, at, options)
    size = jnp.maximum(at["chunk"] // options["unit"], 1) * options["unit"]
    of_path = {path: jnp.where(mask, bias[:, path, None], 0) for path, mask in seen.items()}
    keys = [path for path in seen if path != COARSE]
    scores = jnp.einsum("qhgd,khd->hgqk", query, key) + sum(of_path[path] for path in keys)
    coarse = jnp.einsum("qhgd,chd->hgqc", query, means(key, size, options["unit"])) + of_path[COARSE]
    visible = jnp.concatenate([sum(seen[path] for path in keys) > 0, seen[COARSE]], axis=-1)
    hidden = jnp.where(visible, jnp.concatenate([scores, coarse], axis=-1), -jnp.inf)
    weights = nn.softmax(hidden, axis=-1)
    sure = 1 if selection is None else jnp.where(seen[GLOBAL], nn.sigmoid(selection)[None], 1)
    direct = jnp.einsum("hgqk,khd->qhgd", weights[..., : len(key)] * sure, value)
    return direct + jnp.einsum("hgqc,chd->qhgd", weights[..., len(key) :], means(value, size, options["unit"]))


def attention(
    query: Array,
    key: Array,
    value: Array,
    bias: Array,
    selection: Array | None,
    at: dict[str, Array],
    options: dict[str, Any],
) -> Array:
    """Query [b, q, h, g, d], already scaled, key and value [b, k, h, d], bias [b, q, p], selection [b, k] or none."""
    options = {"span": key.shape[1], **options, "sinks": min(options["sinks"], key.shape[1])}
    one = lambda *row: _one(*row[:4], row[4] if selection is not None else None, row[-1], options)
    rows = (query, key, value, bias, *([selection] if selection is not None else []), at)
    return jax.vmap(one)(*rows)


def pairs(query: Array, key: Array, selection: Array | None, at: dict[str, Array], options: dict[str, Any]) -> Array:
    """By path, how many keys all queries [q, h, g, d] together see of the keys [k, h, d]."""
    options = {"span": len(key), **options}
    return jnp.stack([jnp.sum(mask) for _, mask in sorted(masks(query, key, selection, at, options).items())])


def yarn(half: int, theta: float, factor: float, original: int, fast: float = 32, slow: float = 1) -> Array:
    """The frequencies of YaRN's pairs (Peng et al. 2023, arXiv:2309.00071), the ramp between whole numbers of pairs."""
    frequencies = theta ** (-jnp.arange(half) / half)

    def pair(turns: float) -> float:
        return 2 * half * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    low, high = max(math.floor(pair(fast)), 0), min(math.ceil(pair(slow)), 2 * half - 1)
    slowed = jnp.clip((jnp.arange(half) - low) / max(high - low, 0.001), 0, 1)
    return frequencies / factor * slowed + frequencies * (1 - slowed)


def _turned(x: Array, frequencies: Array) -> Array:
    """x [b, s, h, d] turned by 0, 1, 2, ... times the frequencies, the pairs in halves."""
    angles = jnp.arange(x.shape[1])[:, None, None] * frequencies
    first, second = jnp.split(x, 2, axis=-1)
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def states(params: dict[str, Array], path: str, x: Array) -> Array:
    """The recurrent state [b, s, z] behind each position of x [b, s, e], one after the other."""
    keep = nn.sigmoid(x @ params[f"{path}/gate/weight"] + params[f"{path}/gate/bias"])
    fresh = jnp.tanh(x @ params[f"{path}/update/weight"])

    def step(state: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        state = now[0] * state + (1 - now[0]) * now[1]
        return state, state

    in_time = (jnp.swapaxes(keep, 0, 1), jnp.swapaxes(fresh, 0, 1))
    return jnp.swapaxes(jax.lax.scan(step, jnp.zeros_like(keep[:, 0]), in_time)[1], 0, 1)


def layer(
    params: dict[str, Array], path: str, x: Array, at: dict[str, Array], bias: Array | None, config: dict[str, Any]
) -> Array:
    """The layer on x [b, s, e]. `at` also has `latent` [b] and `weights` [b, 6], by path, the recurrent state's last."""
    head_dim = params[f"{path}/key"].shape[-1]
    frequencies, scale = config["theta"] ** (-jnp.arange(head_dim // 2) / (head_dim // 2)), head_dim**-0.5
    if config.get("yarn"):
        frequencies = yarn(head_dim // 2, config["theta"], **config["yarn"])
        scale *= (0.1 * math.log(config["yarn"]["factor"]) + 1) ** 2

    down = params[f"{path}/input/down"]
    counts = jnp.arange(down.shape[1]) < at["latent"][:, None]
    hidden = (x @ down) * counts[:, None]
    query = _turned(jnp.einsum("bsl,lhd->bshd", hidden, params[f"{path}/input/up/query"]), frequencies) * scale
    kept = hidden @ params[f"{path}/input/up/kept"]
    latent = kept / jnp.sqrt(jnp.mean(kept**2, axis=-1, keepdims=True) + 1e-5) * params[f"{path}/norm/scale"]
    key = _turned(jnp.einsum("bsr,rhd->bshd", latent, params[f"{path}/key"]), frequencies)
    value = jnp.einsum("bsr,rhd->bshd", latent, params[f"{path}/value"])
    selection = None
    if f"{path}/score" in params:
        wide = x @ params[f"{path}/selector/weight"] + params[f"{path}/selector/bias"]
        selection = nn.gelu(wide, approximate=True) @ params[f"{path}/score"]

    logs = jnp.where(at["weights"] > 0, jnp.log(jnp.maximum(at["weights"], 1e-30)), -jnp.inf)[:, None]
    logs = jnp.broadcast_to(logs, (*x.shape[:2], logs.shape[-1])) + (0 if bias is None else bias)
    grouped = query.reshape(*query.shape[:2], key.shape[2], -1, head_dim)
    out = attention(grouped, key, value, jnp.maximum(logs[..., :5], -1e30), selection, at, config["hierarchy"])
    recalled = states(params, f"{path}/recurrent", x) * jnp.exp(logs[..., 5:])
    written = jnp.tensordot(out.reshape(query.shape), params[f"{path}/output/weight"], axes=2)
    return written + recalled @ params[f"{path}/read/weight"]
