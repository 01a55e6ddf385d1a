"""The reference of xenith_mini: heads that look back through windows of several sizes and at the first tokens; layers
with a feed-forward network first, then a short-term and a long-term memory, then layers with a mixture of experts.

Configuration: vocab, embed, heads, kvHeads, headDim, denseLayers, layers, mlp, experts, expertWidth, perToken,
capacity, loadBalance, zLoss, windows, globals, memory (None), theta (10,000), epsilon (1e-5). All networks are gated.
`memory`: tokens, chunk, vectors, chunks, evict (oldest), through, and layers, heads, mlp of the summarizer.
"""

import math

import common
import jax
import jax.numpy as jnp
from common import Array, Config, Params, Shapes


def visible(config: Config, length: int) -> Array:
    """Which keys [h, q, k] a query sees: those in its head's window, its own place counted, and the first `globals`.

    The heads of keys and values take the windows in turn, and with them the queries that share them."""
    _, heads, kv_heads, _ = common.sizes(config)
    windows = config["windows"]
    window = jnp.array([windows[head * kv_heads // heads % len(windows)] for head in range(heads)])
    query, key = jnp.arange(length)[:, None], jnp.arange(length)[None, :]
    near = (query - key)[None] < window[:, None, None]
    return (key <= query) & (near | (key < config["globals"]))


def _summary(params: Params, path: str, states: Array, config: Config) -> Array:
    """The vectors [b, v, e] that a chunk's states [b, s, e] become: what a transformer, in which all see all, makes of
    learned tokens behind them."""
    epsilon, theta = config.get("epsilon", 1e-5), config.get("theta", 10_000)
    tokens = params[f"{path}/tokens"]
    x = jnp.concatenate([states, jnp.broadcast_to(tokens, (len(states), *tokens.shape))], axis=1)
    length = x.shape[1]
    at = jnp.broadcast_to(jnp.arange(length), x.shape[:2])
    everything = jnp.ones((1, length, length), bool)
    for block in common.layers(params, f"{path}/blocks"):
        h = common.rms_norm(block, "attentionNorm", x, epsilon)
        x = x + common.attention(block, "attention", h, None, lambda y: common.rotary(y, at, theta), everything)
        x = x + common.mlp(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon))
    return common.rms_norm(params, f"{path}/norm", x, epsilon)[:, -len(tokens) :]


def _remember(params: Params, x: Array, at: Array, config: Config) -> Array:
    """x [b, s, e], and what it reads of the last `tokens` states (short-term), then of the chunks before them
    (long-term): of a chunk as soon as its first token is no longer among those."""
    memory, epsilon, theta = config["memory"], config.get("epsilon", 1e-5), config.get("theta", 10_000)
    tokens, chunk, vectors, most = (memory[key] for key in ("tokens", "chunk", "vectors", "chunks"))
    length = x.shape[1]
    query, key = jnp.arange(length)[:, None], jnp.arange(length)[None, :]
    states = common.rms_norm(params, "memory/norm", x, epsilon)
    last = ((key <= query) & (query - key < tokens))[None]
    x = x + common.attention(params, "memory/short", states, None, lambda y: common.rotary(y, at, theta), last)

    count = max(0, math.ceil((length - tokens) / chunk))
    if most == 0 or count == 0:
        return x
    chunks = [states[:, i * chunk : (i + 1) * chunk] for i in range(count)]
    summaries = [_summary(params, "memory/long/summarizer", states, config) for states in chunks]
    number = jnp.repeat(jnp.arange(count), vectors)[None, :]
    written = query >= number * chunk + tokens
    if memory.get("evict", "oldest") == "oldest":
        # Held as long as fewer than `chunks` were written after it.
        seen = written & (query < (number + most) * chunk + tokens)
    else:
        seen = written & (number < most)
    through = memory.get("through")
    recent = jnp.ones_like(seen) if through is None else query // tokens - number * chunk // tokens <= through

    h = common.rms_norm(params, "memory/long/norm", x, epsilon)
    asked = common.linear(params, "memory/long/query", h)
    answers = [common.linear(params, f"memory/long/{name}", jnp.concatenate(summaries, axis=1)) for name in ("key", "value")]
    group = asked.shape[2] // answers[0].shape[2]
    keys, values = (jnp.repeat(answer, group, axis=2) for answer in answers)
    old_keys, old_values = jax.lax.stop_gradient(keys), jax.lax.stop_gradient(values)
    product = "bqhd,bkhd->bhqk"
    scores = jnp.where(recent, jnp.einsum(product, asked, keys), jnp.einsum(product, asked, old_keys))
    scores = jnp.where(seen, scores / math.sqrt(asked.shape[-1]), -1e30)
    weights = jnp.where(seen, jax.nn.softmax(scores, axis=-1), 0)
    mixed = "bhqk,bkhd->bqhd"
    read = jnp.einsum(mixed, weights * recent, values) + jnp.einsum(mixed, weights * ~recent, old_values)
    return x + common.linear(params, "memory/long/output", read, inputs=2)


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v], and the losses of all routers."""
    epsilon, theta = config.get("epsilon", 1e-5), config.get("theta", 10_000)
    at = common.positions(tokens, segments)
    seen = visible(config, tokens.shape[1])
    x = common.embedding(params, "tokens", tokens)

    def attend(block: Params, x: Array) -> Array:
        h = common.rms_norm(block, "attentionNorm", x, epsilon)
        return x + common.attention(block, "attention", h, segments, lambda y: common.rotary(y, at, theta), seen)

    for block in common.layers(params, "dense"):
        x = attend(block, x)
        x = x + common.mlp(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon))
    if config.get("memory"):
        if segments is not None:
            raise ValueError("The reference has no memory of packed rows.")
        x = _remember(params, x, at, config)
    router_loss = jnp.float32(0)
    for block in common.layers(params):
        x = attend(block, x)
        mixture, penalty = common.moe(block, "mlp", common.rms_norm(block, "mlpNorm", x, epsilon), config)
        x, router_loss = x + mixture, router_loss + penalty
    return common.linear(params, "head", common.rms_norm(params, "norm", x, epsilon)), router_loss


logits, loss, train, generate = common.interface(_forward)


def shapes(config: Config) -> Shapes:
    """The shape of every parameter, by its path."""
    config = {**config, "gated": True}
    embed, vocab = config["embed"], config["vocab"]
    block = {
        "attentionNorm/scale": (embed,),
        **common.attention_shapes(config, "attention"),
        "mlpNorm/scale": (embed,),
    }
    dense = block | common.mlp_shapes(config, "mlp", config["mlp"])
    mixture = block | common.moe_shapes(config, "mlp", config["expertWidth"])
    outer = {"tokens/weight": (vocab, embed), "norm/scale": (embed,), "head/weight": (embed, vocab)}
    outer |= common.stacked("dense", config["denseLayers"], dense)
    return common.model_shapes(config, mixture, outer | _memory_shapes(config))


def _memory_shapes(config: Config) -> Shapes:
    memory, embed = config.get("memory"), config["embed"]
    if not memory:
        return {}
    shapes = {"memory/norm/scale": (embed,), **common.attention_shapes(config, "memory/short")}
    if memory["chunks"] == 0:
        return shapes
    small = {"embed": embed, "heads": memory["heads"], "gated": True}
    block = {
        "attentionNorm/scale": (embed,),
        **common.attention_shapes(small, "attention"),
        "mlpNorm/scale": (embed,),
        **common.mlp_shapes(small, "mlp", memory["mlp"]),
    }
    summarizer = "memory/long/summarizer"
    return {
        **shapes,
        "memory/long/norm/scale": (embed,),
        **common.attention_shapes(config, "memory/long"),
        f"{summarizer}/tokens": (memory["vectors"], embed),
        **common.stacked(f"{summarizer}/blocks", memory["layers"], block),
        f"{summarizer}/norm/scale": (embed,),
    }


def count(config: Config) -> int:
    """The number of parameters."""
    embed, heads, kv_heads, head_dim = common.sizes(config)
    attention = 2 * embed * head_dim * (heads + kv_heads) + 2 * embed
    dense = 3 * embed * config["mlp"]
    mixture = config["experts"] * (3 * embed * config["expertWidth"] + embed)
    depth = config["denseLayers"] + config["layers"]
    outer = 2 * embed * config["vocab"] + embed
    if config.get("memory"):
        memory = config["memory"]
        layer = attention - embed
        block = 4 * embed**2 + 3 * embed * memory["mlp"] + 2 * embed
        summarizer = memory["layers"] * block + memory["vectors"] * embed + embed
        outer += layer + (layer + summarizer if memory["chunks"] else 0)
    return depth * attention + config["denseLayers"] * dense + config["layers"] * mixture + outer


# The sizes that the document states; its vocabulary of "32k" is that of the tokenizer it names, rounded up to 2^15.
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
}
# Of the summarizer it states layers and heads; chunk, vectors and width are this system's.
MEMORY = {
    "tokens": 16_384,
    "chunk": 64,
    "vectors": 1,
    "chunks": 32_768,
    "layers": 4,
    "heads": 16,
    "mlp": 24_576,
}

if __name__ == "__main__":
    common.report("as stated", STATED, count, shapes)
    common.report("as stated, active of a token", {**STATED, "experts": 6}, count, shapes)
    common.report("as stated, with memories", {**STATED, "memory": MEMORY}, count, shapes)
    common.report("8 experts", {**STATED, "experts": 8}, count, shapes)
