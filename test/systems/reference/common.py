"""What the references of the systems share: their parts, and training and generation, in plain JAX, dense and float32.

Written from the systems' documents alone, to be read beside them: no cache, no scan, no kernels, and all of
attention's seq x seq scores. Parameters are a flat dict from path to array; those of a stack (`blocks/`) have the layers
as their first axis. Axes: b batch, s seq (q of queries, k of keys), e embed, h heads, d headDim, v vocab, x experts.
"""

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import nn

Array = jax.Array
Params = dict[str, Array]
Config = dict[str, Any]
Shapes = dict[str, tuple[int, ...]]
Forward = Callable[[Params, Array, Config, Array | None], tuple[Array, Array]]
Loss = Callable[[Params, Array, Array, Config], tuple[Array, Array]]
Logits = Callable[[Params, Array, Config], Array]

TRAIN = {
    "learningRate": 3e-4,
    "minLearningRate": 3e-5,
    "warmup": 100,
    "accumulation": 1,
    "beta1": 0.9,
    "beta2": 0.99,
    "epsilon": 1e-8,
    "weightDecay": 0.1,
    "clip": 1.0,
}


def layers(params: Params, stack: str = "blocks") -> list[Params]:
    """The parameters of each block of a stack, under their paths within it."""
    stacked = {path.removeprefix(f"{stack}/"): value for path, value in params.items() if path.startswith(f"{stack}/")}
    depth = len(next(iter(stacked.values())))
    return [{path: value[index] for path, value in stacked.items()} for index in range(depth)]


def embedding(params: Params, path: str, tokens: Array) -> Array:
    """The vectors [b, s, e] of tokens [b, s]."""
    return jnp.asarray(params[f"{path}/weight"])[tokens]


def linear(params: Params, path: str, x: Array, inputs: int = 1) -> Array:
    """The last `inputs` axes of x contracted with the first of the weight, plus the bias where there is one."""
    y = jnp.tensordot(x, params[f"{path}/weight"], axes=inputs)
    return y + params[f"{path}/bias"] if f"{path}/bias" in params else y


def rms_norm(params: Params, path: str, x: Array, epsilon: float) -> Array:
    """x / sqrt(mean(x^2) + epsilon), scaled, over the last axis (Zhang and Sennrich 2019, arXiv:1910.07467)."""
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + epsilon) * params[f"{path}/scale"]


def layer_norm(params: Params, path: str, x: Array, epsilon: float) -> Array:
    """(x - mean) / sqrt(variance + epsilon), scaled and shifted, over the last axis (Ba et al. 2016, arXiv:1607.06450)."""
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    y = centred / jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + epsilon) * params[f"{path}/scale"]
    return y + params[f"{path}/bias"] if f"{path}/bias" in params else y


