"""The reference of xenarcai_v2: rotary attention and a feed-forward network, or with `moe` a mixture in its place.

Configuration: vocab, embed, heads, kvHeads, headDim, layers, mlp (of each expert, with `moe`), moe, gated, experts,
perToken, threshold, capacity, loadBalance, zLoss, theta (10,000), epsilon (1e-5). Both of the system's kinds of
attention compute the same. The dropout after attention and feed-forward network is left out.
"""

import common
import jax.numpy as jnp
from common import Array, Config, Params, Shapes


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v], and the losses of all routers."""
    epsilon, theta = config.get("epsilon", 1e-5), config.get("theta", 10_000)
    at = common.positions(tokens, segments)
    x = common.embedding(params, "tokens", tokens)
    router_loss = jnp.float32(0)
    for block in common.layers(params):
        h = common.layer_norm(block, "attentionNorm", x, epsilon)
        x = x + common.attention(block, "attention", h, segments, lambda y: common.rotary(y, at, theta))
        h = common.layer_norm(block, "mlpNorm", x, epsilon)
        if config.get("moe"):
            mixture, penalty = common.moe(block, "mlp", h, config)
            x, router_loss = x + mixture, router_loss + penalty
        else:
            x = x + common.mlp(block, "mlp", h)
    return common.linear(params, "head", common.layer_norm(params, "norm", x, epsilon)), router_loss


logits, loss, train, generate = common.interface(_forward)


def shapes(config: Config) -> Shapes:
    """The shape of every parameter, by its path."""
    embed, vocab = config["embed"], config["vocab"]
    feed_forward = common.moe_shapes if config.get("moe") else common.mlp_shapes
    block = {
        "attentionNorm/scale": (embed,),
        "attentionNorm/bias": (embed,),
        **common.attention_shapes(config, "attention"),
        "mlpNorm/scale": (embed,),
        "mlpNorm/bias": (embed,),
        **feed_forward(config, "mlp", config["mlp"]),
    }
    outer = {
        "tokens/weight": (vocab, embed),
        "norm/scale": (embed,),
        "norm/bias": (embed,),
        "head/weight": (embed, vocab),
    }
    return common.model_shapes(config, block, outer)


def count(config: Config) -> int:
    """The number of parameters."""
    embed, heads, kv_heads, head_dim = common.sizes(config)
    attention = 2 * embed * head_dim * (heads + kv_heads)
    mlp = (3 if config.get("gated") else 2) * embed * config["mlp"]
    feed_forward = config["experts"] * (mlp + embed) if config.get("moe") else mlp
    return config["layers"] * (attention + feed_forward + 4 * embed) + 2 * embed * config["vocab"] + 2 * embed


# The document states no sizes; these are the system's presets.
BILLIONS = {"vocab": 32_768, "embed": 4_096, "heads": 32, "layers": 32, "mlp": 11_008}
MIXTURE = {**BILLIONS, "mlp": 3_584, "moe": True, "experts": 8}

if __name__ == "__main__":
    common.report("7b", BILLIONS, count, shapes)
    common.report("7b, gated", {**BILLIONS, "gated": True}, count, shapes)
    common.report("moe13b", MIXTURE, count, shapes)
    common.report("moe13b, gated", {**MIXTURE, "gated": True}, count, shapes)
    common.report("moe13b, gated, 8 kvHeads", {**MIXTURE, "gated": True, "kvHeads": 8}, count, shapes)
