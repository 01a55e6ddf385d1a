"""The model of llama.py as users of Flax NNX write it: modules, `nnx.Optimizer`, optax.

    python llama_nnx.py process [--layers N ...]    # lowers the train step once and writes its StableHLO
    python llama_nnx.py serve [--layers N ...]      # the line protocol: `go` builds the shapes, traces and lowers once

Layers are stacked with `nnx.vmap`, run with `nnx.scan` and rematerialized with `nnx.remat`: the documented way for deep
models, and far faster here than a Python list of layers. The model and its optimizer are made by `nnx.eval_shape`, so
that nothing is allocated.
"""

import sys

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from llama import Config, parse, rotate
from measure import serve, timed


class Attention(nnx.Module):
    """Causal grouped-query attention with rotary positions."""

    def __init__(self, config: Config, rngs: nnx.Rngs):
        c = config

        def linear(inputs: tuple[int, ...], outputs: tuple[int, ...], axes: tuple[int, ...]) -> nnx.LinearGeneral:
            return nnx.LinearGeneral(inputs, outputs, axis=axes, use_bias=False, dtype=jnp.bfloat16, rngs=rngs)

        self.query = linear((c.embed,), (c.heads, c.head_dim), (-1,))
        self.key = linear((c.embed,), (c.kv_heads, c.head_dim), (-1,))
        self.value = linear((c.embed,), (c.kv_heads, c.head_dim), (-1,))
        self.output = linear((c.heads, c.head_dim), (c.embed,), (-2, -1))

    def __call__(self, x: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
        q, k, v = rotate(self.query(x), sin, cos), rotate(self.key(x), sin, cos), self.value(x)
        return self.output(jax.nn.dot_product_attention(q, k, v, is_causal=True))


class Mlp(nnx.Module):
    """SwiGLU."""

    def __init__(self, config: Config, rngs: nnx.Rngs):
        def linear(inputs: int, outputs: int) -> nnx.Linear:
            return nnx.Linear(inputs, outputs, use_bias=False, dtype=jnp.bfloat16, rngs=rngs)

        self.gate = linear(config.embed, config.mlp)
        self.up = linear(config.embed, config.mlp)
        self.down = linear(config.mlp, config.embed)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.down(nnx.silu(self.gate(x)) * self.up(x))


class Block(nnx.Module):
    """One pre-norm block."""

    def __init__(self, config: Config, rngs: nnx.Rngs):
        self.attention_norm = nnx.RMSNorm(config.embed, dtype=jnp.bfloat16, rngs=rngs)
        self.attention = Attention(config, rngs)
        self.mlp_norm = nnx.RMSNorm(config.embed, dtype=jnp.bfloat16, rngs=rngs)
        self.mlp = Mlp(config, rngs)

    def __call__(self, x: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
        x = x + self.attention(self.attention_norm(x), sin, cos)
        return x + self.mlp(self.mlp_norm(x))


class Llama(nnx.Module):
    """The decoder: embedding, stacked blocks, norm, untied head."""

    def __init__(self, config: Config, rngs: nnx.Rngs):
        c = config
        self.config = c
        self.tokens = nnx.Embed(c.vocab, c.embed, dtype=jnp.bfloat16, rngs=rngs)

        @nnx.split_rngs(splits=c.layers)
        @nnx.vmap(in_axes=0, out_axes=0)
        def blocks(rngs: nnx.Rngs) -> Block:
            return Block(c, rngs)

        self.blocks = blocks(rngs)
        self.norm = nnx.RMSNorm(c.embed, dtype=jnp.bfloat16, rngs=rngs)
        self.head = nnx.Linear(c.embed, c.vocab, use_bias=False, dtype=jnp.bfloat16, rngs=rngs)

    def __call__(self, tokens: jax.Array) -> jax.Array:
        c = self.config
        frequencies = c.theta ** (-jnp.arange(c.head_dim // 2) / (c.head_dim // 2))
        angles = jnp.arange(c.seq)[:, None] * frequencies
        sin, cos = jnp.sin(angles), jnp.cos(angles)

        @nnx.scan(in_axes=(0, nnx.Carry), out_axes=nnx.Carry)
        @nnx.remat
        def stack(block: Block, x: jax.Array) -> jax.Array:
            return block(x, sin, cos)

        return self.head(self.norm(stack(self.blocks, self.tokens(tokens))))


def make(config: Config) -> tuple[Llama, nnx.Optimizer]:
    """The model and its optimizer; decay spares norms and the embedding."""
    c = config
    model = Llama(c, nnx.Rngs(0))
    schedule = optax.warmup_cosine_decay_schedule(0.0, c.rate, c.warmup, c.steps, c.final_rate)

    def decays(params: nnx.State) -> nnx.State:
        return jax.tree_util.tree_map_with_path(
            lambda path, _: not any("norm" in str(key) or "tokens" in str(key) for key in path), params
        )

    adamw = optax.adamw(schedule, c.b1, c.b2, c.eps, weight_decay=c.decay, mask=decays)
    return model, nnx.Optimizer(model, optax.chain(optax.clip_by_global_norm(c.clip), adamw), wrt=nnx.Param)


@nnx.jit(donate_argnums=(0, 1))
def train_step(model: Llama, optimizer: nnx.Optimizer, tokens: jax.Array, targets: jax.Array) -> jax.Array:
    """One step of training: updates the model and the optimizer in place, returns the loss."""

    def loss_fn(model: Llama) -> jax.Array:
        logits = model(tokens).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


def lower(config: Config) -> str:
    """The StableHLO of the step."""
    model, optimizer = nnx.eval_shape(lambda: make(config))
    batch = jax.ShapeDtypeStruct((config.batch, config.seq), jnp.int32)
    return train_step.lower(model, optimizer, batch, batch).as_text()


def go(config: Config) -> dict[str, float]:
    """Seconds to make the model's shapes, trace, lower and write, all of JAX's caches empty."""
    jax.clear_caches()
    seconds, text = timed(lambda: lower(config))
    return {"seconds": seconds, "bytes": len(text)}


def main() -> None:
    command, config = parse(__doc__)
    if command == "process":
        sys.stdout.write(lower(config))
    else:
        serve({"go": lambda: go(config)})


if __name__ == "__main__":
    main()
