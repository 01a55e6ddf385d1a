"""The peer of the tracing benches: a Llama-shaped train step in hand-written JAX, as lean to trace as we can make it.

    python llama.py serve [--layers N ...]      # the line protocol: `go` traces and lowers the step once
    python llama.py process [--layers N ...]    # lowers the step once and writes its StableHLO to standard output

One scan over stacked layers with rematerialization, bfloat16 compute over float32 masters, float32 loss, clipping,
warm-up and cosine decay, AdamW with decoupled decay; the state is donated. Nothing is allocated: the step is lowered
from shapes.
"""

import argparse
import math
import sys
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from measure import serve, timed

Params = dict[str, Any]


@dataclass(frozen=True)
class Config:
    """Sizes of the model and of its training; the defaults are those of a 7-billion-parameter Llama with grouped queries."""

    vocab: int = 32_000
    layers: int = 32
    heads: int = 32
    kv_heads: int = 8
    embed: int = 4096
    mlp: int = 11_008
    seq: int = 2048
    batch: int = 8
    theta: float = 10_000.0
    steps: int = 100_000
    warmup: int = 2000
    rate: float = 3e-4
    final_rate: float = 3e-5
    b1: float = 0.9
    b2: float = 0.95
    eps: float = 1e-8
    decay: float = 0.1
    clip: float = 1.0

    @property
    def head_dim(self) -> int:
        return self.embed // self.heads

    @property
    def groups(self) -> int:
        return self.heads // self.kv_heads


def shapes(config: Config) -> Params:
    """The parameters' shapes, layers stacked."""
    c = config

    def of(*shape: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    return {
        "tokens": of(c.vocab, c.embed),
        "blocks": {
            "attention_norm": of(c.layers, c.embed),
            "query": of(c.layers, c.embed, c.kv_heads, c.groups, c.head_dim),
            "key": of(c.layers, c.embed, c.kv_heads, c.head_dim),
            "value": of(c.layers, c.embed, c.kv_heads, c.head_dim),
            "output": of(c.layers, c.kv_heads, c.groups, c.head_dim, c.embed),
            "mlp_norm": of(c.layers, c.embed),
            "gate": of(c.layers, c.embed, c.mlp),
            "up": of(c.layers, c.embed, c.mlp),
            "down": of(c.layers, c.mlp, c.embed),
        },
        "norm": of(c.embed),
        "head": of(c.embed, c.vocab),
    }


def rms_norm(x: jax.Array, scale: jax.Array) -> jax.Array:
    """RMSNorm over the last axis, computed in float32."""
    x32 = x.astype(jnp.float32)
    return (x32 * lax.rsqrt(jnp.square(x32).mean(-1, keepdims=True) + 1e-5) * scale).astype(x.dtype)


def rotate(x: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
    """Rotary positions on [batch, seq, ..., head_dim], halves rotated against each other."""
    shape = sin.shape[0], *(1,) * (x.ndim - 3), sin.shape[1]
    sin, cos = sin.reshape(shape), cos.reshape(shape)
    left, right = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], axis=-1).astype(x.dtype)


