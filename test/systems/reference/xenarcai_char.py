"""The reference of xenarcai_char: a character model with sinusoidal positions and pre-normalized blocks.

Configuration: vocab (256), embed, heads, layers, mlp (4 * embed), bias (true), epsilon (1e-5). Without `bias` neither
the linear layers nor the norms have one.
"""

import math

import common
import jax.numpy as jnp
from common import Array, Config, Params, Shapes


def _forward(params: Params, tokens: Array, config: Config, segments: Array | None) -> tuple[Array, Array]:
    """Logits [b, s, v]; there are no routers."""
    epsilon, embed = config.get("epsilon", 1e-5), config["embed"]
    x = common.embedding(params, "tokens", tokens) * math.sqrt(embed)
    x = x + common.sinusoidal(common.positions(tokens, segments), embed)
    for block in common.layers(params):
        x = x + common.attention(block, "attention", common.layer_norm(block, "attentionNorm", x, epsilon), segments)
        x = x + common.mlp(block, "mlp", common.layer_norm(block, "mlpNorm", x, epsilon))
    return common.linear(params, "head", common.layer_norm(params, "norm", x, epsilon)), jnp.float32(0)


logits, loss, train, generate = common.interface(_forward)


def shapes(config: Config) -> Shapes:
    """The shape of every parameter, by its path."""
    embed, heads, kv_heads, head_dim = common.sizes(config)
    vocab, width = config.get("vocab", 256), config.get("mlp", 4 * embed)
    block = {
        **common.attention_shapes(config, "attention"),
        **common.mlp_shapes(config, "mlp", width),
        "attentionNorm/scale": (embed,),
        "mlpNorm/scale": (embed,),
    }
    outer = {"tokens/weight": (vocab, embed), "norm/scale": (embed,), "head/weight": (embed, vocab)}
    if config.get("bias", True):
        block |= {
            "attentionNorm/bias": (embed,),
            "attention/query/bias": (heads, head_dim),
            "attention/key/bias": (kv_heads, head_dim),
            "attention/value/bias": (kv_heads, head_dim),
            "attention/output/bias": (embed,),
            "mlpNorm/bias": (embed,),
            "mlp/up/bias": (width,),
            "mlp/down/bias": (embed,),
        }
        outer |= {"norm/bias": (embed,), "head/bias": (vocab,)}
    return common.model_shapes(config, block, outer)


def count(config: Config) -> int:
    """The number of parameters."""
    embed, vocab = config["embed"], config.get("vocab", 256)
    width = config.get("mlp", 4 * embed)
    number = config["layers"] * (4 * embed**2 + 2 * embed * width + 2 * embed) + 2 * embed * vocab + embed
    biases = config["layers"] * (4 * embed + width + embed + 2 * embed) + vocab + embed
    return number + (biases if config.get("bias", True) else 0)


# The sizes that the document states.
STATED = {"vocab": 256, "embed": 12_288, "heads": 96, "layers": 48, "mlp": 49_152}

if __name__ == "__main__":
    common.report("as stated", STATED, count, shapes)
