"""The reference of xenarcai_i2: in each layer hierarchical attention and summaries of the context, then a mixture of experts.

A plan, made of a state that goes along the context, adds to the logarithms of the weights of attention's paths and, by weights that
it makes, to the router's logits. A token skips a layer where its gate is below one half. Configuration: see `xenarcaiI2Config`.
"""

import math

import common
import hierarchical
import jax
import jax.numpy as jnp
from common import Array, Config, Params
from jax import nn

VALUES = ("window", "dilation", "globals", "chunk", "latent")


def _gelu(x: Array) -> Array:
    return nn.gelu(x, approximate=True)


def _summary(block: Params, x: Array, config: Config) -> Array:
    """What the tokens of x [b, s, e] read of the summaries of the chunks that have ended."""
    path, chunk, seq = "summarizer", config["summaryChunk"], x.shape[1]
    number = -(-seq // chunk)
    filled = jnp.pad(x, ((0, 0), (0, number * chunk - seq), (0, 0)))
    mean = filled.reshape(len(x), number, chunk, -1).mean(axis=2)
    vectors = common.linear(block, f"{path}/down", _gelu(common.linear(block, f"{path}/hidden", mean)))
    query, key, value = (
        common.linear(block, f"{path}/{name}", of) for name, of in (("query", x), ("key", vectors), ("value", vectors))
    )
    ended = (jnp.arange(number)[None] + 1) * chunk <= jnp.arange(seq)[:, None] + 1
    scores = jnp.einsum("bsd,bcd->bsc", query, key) / math.sqrt(query.shape[-1])
    weights = nn.softmax(jnp.where(ended, scores, -1e30), axis=-1) * ended
    return common.linear(block, f"{path}/output", weights @ value)


def _moe(block: Params, x: Array, strategy: Array | None, passes: Array, config: Config) -> tuple[Array, Array]:
    """The mixture of experts of x [b, s, e] for tokens that pass [b, s], and its losses, weighted."""
    logits = common.linear(block, "moe/router", x) + jax.lax.stop_gradient(block["values/router"])
    if strategy is not None and config["hyperRank"]:
        state = common.linear(block, "hyper/state", x)
        logits = logits + jnp.einsum("bsr,bsrx->bsx", state, common.linear(block, "hyper/weights", strategy))
    probabilities = nn.softmax(logits, axis=-1)
    experts = logits.shape[-1]
    order = jnp.argsort(-probabilities, axis=-1, stable=True)
    rank = jnp.argsort(order, axis=-1)
    falling = jnp.take_along_axis(probabilities, order, axis=-1)
    before = jnp.take_along_axis(jnp.cumsum(falling, axis=-1) - falling, rank, axis=-1)
    wanted = (rank < config["perToken"]) & ((before < config["threshold"]) | (rank < config["least"]))
    taken = wanted & passes[..., None]
    weights = probabilities * taken
    weights = weights / (jnp.sum(weights, axis=-1, keepdims=True) + 1e-20)
    y = jnp.zeros_like(x)
    for index in range(experts):
        expert = {f"expert/{name}/weight": block[f"moe/{name}/weight"][index] for name in ("gate", "up", "down")}
        y = y + weights[..., index, None] * common.mlp(expert, "expert", x)
    share = jnp.sum(taken, axis=(0, 1)) / jnp.maximum(jnp.sum(taken), 1)
    balance = experts * jnp.sum(share * jnp.mean(probabilities, axis=(0, 1)))
    z = jnp.mean(nn.logsumexp(logits, axis=-1) ** 2)
    return y, config.get("loadBalance", 0) * balance + config.get("zLoss", 0) * z


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v], and the losses of all layers."""
    if segments is not None:
        raise ValueError("Something is carried along sequences: rows are not packed.")
    epsilon, (batch, seq) = config.get("epsilon", 1e-5), tokens.shape
    hierarchy = {
        **{name: config[name] for name in ("sinks", "maxGlobals", "unit")},
        "span": config["context"],
        "block": -(-seq // -(-seq // config["blockSize"])),
    }
    attends = {"theta": config["theta"], "yarn": config.get("yarn"), "hierarchy": hierarchy}
    x = common.embedding(params, "tokens", tokens)
    planned = hierarchical.states(params, "planner/state", x)
    plan = common.linear(params, "planner/out", _gelu(common.linear(params, "planner/hidden", planned)))
    losses = jnp.float32(0)
    for block in common.layers(params):
        fixed = {path: jax.lax.stop_gradient(value) for path, value in block.items() if path.startswith("values/")}
        at = {name: jnp.full(batch, fixed[f"values/{name}"].astype(jnp.int32)) for name in VALUES}
        at["sparsity"] = jnp.full(batch, fixed["values/sparsity"])
        at["weights"] = jnp.broadcast_to(fixed["values/weights"], (batch, 6))

        h = common.rms_norm(block, "norm", x, epsilon)
        open_ = nn.sigmoid(common.linear(block, "gate", h)[..., 0])
        passes = jax.lax.stop_gradient(open_) >= 0.5
        scale = (passes + open_ - jax.lax.stop_gradient(open_))[..., None]
        losses = losses + config["skipLoss"] * (1 - jnp.mean(scale) - config.get("skipTarget", 0.5)) ** 2

        strategy = _gelu(common.linear(block, "strategy", plan))
        bias = common.linear(block, "paths", strategy)
        attended = hierarchical.layer(block, "attention", h, at, bias, attends) * passes[..., None]
        x = x + scale * (attended + _summary(block, h, config))
        mixture, penalty = _moe(block, common.rms_norm(block, "moeNorm", x, epsilon), strategy, passes, config)
        x = x + scale * mixture
        losses = losses + penalty
    return common.linear(params, "head", common.rms_norm(params, "norm", x, epsilon)), losses


logits, loss, train, generate = common.interface(_forward)
