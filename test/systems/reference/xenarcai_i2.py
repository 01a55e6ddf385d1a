"""The reference of xenarcai_i2, as docs/models/xenarcai_i2.md states it: in each layer hierarchical attention and
what is read of summaries, then a mixture of experts; a plan, made of a state that goes along the context, weighs
attention's paths and the experts; a token skips a layer where its gate is below one half.

Configuration: vocab, context, embed, layers, heads, kvHeads, headDim, expertWidth, experts, perToken, least, threshold,
hyperRank, loadBalance, zLoss, plan, skip, skipTarget (0.5), skipLoss, summary, summaryChunk, sinks, maxGlobals, selector,
unit, maxLatent, rank, state, theta, yarn, blockSize, epsilon (1e-5). Values of the run are parameters, `blocks/values/...`.
"""

import math

import common
import hierarchical
import jax
import jax.numpy as jnp
from common import Array, Config, Params
from jax import nn

DEFAULTS = {"skip": True, "skipTarget": 0.5, "epsilon": 1e-5, "loadBalance": 0, "zLoss": 0}


def _mlp(params: Params, inner: str, outer: str, x: Array) -> Array:
    """gelu(x A + a) B + b, gelu in its tanh form."""
    return common.linear(params, outer, nn.gelu(common.linear(params, inner, x), approximate=True))


def _summary(block: Params, x: Array, config: Config) -> Array:
    """What tokens x [b, s, e] read of the vectors of the chunks that have ended before or with them; 0 where none has."""
    size, (_, seq, _) = config["summaryChunk"], x.shape
    chunks = seq // size
    if chunks == 0:
        return jnp.zeros_like(x)
    mean = jnp.mean(x[:, : chunks * size].reshape(len(x), chunks, size, -1), axis=2)
    vector = _mlp(block, "summarizer/hidden", "summarizer/down", mean)
    query, key, value = (
        common.linear(block, f"summarizer/{name}", y) for name, y in (("query", x), ("key", vector), ("value", vector))
    )
    ended = (jnp.arange(chunks) + 1) * size <= jnp.arange(seq)[:, None] + 1
    scores = jnp.einsum("bsd,bcd->bsc", query, key) / math.sqrt(query.shape[-1])
    weights = jnp.where(ended, nn.softmax(jnp.where(ended, scores, -1e30), axis=-1), 0)
    return common.linear(block, "summarizer/output", jnp.einsum("bsc,bcd->bsd", weights, value))


def _mixture(block: Params, x: Array, strategy: Array | None, passes: Array, config: Config) -> tuple[Array, Array]:
    """The mixture of experts of x [b, s, e] for the tokens that pass [b, s], and its losses, weighted."""
    scores = common.linear(block, "moe/router", x) + jax.lax.stop_gradient(block["values/router"])
    if strategy is not None and config["hyperRank"]:
        matrix = jnp.tensordot(strategy, block["hyper/weights/weight"], axes=1)
        scores = scores + jnp.einsum("bsr,bsrx->bsx", common.linear(block, "hyper/state", x), matrix)
    probabilities = nn.softmax(scores, axis=-1)

    order = jnp.argsort(-probabilities, axis=-1, stable=True)
    falling = jnp.take_along_axis(probabilities, order, axis=-1)
    place = jnp.arange(config["experts"])
    taken = ((jnp.cumsum(falling, axis=-1) - falling < config["threshold"]) | (place < config["least"])) & (
        place < config["perToken"]
    )
    taken = jnp.take_along_axis(taken, jnp.argsort(order, axis=-1), axis=-1)
    weights = probabilities * taken / jnp.sum(probabilities * taken, axis=-1, keepdims=True) * passes[..., None]
    y = jnp.zeros_like(x)
    for expert in range(config["experts"]):
        gate, up, down = (block[f"moe/{name}/weight"][expert] for name in ("gate", "up", "down"))
        y = y + weights[..., expert, None] * ((nn.silu(x @ gate) * (x @ up)) @ down)

    chosen = taken & passes[..., None]
    share = jnp.sum(chosen, axis=(0, 1)) / jnp.maximum(jnp.sum(chosen), 1)
    balance = config["experts"] * jnp.sum(share * jnp.mean(probabilities, axis=(0, 1)))
    z = jnp.mean(nn.logsumexp(scores, axis=-1) ** 2)
    return y, config["loadBalance"] * balance + config["zLoss"] * z


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v], and the losses of all layers."""
    if segments is not None:
        raise ValueError("The reference of xenarcai_i2 has one sequence in a row.")
    config = DEFAULTS | config
    epsilon, seq = config["epsilon"], tokens.shape[1]
    hierarchy = {
        **{name: config[name] for name in ("sinks", "maxGlobals", "unit")},
        "block": math.ceil(seq / math.ceil(seq / config["blockSize"])),
        "span": config["context"],
    }
    attention = {"theta": config["theta"], "yarn": config.get("yarn"), "epsilon": epsilon, "hierarchy": hierarchy}

    x = common.embedding(params, "tokens", tokens)
    plan = None
    if config["plan"]:
        plan = _mlp(params, "planner/hidden", "planner/out", hierarchical.states(params, "planner/state", x))
    losses = jnp.float32(0)
    for block in common.layers(params):
        values = {
            path.removeprefix("values/"): jnp.broadcast_to(jax.lax.stop_gradient(value), (len(x), *value.shape))
            for path, value in block.items()
            if path.startswith("values/")
        }
        h = common.rms_norm(block, "norm", x, epsilon)
        passes = jnp.ones(x.shape[:2])
        if config["skip"]:
            opened = nn.sigmoid(common.linear(block, "gate", h))[..., 0]
            passes = opened + jax.lax.stop_gradient((opened >= 0.5) - opened)
            losses = losses + config["skipLoss"] * (1 - jnp.mean(passes) - config["skipTarget"]) ** 2
        strategy = None if plan is None else nn.gelu(common.linear(block, "strategy", plan), approximate=True)
        steered = 0 if strategy is None else common.linear(block, "paths", strategy)
        bias = jnp.where(passes[..., None] >= 0.5, steered, -1e30)  # who skips has no path, no state and no summary
        y = hierarchical.layer(block, "attention", h, values, bias, attention)
        if config["summary"]:
            y = y + _summary(block, h, config) * (passes >= 0.5)[..., None]
        x = x + passes[..., None] * y
        g = common.rms_norm(block, "moeNorm", x, epsilon)
        y, penalty = _mixture(block, g, strategy, passes >= 0.5, config)
        x = x + passes[..., None] * y
        losses = losses + penalty
    return common.linear(params, "head", common.rms_norm(params, "norm", x, epsilon)), losses


logits, loss, train, generate = common.interface(_forward)
