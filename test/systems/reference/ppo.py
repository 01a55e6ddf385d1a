"""Proximal policy optimization in plain JAX: what the controller's update is held to. Its density is `jax.scipy`'s, its optimizer optax's."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.scipy.stats import norm

Params = dict[str, jax.Array]


def network(params: Params, name: str, x: jax.Array) -> jax.Array:
    """Three layers: x [t, observation] to [t, out]."""
    for layer in ("first", "second"):
        x = jnp.tanh(x @ params[f"{name}/{layer}/weight"] + params[f"{name}/{layer}/bias"])
    return x @ params[f"{name}/last/weight"] + params[f"{name}/last/bias"]


def advantages(rewards: jax.Array, values: jax.Array, last: jax.Array, discount: float, trace: float) -> jax.Array:
    """Each as the sum that defines it: over all errors from its step on, by (discount * trace) to the power of their distance."""
    errors = rewards + discount * jnp.append(values[1:], last) - values
    step = jnp.arange(len(rewards))
    distance = step[None, :] - step[:, None]
    return jnp.where(distance >= 0, (discount * trace) ** jnp.maximum(distance, 0), 0) @ errors


def loss(params: Params, rollout: Params, advantage: jax.Array, returns: jax.Array, config: dict[str, Any]) -> jax.Array:
    """The clipped surrogate, the value's error and the entropy, weighted."""
    mean = network(params, "policy", rollout["observation"])
    deviation = jnp.exp(params["logDeviation"])[None] * rollout["epsilon"][:, None]
    density = norm.logpdf(rollout["action"], mean, deviation).sum(-1)
    ratio = jnp.exp(density - rollout["logDensity"])
    limited = jnp.where(ratio < 1, jnp.maximum(ratio, 1 - config["clip"]), jnp.minimum(ratio, 1 + config["clip"]))
    surrogate = jnp.minimum(ratio * advantage, limited * advantage).mean()
    value = network(params, "critic", rollout["observation"])[:, 0]
    spread = (0.5 * jnp.log(2 * jnp.pi * jnp.e * deviation**2)).sum(-1).mean()
    return -surrogate + config["valueWeight"] * ((value - returns) ** 2).mean() / 2 - config["entropy"] * spread


def update(params: Params, rollout: Params, last: jax.Array, config: dict[str, Any]) -> tuple[jax.Array, Params, Params]:
    """The first loss and its gradient, and the parameters after all epochs."""
    raw = advantages(rollout["reward"], rollout["value"], last, config["discount"], config["trace"])
    advantage = (raw - raw.mean()) / (raw.std() + 1e-8)
    returns = raw + rollout["value"]
    first = jax.value_and_grad(loss)(params, rollout, advantage, returns, config)
    optimizer = optax.chain(optax.clip_by_global_norm(config["maxNorm"]), optax.adam(config["learningRate"]))
    state = optimizer.init(params)
    for _ in range(config["epochs"]):
        gradients = jax.grad(loss)(params, rollout, advantage, returns, config)
        updates, state = optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    return *first, params
