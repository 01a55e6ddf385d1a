"""The peer of the `nanogpt-cpu` config: the same character model in plain JAX and optax, as a careful user writes it.

    python nanogpt.py serve [--layers scan|unrolled]    # the line protocol: `step N`, `stats`
    python nanogpt.py train TEXT [--seed N]             # trains on a text, prints the validation loss

Layers are unrolled by default: with these sizes XLA:CPU runs the scan in 1.25 times the time. nanogpt_tuned.py is the same
model written for what XLA:CPU compiles well.

Parameters are one flat dict of named arrays (matrices ready for einsum, blocks stacked on a leading layers axis):

    tokens.weight                    [vocab, embed]
    blocks.attentionNorm.scale       [layers, embed]
    blocks.attention.query.weight    [layers, embed, heads, headDim]    (key and value alike)
    blocks.attention.output.weight   [layers, heads, headDim, embed]
    blocks.mlpNorm.scale             [layers, embed]
    blocks.mlp.up.weight             [layers, embed, mlp]
    blocks.mlp.down.weight           [layers, mlp, embed]
    norm.scale                       [embed]
    head.weight                      [embed, vocab]
"""

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from measure import compiled_stats, serve, timed

Params = dict[str, Any]
BLOCK = "blocks."


@dataclass(frozen=True)
class Config:
    """Sizes of the model and of its training. The defaults are nanoGPT's CPU setting, in bytes instead of characters."""

    vocab: int = 256
    layers: int = 4
    heads: int = 4
    embed: int = 128
    mlp: int = 512
    block: int = 64
    batch: int = 12
    steps: int = 2000
    warmup: int = 100
    rate: float = 1e-3
    final_rate: float = 1e-4
    b1: float = 0.9
    b2: float = 0.99
    eps: float = 1e-8
    decay: float = 0.1
    clip: float = 1.0
    scan: bool = False

    @property
    def head_dim(self) -> int:
        return self.embed // self.heads


def init(config: Config, seed: int) -> Params:
    """Normal(0.02) matrices, the two that end in the residual stream smaller by sqrt(2 * layers), scales of one."""
    c = config
    residual = 0.02 / math.sqrt(2 * c.layers)
    shapes = {
        "tokens.weight": ((c.vocab, c.embed), 0.02),
        "blocks.attention.query.weight": ((c.layers, c.embed, c.heads, c.head_dim), 0.02),
        "blocks.attention.key.weight": ((c.layers, c.embed, c.heads, c.head_dim), 0.02),
        "blocks.attention.value.weight": ((c.layers, c.embed, c.heads, c.head_dim), 0.02),
        "blocks.attention.output.weight": ((c.layers, c.heads, c.head_dim, c.embed), residual),
        "blocks.mlp.up.weight": ((c.layers, c.embed, c.mlp), 0.02),
        "blocks.mlp.down.weight": ((c.layers, c.mlp, c.embed), residual),
        "head.weight": ((c.embed, c.vocab), 0.02),
    }
    keys = jax.random.split(jax.random.key(seed), len(shapes))
    params = {name: std * jax.random.normal(key, shape) for key, (name, (shape, std)) in zip(keys, shapes.items())}
    params["blocks.attentionNorm.scale"] = jnp.ones((c.layers, c.embed))
    params["blocks.mlpNorm.scale"] = jnp.ones((c.layers, c.embed))
    params["norm.scale"] = jnp.ones((c.embed,))
    return params


def unstack(params: Params) -> Params:
    """The same parameters with one dict for each layer under `blocks`, the form that the unrolled model takes."""
    blocks = {name.removeprefix(BLOCK): w for name, w in params.items() if name.startswith(BLOCK)}
    layers = len(blocks["attentionNorm.scale"])
    rest = {name: w for name, w in params.items() if not name.startswith(BLOCK)}
    return {**rest, "blocks": [{name: w[i] for name, w in blocks.items()} for i in range(layers)]}