def attention(w: Params, x: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
    """Causal grouped-query attention; x is [batch, seq, embed]; g are groups of queries that share key head k."""
    q = rotate(jnp.einsum("bse,ekgd->bskgd", x, w["query"]), sin, cos)
    k = rotate(jnp.einsum("bse,ekd->bskd", x, w["key"]), sin, cos)
    v = jnp.einsum("bse,ekd->bskd", x, w["value"])
    scores = jnp.einsum("bskgd,btkd->bkgst", q, k, preferred_element_type=jnp.float32) / math.sqrt(q.shape[-1])
    length = x.shape[1]
    causal = lax.broadcasted_iota(jnp.int32, (length, length), 0) >= lax.broadcasted_iota(jnp.int32, (length, length), 1)
    probs = jax.nn.softmax(jnp.where(causal, scores, -1e30)).astype(x.dtype)
    return jnp.einsum("bskgd,kgde->bse", jnp.einsum("bkgst,btkd->bskgd", probs, v), w["output"])


def block(w: Params, x: jax.Array, sin: jax.Array, cos: jax.Array) -> jax.Array:
    """One pre-norm block; weights are cast to the activations' type here, inside the scan, so that no bfloat16 copy of the stack exists."""
    w = {name: a if name.endswith("norm") else a.astype(x.dtype) for name, a in w.items()}
    x = x + attention(w, rms_norm(x, w["attention_norm"]), sin, cos)
    h = rms_norm(x, w["mlp_norm"])
    return x + (jax.nn.silu(h @ w["gate"]) * (h @ w["up"])) @ w["down"]


def loss_fn(params: Params, tokens: jax.Array, targets: jax.Array, config: Config) -> jax.Array:
    c = config
    frequencies = c.theta ** (-jnp.arange(c.head_dim // 2) / (c.head_dim // 2))
    angles = jnp.arange(c.seq)[:, None] * frequencies
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    x = params["tokens"].astype(jnp.bfloat16)[tokens]
    body = jax.checkpoint(lambda x, w: (block(w, x, sin, cos), None), policy=jax.checkpoint_policies.nothing_saveable)
    x, _ = lax.scan(body, x, params["blocks"])
    logits = (rms_norm(x, params["norm"]) @ params["head"].astype(x.dtype)).astype(jnp.float32)
    picked = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return (jax.nn.logsumexp(logits, axis=-1) - picked).mean()


def learning_rate(step: jax.Array, config: Config) -> jax.Array:
    """Linear warm-up, then cosine decay to the final rate."""
    c = config
    progress = jnp.clip((step - c.warmup) / (c.steps - c.warmup), 0, 1)
    cosine = c.final_rate + (c.rate - c.final_rate) * 0.5 * (1 + jnp.cos(math.pi * progress))
    return jnp.where(step < c.warmup, c.rate * step / c.warmup, cosine)


@partial(jax.jit, static_argnames="config", donate_argnums=0)
def train_step(state: Params, tokens: jax.Array, targets: jax.Array, config: Config) -> tuple[Params, Params]:
    """One step of training: state {params, mu, nu, step}, tokens and targets [batch, seq] -> the next state, metrics."""
    c = config
    loss, grads = jax.value_and_grad(loss_fn)(state["params"], tokens, targets, c)
    norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in jax.tree.leaves(grads)))
    clip = jnp.minimum(1.0, c.clip / norm)
    step = state["step"] + 1
    rate = learning_rate(step, c)
    correct1, correct2 = 1 - c.b1**step, 1 - c.b2**step

    def update(path: tuple, p: jax.Array, g: jax.Array, m: jax.Array, v: jax.Array) -> tuple:
        g = g * clip
        m = c.b1 * m + (1 - c.b1) * g
        v = c.b2 * v + (1 - c.b2) * jnp.square(g)
        name = path[-1].key
        decay = 0.0 if name.endswith("norm") or name == "tokens" else c.decay
        return p - rate * ((m / correct1) / (jnp.sqrt(v / correct2) + c.eps) + decay * p), m, v

    updated = jax.tree_util.tree_map_with_path(update, state["params"], grads, state["mu"], state["nu"])
    params, mu, nu = jax.tree.transpose(jax.tree.structure(grads), jax.tree.structure((0, 0, 0)), updated)
    return {"params": params, "mu": mu, "nu": nu, "step": step}, {"loss": loss, "grad_norm": norm, "rate": rate}


def inputs(config: Config) -> tuple[Params, jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    """The shapes of `train_step`'s arguments."""
    params = shapes(config)
    batch = jax.ShapeDtypeStruct((config.batch, config.seq), jnp.int32)
    state = {"params": params, "mu": params, "nu": params, "step": jax.ShapeDtypeStruct((), jnp.int32)}
    return state, batch, batch


def go(config: Config) -> dict[str, float]:
    """Seconds to trace and to lower the step, all of JAX's caches empty, and the size of the text.

    Writing the text is timed apart: it is part of what the other side does in one go."""
    jax.clear_caches()
    arguments = inputs(config)
    trace, traced = timed(lambda: train_step.trace(*arguments, config))
    lower, lowered = timed(traced.lower)
    write, text = timed(lowered.as_text)
    return {"trace": trace, "lower": lower, "write": write, "seconds": trace + lower, "bytes": len(text)}


def parse(description: str) -> tuple[str, Config]:
    """The command line of both Llama peers: what to do, and any size as `--name value`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["serve", "process"])
    for f in fields(Config):
        parser.add_argument(f"--{f.name}", type=type(f.default), default=f.default)
    arguments = parser.parse_args()
    return arguments.command, Config(**{f.name: getattr(arguments, f.name) for f in fields(Config)})


def main() -> None:
    command, config = parse(__doc__)
    if command == "process":
        sys.stdout.write(train_step.lower(*inputs(config), config).as_text())
    else:
        serve({"go": lambda: go(config)})


if __name__ == "__main__":
    main()
