"""The reference of xenarcai_600b: rotary attention, then a feed-forward network and a mixture of experts side by side.

Configuration: vocab, embed, heads, kvHeads, headDim, layers, mlp, gated, experts, expertWidth, perToken, threshold,
capacity, loadBalance, zLoss, theta (10,000), epsilon (1e-5).
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
        h = common.rms_norm(block, "attentionNorm", x, epsilon)
        x = x + common.attention(block, "attention", h, segments, lambda y: common.rotary(y, at, theta))
        h = common.rms_norm(block, "mlpNorm", x, epsilon)
        mixture, penalty = common.moe(block, "moe", h, config)
        x = x + common.mlp(block, "mlp", h) + mixture
        router_loss = router_loss + penalty
    return common.linear(params, "head", common.rms_norm(params, "norm", x, epsilon)), router_loss


logits, loss, train, generate = common.interface(_forward)


def shapes(config: Config) -> Shapes:
    """The shape of every parameter, by its path."""
    embed, vocab = config["embed"], config["vocab"]
    block = {
        "attentionNorm/scale": (embed,),
        **common.attention_shapes(config, "attention"),
        "mlpNorm/scale": (embed,),
        **common.mlp_shapes(config, "mlp", config["mlp"]),
        **common.moe_shapes(config, "moe", config["expertWidth"]),
    }
    outer = {"tokens/weight": (vocab, embed), "norm/scale": (embed,), "head/weight": (embed, vocab)}
    return common.model_shapes(config, block, outer)


def count(config: Config) -> int:
    """The number of parameters."""
    embed, heads, kv_heads, head_dim = common.sizes(config)
    matrices = 3 if config.get("gated") else 2
    attention = 2 * embed * head_dim * (heads + kv_heads)
    mlp = matrices * embed * config["mlp"]
    moe = config["experts"] * (matrices * embed * config["expertWidth"] + embed)
    return config["layers"] * (attention + mlp + moe + 2 * embed) + 2 * embed * config["vocab"] + embed


# The sizes that the document states; it does not state the vocabulary, nor what `embed` is but heads times headDim.
STATED = {
    "vocab": 50_304,
    "embed": 12_288,
    "heads": 96,
    "headDim": 128,
    "layers": 96,
    "mlp": 24_576,
    "experts": 8,
    "expertWidth": 1_024,
}

if __name__ == "__main__":
    common.report("as stated", STATED, count, shapes)
    common.report("as stated, gated", {**STATED, "gated": True}, count, shapes)
    common.report("experts as wide as the mlp", {**STATED, "expertWidth": STATED["mlp"]}, count, shapes)
