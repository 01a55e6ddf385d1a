"""The model of nanogpt.py in the form that XLA:CPU compiles best, for JAX users who went as far as we did.

    python nanogpt_tuned.py    # the line protocol: `step N`, `stats`

What makes the difference, most important first:
- The layers are scanned and most of a block is computed again in the backward pass. The temporary memory then stays below
  32 MiB, the most that glibc's malloc recycles; a larger block is mapped and cleared anew in every step.
- Batch and sequence are one axis everywhere but in attention. A weight gradient that sums over two axes makes XLA transpose
  its operand, and compute whatever made that operand once more, in the order of the transposed array.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.ad_checkpoint import checkpoint_name

from nanogpt import BLOCK, Config, Params, Session, layer_norm, positions


def attention(w: Params, x: jax.Array, seq: int) -> jax.Array:
    """Causal self-attention; x is [batch * seq, embed]."""
    rows, width = x.shape
    heads = w["attention.query.weight"].shape[1]

    def project(name: str) -> jax.Array:
        y = x @ w[f"attention.{name}.weight"].reshape(width, width)
        return y.reshape(rows // seq, seq, heads, width // heads).transpose(0, 2, 1, 3)

    q, k, v = project("query"), project("key"), project("value")
    scores = jnp.einsum("bhsd,bhtd->bhst", q / math.sqrt(width // heads), k)
    probs = jax.nn.softmax(jnp.where(np.tril(np.ones((seq, seq), bool)), scores, -1e30))
    mixed = checkpoint_name(jnp.einsum("bhst,bhtd->bhsd", probs, v), "mixed")
    return mixed.transpose(0, 2, 1, 3).reshape(rows, width) @ w["attention.output.weight"].reshape(width, width)


def block(w: Params, x: jax.Array, seq: int) -> jax.Array:
    x = checkpoint_name(x + attention(w, layer_norm(x, w["attentionNorm.scale"]), seq), "attended")
    up = checkpoint_name(layer_norm(x, w["mlpNorm.scale"]) @ w["mlp.up.weight"], "up")
    return x + jax.nn.gelu(up, approximate=True) @ w["mlp.down.weight"]


def forward(params: Params, tokens: jax.Array) -> jax.Array:
    """Logits [batch, seq, vocab]."""
    batch, seq = tokens.shape
    width = params["tokens.weight"].shape[1]
    x = params["tokens.weight"][tokens] * math.sqrt(width) + positions(seq, width)
    stacked = {name.removeprefix(BLOCK): w for name, w in params.items() if name.startswith(BLOCK)}
    saved = jax.checkpoint_policies.save_only_these_names("mixed", "attended", "up")

    def step(x: jax.Array, w: Params) -> tuple[jax.Array, Any]:
        return block(w, x, seq), None

    x, _ = lax.scan(jax.checkpoint(step, policy=saved), x.reshape(batch * seq, width), stacked)
    return (layer_norm(x, params["norm.scale"]) @ params["head.weight"]).reshape(batch, seq, -1)


if __name__ == "__main__":
    Session(Config(scan=True), forward).serve()
