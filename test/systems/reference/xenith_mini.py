"""The reference of xenith_mini, as docs/models/xenith_mini.md states it: heads that look back through windows of
several sizes and at the first tokens; dense layers, then what is remembered, then layers with a mixture of experts.

Configuration: vocab, embed, heads, kvHeads, headDim, denseLayers, layers, mlp, experts, expertWidth, perToken, capacity,
expertChunk, loadBalance, zLoss, windows, globals, memory (none), theta (10,000), epsilon (1e-5). All networks are gated.
`memory`: tokens, chunk, vectors, chunks (0: no long-term memory), evict (oldest), through (none: all), and layers, heads
and mlp of the summarizer.
"""

import math

import common
import jax
import jax.numpy as jnp
from common import Array, Config, Params, Shapes
from jax import nn


def _seen(config: Config, length: int) -> Array:
    """What [h, q, k] the query at place q sees: k <= q if q - k < window of the head, or k < globals."""
    windows, (_, heads, kv_heads, _) = config["windows"], common.sizes(config)
    of_head = [windows[head // (heads // kv_heads) % len(windows)] for head in range(heads)]
    behind = jnp.arange(length)[:, None] - jnp.arange(length)[None, :]
    near = behind < jnp.array(of_head)[:, None, None]
    return (behind >= 0) & (near | (jnp.arange(length) < config["globals"]))


def _turned(x: Array, at: Array, config: Config) -> Array:
    """x [b, s, h, d] turned by its position `at` [b, s]; as it is, where `theta` is none."""
    theta = config.get("theta", 10_000)
    return x if theta is None else common.rotary(x, at, theta)


def _summary(params: Params, path: str, states: Array, config: Config) -> Array:
    """The vectors [b, v, e] of a chunk's states [b, s, e]."""
    memory, epsilon = config["memory"], config.get("epsilon", 1e-5)
    learned = jnp.broadcast_to(params[f"{path}/tokens"], (len(states), *params[f"{path}/tokens"].shape))
    x = jnp.concatenate([states, learned], axis=1)
    all_see_all = jnp.ones((1, x.shape[1], x.shape[1]), bool)
    at = jnp.broadcast_to(jnp.arange(x.shape[1]), x.shape[:2])
    for block in common.layers(params, f"{path}/blocks"):
        h = common.rms_norm(block, "attentionNorm", x, epsilon)
        x = x + common.attention(block, "attention", h, None, lambda y: _turned(y, at, config), all_see_all)
        x = x + common.mlp(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon))
    return common.rms_norm(params, f"{path}/norm", x[:, -memory["vectors"] :], epsilon)


def _remembered(params: Params, x: Array, at: Array, config: Config) -> Array:
    """x [b, s, e] with what its tokens read of the states of the last tokens, and then of the chunks that were written."""
    memory, epsilon = config["memory"], config.get("epsilon", 1e-5)
    tokens, size = memory["tokens"], memory["chunk"]
    seq = x.shape[1]
    place = jnp.arange(seq)
    states = common.rms_norm(params, "memory/norm", x, epsilon)
    behind = place[:, None] - place[None, :]
    held = (behind >= 0) & (behind < tokens)
    x = x + common.attention(params, "memory/short", states, None, lambda y: _turned(y, at, config), held[None])
    if not memory["chunks"]:
        return x

    begins = range(0, seq - size + 1, size)
    if not begins:
        return x
    vectors = jnp.stack(
        [_summary(params, "memory/long/summarizer", states[:, i : i + size], config) for i in begins], axis=1
    )
    query = common.linear(params, "memory/long/query", common.rms_norm(params, "memory/long/norm", x, epsilon))
    written = jnp.array(begins) + tokens
    there = written <= place[:, None]
    number = jnp.arange(len(begins))
    last = jnp.sum(there, axis=1, keepdims=True)
    if memory.get("evict", "oldest") == "oldest":
        there = there & (number >= last - memory["chunks"])
    else:
        there = there & (number < memory["chunks"])
    through = memory.get("through")
    fixed = jnp.zeros_like(there)
    if through is not None:
        fixed = place[:, None] // tokens - jnp.array(begins) // tokens > through

    def read(name: str) -> Array:
        """What is read of the vectors, [b, q, c, v, h, d], without a gradient where that does not go so far."""
        each = common.linear(params, f"memory/long/{name}", vectors)[:, None]
        return jnp.where(fixed[:, :, None, None, None], jax.lax.stop_gradient(each), each)

    key, value = read("key"), read("value")
    group = query.shape[2] // key.shape[4]
    key, value = jnp.repeat(key, group, axis=4), jnp.repeat(value, group, axis=4)
    scores = jnp.einsum("bqhd,bqcvhd->bhqcv", query, key) / math.sqrt(query.shape[-1])
    any_there = jnp.any(there, axis=1)[:, None, None]
    scores = jnp.where(there[:, :, None], scores, jnp.where(any_there, -jnp.inf, 0))
    weights = nn.softmax(scores.reshape(*scores.shape[:3], -1), axis=-1).reshape(scores.shape) * there[:, :, None]
    return x + common.linear(
        params, "memory/long/output", jnp.einsum("bhqcv,bqcvhd->bqhd", weights, value), inputs=2
    )


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v], and the losses of all routers."""
    if segments is not None:
        raise ValueError("The reference of xenith_mini has one sequence in a row.")
    epsilon = config.get("epsilon", 1e-5)
    at, seen = common.positions(tokens, None), _seen(config, tokens.shape[1])

    def attended(block: Params, x: Array) -> Array:
        h = common.rms_norm(block, "attentionNorm", x, epsilon)
        return x + common.attention(block, "attention", h, None, lambda y: _turned(y, at, config), seen)

    x = common.embedding(params, "tokens", tokens)
    for block in common.layers(params, "dense"):
        x = attended(block, x)
        x = x + common.mlp(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon))
    if config.get("memory"):
        x = _remembered(params, x, at, config)
    losses = jnp.float32(0)
    for block in common.layers(params):
        x = attended(block, x)
        y, penalty = common.moe(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon), config)
        x, losses = x + y, losses + penalty
    return common.linear(params, "head", common.rms_norm(params, "norm", x, epsilon)), losses


logits, loss, train, generate = common.interface(_forward)


def shapes(config: Config) -> Shapes:
    """The shape of every parameter, by its path."""
    config = {**config, "gated": True}
    embed, vocab = config["embed"], config["vocab"]

    def block(mlp: Shapes, sizes: Config = config) -> Shapes:
        norms = {"attentionNorm/scale": (embed,), "mlpNorm/scale": (embed,)}
        return {**norms, **common.attention_shapes(sizes, "attention"), **mlp}

    outer: Shapes = {"tokens/weight": (vocab, embed), "norm/scale": (embed,), "head/weight": (embed, vocab)}
    dense = block(common.mlp_shapes(config, "mlp", config["mlp"]))
    outer |= common.stacked("dense", config["denseLayers"], dense)
    memory = config.get("memory")
    if memory:
        outer |= {"memory/norm/scale": (embed,), **common.attention_shapes(config, "memory/short")}
    if memory and memory["chunks"]:
        path = "memory/long/summarizer"
        outer |= {"memory/long/norm/scale": (embed,), **common.attention_shapes(config, "memory/long")}
        outer |= {f"{path}/tokens": (memory["vectors"], embed), f"{path}/norm/scale": (embed,)}
        own = {"embed": embed, "heads": memory["heads"], "gated": True}
        written = block(common.mlp_shapes(own, "mlp", memory["mlp"]), own)
        outer |= common.stacked(f"{path}/blocks", memory["layers"], written)
    return common.model_shapes(config, block(common.moe_shapes(config, "mlp", config["expertWidth"])), outer)


def count(config: Config) -> int:
    """The number of parameters."""
    embed, heads, kv_heads, head_dim = common.sizes(config)
    attention, norms = 2 * embed * head_dim * (heads + kv_heads), 2 * embed
    dense = attention + norms + 3 * embed * config["mlp"]
    moe = attention + norms + config["experts"] * (embed + 3 * embed * config["expertWidth"])
    total = config["denseLayers"] * dense + config["layers"] * moe + 2 * embed * config["vocab"] + embed
    memory = config.get("memory")
    if memory:
        total += attention + embed
    if memory and memory["chunks"]:
        written = 4 * embed * embed + norms + 3 * embed * memory["mlp"]
        total += attention + embed + memory["layers"] * written + (memory["vectors"] + 1) * embed
    return total


def active(config: Config) -> int:
    """The number of parameters that a token is multiplied with or looked up in: of the experts, those that it takes."""
    idle = config["layers"] * (config["experts"] - config["perToken"]) * 3 * config["embed"] * config["expertWidth"]
    return count(config) - idle


# The sizes that the document states.
STATED = {
    "vocab": 32_768,
    "embed": 8_192,
    "heads": 64,
    "kvHeads": 16,
    "denseLayers": 8,
    "layers": 56,
    "mlp": 24_576,
    "experts": 32,
    "expertWidth": 3_072,
    "perToken": 6,
}
# Those of the memories; it does not state `chunk`, `vectors` and the summarizer's width.
MEMORY = {"tokens": 16_384, "chunk": 64, "vectors": 1, "chunks": 32_768, "layers": 4, "heads": 16, "mlp": 24_576}

if __name__ == "__main__":
    common.report("as stated", STATED, count, shapes)
    common.report("as stated, with memories", {**STATED, "memory": MEMORY}, count, shapes)
    common.report("8 experts", {**STATED, "experts": 8}, count, shapes)
    print(f"as stated, active of a token: {active(STATED) / 1e9:.1f}B")