def stack(params: Params) -> Params:
    """The inverse of `unstack`."""
    blocks = {f"{BLOCK}{name}": jnp.stack([block[name] for block in params["blocks"]]) for name in params["blocks"][0]}
    return {**{name: w for name, w in params.items() if name != "blocks"}, **blocks}


def positions(length: int, width: int) -> np.ndarray:
    """Sinusoidal positions [length, width]: sines of all frequencies, then cosines. A constant of the program."""
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(width // 2) / (width // 2))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32)


def layer_norm(x: jax.Array, scale: jax.Array) -> jax.Array:
    """LayerNorm over the last axis, without a bias."""
    mean = x.mean(-1, keepdims=True)
    variance = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * scale


def attention(w: Params, x: jax.Array) -> jax.Array:
    """Causal self-attention; x is [batch, seq, embed]."""
    q = jnp.einsum("bse,ehd->bhsd", x, w["attention.query.weight"])
    k = jnp.einsum("bse,ehd->bhsd", x, w["attention.key.weight"])
    v = jnp.einsum("bse,ehd->bhsd", x, w["attention.value.weight"])
    scores = jnp.einsum("bhsd,bhtd->bhst", q, k) / math.sqrt(q.shape[-1])
    causal = np.tril(np.ones(scores.shape[-2:], bool))
    probs = jax.nn.softmax(jnp.where(causal, scores, -1e30))
    return jnp.einsum("bhst,bhtd,hde->bse", probs, v, w["attention.output.weight"])


def mlp(w: Params, x: jax.Array) -> jax.Array:
    return jax.nn.gelu(x @ w["mlp.up.weight"], approximate=True) @ w["mlp.down.weight"]


def block(w: Params, x: jax.Array) -> jax.Array:
    x = x + attention(w, layer_norm(x, w["attentionNorm.scale"]))
    return x + mlp(w, layer_norm(x, w["mlpNorm.scale"]))


def forward(params: Params, tokens: jax.Array) -> jax.Array:
    """Logits [batch, seq, vocab]. Blocks held as a list are unrolled, stacked ones are scanned."""
    width = params["tokens.weight"].shape[1]
    x = params["tokens.weight"][tokens] * math.sqrt(width) + positions(tokens.shape[1], width)
    if "blocks" in params:
        for w in params["blocks"]:
            x = block(w, x)
    else:
        stacked = {name.removeprefix(BLOCK): w for name, w in params.items() if name.startswith(BLOCK)}
        x, _ = lax.scan(lambda x, w: (block(w, x), None), x, stacked)
    return layer_norm(x, params["norm.scale"]) @ params["head.weight"]


Forward = Callable[[Params, jax.Array], jax.Array]


def loss_fn(params: Params, tokens: jax.Array, targets: jax.Array, model: Forward = forward) -> jax.Array:
    """Mean cross-entropy."""
    return optax.softmax_cross_entropy_with_integer_labels(model(params, tokens), targets).mean()


def optimizer(config: Config) -> optax.GradientTransformation:
    """Clipping by global norm, then AdamW whose decay spares norms and embeddings."""
    c = config
    schedule = optax.warmup_cosine_decay_schedule(0.0, c.rate, c.warmup, c.steps, c.final_rate)

    def decays(params: Params) -> Params:
        def is_matrix(path: tuple, _: jax.Array) -> bool:
            name = path[-1].key
            return not (name.endswith(".scale") or name.startswith("tokens."))

        return jax.tree_util.tree_map_with_path(is_matrix, params)

    return optax.chain(
        optax.clip_by_global_norm(c.clip),
        optax.adamw(schedule, c.b1, c.b2, c.eps, weight_decay=c.decay, mask=decays),
    )


@partial(jax.jit, static_argnames=("config", "model"), donate_argnums=0)
def train_step(
    state: tuple, batch: tuple[jax.Array, jax.Array], config: Config, model: Forward = forward
) -> tuple[tuple, jax.Array]:
    """One step of training: (parameters, optimizer state), (tokens, targets) -> the next state, the loss."""
    params, memory = state
    loss, grads = jax.value_and_grad(loss_fn)(params, *batch, model)
    updates, memory = optimizer(config).update(grads, memory, params)
    return (optax.apply_updates(params, updates), memory), loss


def start(config: Config, params: Params) -> tuple:
    """The first state of a training from (stacked) parameters."""
    params = params if config.scan else unstack(params)
    return params, optimizer(config).init(params)


def run_steps(config: Config, params: Params, batches: list) -> tuple[list[float], Params]:
    """Trains from the given (stacked) parameters through the given batches: the losses, and the final parameters."""
    state = start(config, jax.tree.map(jnp.asarray, params))
    losses = []
    for batch in batches:
        state, loss = train_step(state, batch, config)
        losses.append(float(loss))
    return losses, state[0] if config.scan else stack(state[0])


def sample(text: np.ndarray, config: Config, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A batch of windows at random places of the text: the tokens, and the tokens one further."""
    offsets = rng.integers(0, len(text) - config.block, config.batch)
    windows = np.stack([text[i : i + config.block + 1] for i in offsets]).astype(np.int32)
    return windows[:, :-1], windows[:, 1:]


def validation_loss(params: Params, text: np.ndarray, config: Config) -> float:
    """Mean cross-entropy over all of a text, cut into consecutive windows of the context's length."""
    windows = (len(text) - 1) // config.block
    tokens = text[: windows * config.block].reshape(windows, config.block).astype(np.int32)
    targets = text[1 : windows * config.block + 1].reshape(windows, config.block).astype(np.int32)
    evaluate = jax.jit(loss_fn)
    total = sum(
        float(evaluate(params, tokens[i : i + 64], targets[i : i + 64])) * len(tokens[i : i + 64])
        for i in range(0, windows, 64)
    )
    return total / windows


def train(path: Path, config: Config, seed: int) -> dict[str, float]:
    """Trains on the first 90 % of a text, validates on all of the rest."""
    text = np.frombuffer(path.read_bytes(), np.uint8)
    cut = len(text) * 9 // 10
    rng = np.random.default_rng(seed)
    state = start(config, init(config, seed))
    for _ in range(config.steps):
        state, loss = train_step(state, sample(text[:cut], config, rng), config)
    return {"seed": seed, "trainLoss": float(loss), "validationLoss": validation_loss(state[0], text[cut:], config)}


class Session:
    """The state of a `serve` process: a compiled step, its resident state and one resident batch."""

    def __init__(self, config: Config, model: Forward = forward):
        rng = np.random.default_rng(0)
        text = rng.integers(0, config.vocab, 100_000).astype(np.uint8)
        self.batch = jax.device_put(sample(text, config, rng))
        self.state = start(config, init(config, 0))
        self.compiled = train_step.lower(self.state, self.batch, config, model).compile()
        self.step("5")

    def step(self, count: str) -> dict[str, float]:
        """Seconds of `count` steps, state donated from each to the next."""

        def work() -> None:
            for _ in range(int(count)):
                self.state, loss = self.compiled(self.state, self.batch)
            jax.block_until_ready((self.state, loss))

        return {"seconds": timed(work)[0]}

    def stats(self) -> dict[str, int | float]:
        return compiled_stats(self.compiled)

    def serve(self) -> None:
        serve({"step": self.step, "stats": self.stats})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["serve", "train"])
    parser.add_argument("text", nargs="?", type=Path)
    parser.add_argument("--layers", choices=["scan", "unrolled"], default="unrolled")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    config = Config(scan=arguments.layers == "scan")
    if arguments.command == "train":
        if arguments.text is None:
            parser.error("train needs a text")
        print(json.dumps(train(arguments.text, config, arguments.seed)))
    else:
        Session(config).serve()


if __name__ == "__main__":
    main()