def positions(tokens: Array, segments: Array | None) -> Array:
    """Positions [b, s] from 0, anew in each of a row's segments (neighbouring tokens of equal number)."""
    index = jnp.broadcast_to(jnp.arange(tokens.shape[1]), tokens.shape)
    if segments is None:
        return index
    begins = jnp.pad(segments[:, 1:] != segments[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    return index - jax.lax.cummax(jnp.where(begins, index, 0), axis=1)


def rotary(x: Array, at: Array, theta: float) -> Array:
    """x [b, s, h, d] turned by its position `at` [b, s]: pairs are (i, i + d/2) (Su et al. 2021, arXiv:2104.09864)."""
    half = x.shape[-1] // 2
    angles = at[:, :, None, None] * theta ** (-jnp.arange(half, dtype=jnp.float32) / half)
    first, second = x[..., :half], x[..., half:]
    sin, cos = jnp.sin(angles), jnp.cos(angles)
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def sinusoidal(at: Array, embed: int) -> Array:
    """Positions `at` [b, s] as [b, s, e]: sine and cosine alternate (Vaswani et al. 2017, arXiv:1706.03762, 3.5)."""
    angles = at[:, :, None] * 10_000.0 ** (-jnp.arange(0, embed, 2, dtype=jnp.float32) / embed)
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(*at.shape, embed)


def attention(
    params: Params,
    path: str,
    x: Array,
    segments: Array | None,
    turn: Callable[[Array], Array] = lambda x: x,
    seen: Array | None = None,
) -> Array:
    """Attention of x [b, s, e] to itself, within its segment [b, s] and to what is `seen` [h, q, k]: default, what is not
    behind the query. `turn` is applied to queries and keys.

    Each key and value serves heads / kvHeads queries, neighbours of each other."""
    query, key, value = (linear(params, f"{path}/{name}", x) for name in ("query", "key", "value"))
    query, key = turn(query), turn(key)
    group = query.shape[2] // key.shape[2]
    key, value = jnp.repeat(key, group, axis=2), jnp.repeat(value, group, axis=2)
    index = jnp.arange(x.shape[1])
    visible = (index[:, None] >= index[None, :])[None] if seen is None else seen
    if segments is not None:
        visible = visible & (segments[:, :, None] == segments[:, None, :])[:, None]
    scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(query.shape[-1])
    weights = nn.softmax(jnp.where(visible, scores, -jnp.inf), axis=-1)
    return linear(params, f"{path}/output", jnp.einsum("bhqk,bkhd->bqhd", weights, value), inputs=2)


def mlp(params: Params, path: str, x: Array) -> Array:
    """down(gelu(up(x))), gelu in its tanh form; where there is a gate, down(silu(gate(x)) * up(x))."""
    up = linear(params, f"{path}/up", x)
    gated = f"{path}/gate/weight" in params
    hidden = nn.silu(linear(params, f"{path}/gate", x)) * up if gated else nn.gelu(up, approximate=True)
    return linear(params, f"{path}/down", hidden)


def moe(params: Params, path: str, x: Array, config: Config) -> tuple[Array, Array]:
    """A mixture of experts of x [b, s, e], and its losses, weighted.

    A token takes its likeliest experts, the next as long as those before it add up to less than `threshold`, at most
    `perToken`; of equals the first. With a `capacity` an expert computes so many tokens of a sequence (row), or of each
    `expertChunk` neighbours in it: first choices before second, earlier tokens before later. What is dropped counts in the
    weights' sum and in the losses."""
    chunk = config.get("expertChunk")
    if chunk and chunk < x.shape[1]:
        y, losses = moe(params, path, x.reshape(-1, chunk, x.shape[-1]), {**config, "expertChunk": None})
        return y.reshape(x.shape), losses
    scores = linear(params, f"{path}/router", x)
    probabilities = nn.softmax(scores, axis=-1)
    _, seq, experts = scores.shape
    order = jnp.argsort(-probabilities, axis=-1, stable=True)

    threshold, rows = config.get("threshold"), seq
    if config.get("capacity") is not None:
        rows = min(seq, math.ceil(seq * config["perToken"] / experts * config["capacity"]))
    sum_before = jnp.zeros(x.shape[:2])
    used = jnp.zeros((len(x), 1, experts), jnp.int32)
    chosen, computed = jnp.zeros(scores.shape, bool), jnp.zeros(scores.shape, bool)
    for choice in range(config["perToken"]):
        wanted = order[:, :, choice, None] == jnp.arange(experts)
        taken = wanted if threshold is None else wanted & (sum_before < threshold)[:, :, None]
        count = jnp.cumsum(taken, axis=1)
        chosen = chosen | taken
        computed = computed | (taken & (used + count <= rows))
        used = used + count[:, -1:]
        sum_before = sum_before + jnp.sum(probabilities * wanted, axis=-1)

    weights = probabilities * computed / jnp.sum(probabilities * chosen, axis=-1, keepdims=True)
    y = jnp.zeros_like(x)
    for index in range(experts):
        names = [name for name in ("gate", "up", "down") if f"{path}/{name}/weight" in params]
        expert = {f"expert/{name}/weight": params[f"{path}/{name}/weight"][index] for name in names}
        y = y + weights[:, :, index, None] * mlp(expert, "expert", x)

    share = jnp.sum(chosen, axis=(0, 1)) / jnp.sum(chosen)
    balance = experts * jnp.sum(share * jnp.mean(probabilities, axis=(0, 1)))
    z = jnp.mean(nn.logsumexp(scores, axis=-1) ** 2)
    return y, config.get("loadBalance", 0) * balance + config.get("zLoss", 0) * z


def cross_entropy(logits: Array, targets: Array) -> Array:
    """The mean over all targets [b, s] of -log softmax(logits [b, s, v])[target], in nats."""
    chosen = jnp.take_along_axis(logits, targets[:, :, None], axis=-1)[:, :, 0]
    return jnp.mean(nn.logsumexp(logits, axis=-1) - chosen)


def decays(path: str) -> bool:
    """Whether a parameter is subject to weight decay: all but embeddings, norms, biases and what is not trained."""
    return not path.startswith("tokens/") and "/values/" not in path and path.split("/")[-1] not in ("scale", "bias")


def learning_rate(step: int, settings: Config) -> float:
    """The learning rate of a step, counted from 0: from 0 in a line to `learningRate` at step `warmup`, then by half a
    cosine to `minLearningRate` at step `steps`."""
    highest, lowest, warmup = settings["learningRate"], settings["minLearningRate"], settings["warmup"]
    if step < warmup:
        return highest * step / warmup
    progress = min(1.0, (step - warmup) / max(1, settings["steps"] - warmup))
    return lowest + (highest - lowest) * (1 + math.cos(math.pi * progress)) / 2


def train(
    loss: Loss, params: Params, batches: Iterable[tuple[Any, Any]], config: Config, settings: Config
) -> tuple[list[float], Params]:
    """Trains by AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101), a step for each of the batches.

    A batch is tokens and targets [accumulation * b, s] or [accumulation, b, s]: so many micro-batches, whose losses
    and gradients are averaged before the gradient is clipped to a global norm of `clip` (0: not). `settings` is the
    section `train` of a configuration. The answer is the total loss of every step, before its update, and the weights."""
    unknown = [key for key in ("biasRate", "dropout", "jitter") if config.get(key)]
    if unknown:
        raise ValueError(f"The reference trains without {', '.join(unknown)}; set to 0 what the model has of it.")
    settings = {**TRAIN, **settings}
    beta1, beta2, clip, parts = (settings[key] for key in ("beta1", "beta2", "clip", "accumulation"))

    @jax.jit
    def gradient(params: Params, tokens: Array, targets: Array) -> tuple[Array, Params]:
        (total, _), grads = jax.value_and_grad(loss, has_aux=True)(params, tokens, targets, config)
        return total, grads

    @jax.jit
    def update(params: Params, mu: Params, nu: Params, grads: Params, count: int, rate: float) -> tuple[Params, ...]:
        norm = jnp.sqrt(sum(jnp.sum(grad**2) for grad in grads.values()))
        scale = clip / jnp.maximum(norm, clip) if clip else 1.0
        new, new_mu, new_nu = {}, {}, {}
        for path, value in params.items():
            grad = grads[path] * scale
            new_mu[path] = beta1 * mu[path] + (1 - beta1) * grad
            new_nu[path] = beta2 * nu[path] + (1 - beta2) * grad**2
            mean, square = new_mu[path] / (1 - beta1**count), new_nu[path] / (1 - beta2**count)
            decay = settings["weightDecay"] if decays(path) else 0.0
            new[path] = value - rate * (mean / (jnp.sqrt(square) + settings["epsilon"]) + decay * value)
        return new, new_mu, new_nu

    params = {path: jnp.asarray(value, jnp.float32) for path, value in params.items()}
    mu = {path: jnp.zeros_like(value) for path, value in params.items()}
    nu = mu
    losses = []
    for step, batch in enumerate(batches):
        tokens, targets = (np.asarray(part).reshape(parts, -1, np.shape(part)[-1]) for part in batch)
        micro = [gradient(params, tokens[part], targets[part]) for part in range(parts)]
        losses.append(float(sum(total for total, _ in micro) / parts))
        grads = {path: sum(grads[path] for _, grads in micro) / parts for path in params}
        params, mu, nu = update(params, mu, nu, grads, step + 1, learning_rate(step, settings))
    return losses, params


def generate(logits: Logits, params: Params, prompt: Any, n: int, config: Config) -> np.ndarray:
    """The n likeliest tokens [b, n] after the prompt [b, s] (or [s]), one after the other, all computed anew for each.

    Without a capacity: with one, what a token is given depends on the tokens after it."""
    prompt = np.atleast_2d(np.asarray(prompt, np.int32))
    dropless = {**config, "capacity": None}
    scores = jax.jit(lambda params, tokens: logits(params, tokens, dropless))
    length = prompt.shape[1]
    tokens = np.pad(prompt, ((0, 0), (0, n)))
    for end in range(length, length + n):
        tokens[:, end] = np.argmax(scores(params, tokens)[:, end - 1], axis=-1)
    return tokens[:, length:]


def interface(forward: Forward) -> tuple[Callable[..., Any], ...]:
    """What a reference is asked for, from its logits [b, s, v] and the losses of all its routers: `logits`, `loss`,
    `train` and `generate`."""

    def logits(params: Params, tokens: Array, config: Config, segments: Array | None = None) -> Array:
        """Scores [b, s, v] of the token after each of tokens [b, s]; `segments` [b, s] number the sequences of packed rows."""
        return forward(params, tokens, config, segments)[0]

    def loss(params: Params, tokens: Array, targets: Array, config: Config) -> tuple[Array, Array]:
        """The loss that is minimized, and the cross-entropy in it, in nats; tokens and targets are [b, s]."""
        scores, router_loss = forward(params, tokens, config, None)
        entropy = cross_entropy(scores, targets)
        return entropy + router_loss, entropy

    return logits, loss, functools.partial(train, loss), functools.partial(generate, logits)


def sizes(config: Config) -> tuple[int, int, int, int]:
    """embed, heads, kvHeads and headDim of a configuration, which may leave out the last two."""
    embed, heads = config["embed"], config["heads"]
    return embed, heads, config.get("kvHeads") or heads, config.get("headDim") or embed // heads


def attention_shapes(config: Config, path: str) -> Shapes:
    """The weights of `attention`: from embed to heads, and back."""
    embed, heads, kv_heads, head_dim = sizes(config)
    return {
        f"{path}/query/weight": (embed, heads, head_dim),
        f"{path}/key/weight": (embed, kv_heads, head_dim),
        f"{path}/value/weight": (embed, kv_heads, head_dim),
        f"{path}/output/weight": (heads, head_dim, embed),
    }


def mlp_shapes(config: Config, path: str, width: int) -> Shapes:
    """The weights of `mlp`."""
    embed = config["embed"]
    into = ["gate", "up"] if config.get("gated") else ["up"]
    return {**{f"{path}/{name}/weight": (embed, width) for name in into}, f"{path}/down/weight": (width, embed)}


def moe_shapes(config: Config, path: str, width: int) -> Shapes:
    """The weights of `moe`: the router's, and the experts', whose first axis is the expert."""
    experts = config["experts"]
    each = mlp_shapes(config, path, width).items()
    router = {f"{path}/router/weight": (config["embed"], experts)}
    return router | {name: (experts, *shape) for name, shape in each}


def model_shapes(config: Config, block: Shapes, outer: Shapes) -> Shapes:
    """The parameters of a model: those of a block for each layer, under `blocks/`, and those outside of them."""
    return outer | stacked("blocks", config["layers"], block)


def stacked(stack: str, layers: int, block: Shapes) -> Shapes:
    """The parameters of equal blocks under one path."""
    return {f"{stack}/{path}": (layers, *shape) for path, shape in block.items()}


def report(name: str, config: Config, count: Callable[[Config], int], shapes: Callable[[Config], Shapes]) -> None:
    """Prints how many parameters a configuration has: by arithmetic, and the same by the list of their shapes."""
    number = count(config)
    assert number == sum(math.prod(shape) for shape in shapes(config).values())
    print(f"{name}: {number:,} parameters ({number / 1e9:.1f}B)")
