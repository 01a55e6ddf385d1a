"""Answers the tests' questions about JAX: the independent computation that values, gradients and training are held to.

A plugin of the Python worker: each method takes its parameters (JSON) and tensors, and returns a result (JSON) and
tensors. A function is given as the source of a Python expression, so that a test states its reference next to the
operation it tests: `"lambda x, y: jnp.tanh(x) * y"`.
"""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, nn, random
from optax import contrib

Tensors = list[np.ndarray]
Answer = tuple[Any, Tensors]

# Tests compare infinities and NaN on purpose; numpy's warnings about them would bury the tests' own output.
np.seterr(all="ignore")


def _reference(name: str) -> Any:
    """A module of test/systems/reference."""
    folder = str(Path(__file__).resolve().parents[1] / "systems" / "reference")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


_SCOPE = {"jax": jax, "jnp": jnp, "lax": lax, "nn": nn, "np": np, "random": random, "optax": optax, "contrib": contrib}
_SCOPE["reference"] = _reference


@cache
def _function(source: str) -> Callable[..., list[jax.Array]]:
    """The function that an expression stands for, its result flattened to a list; compiled, and cached by its source."""
    function = eval(source, dict(_SCOPE))  # noqa: S307: the source is this repository's own tests
    return jax.jit(lambda *inputs: [jnp.asarray(leaf) for leaf in jax.tree.leaves(function(*inputs))])


def _numpy(arrays: list[Any]) -> Tensors:
    return [np.asarray(array) for array in arrays]


def _differentiable(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


def evaluate(params: dict[str, Any], tensors: Tensors) -> Answer:
    """`source` applied to the tensors. With `x64`, in JAX's 64-bit mode."""
    with jax.enable_x64(params.get("x64", False)):
        return None, _numpy(_function(params["source"])(*tensors))


def vjp(params: dict[str, Any], tensors: Tensors) -> Answer:
    """`source` applied to the first `inputs` tensors, and its gradients with respect to those in `argnums`.

    The tensors that follow the inputs are the cotangents of the floating-point outputs, in order. The answer is the
    outputs, then the gradients; the result says how many outputs there are."""
    inputs, cotangents = tensors[: params["inputs"]], tensors[params["inputs"] :]
    argnums = params.get("argnums", [i for i, x in enumerate(inputs) if _differentiable(x)])

    @jax.jit
    def run(inputs: Tensors, cotangents: Tensors) -> tuple[list[jax.Array], list[jax.Array]]:
        def chosen(*wanted: jax.Array) -> list[jax.Array]:
            arguments = list(inputs)
            for index, value in zip(argnums, wanted):
                arguments[index] = value
            return _function(params["source"])(*arguments)

        outputs, pullback = jax.vjp(chosen, *(jnp.asarray(inputs[i]) for i in argnums))
        given = iter(cotangents)
        seeds = [next(given) if _differentiable(y) else np.zeros(y.shape, jax.dtypes.float0) for y in outputs]
        return outputs, list(pullback(seeds))

    with jax.enable_x64(params.get("x64", False)):
        outputs, grads = run(inputs, cotangents)
        return {"outputs": len(outputs)}, _numpy([*outputs, *grads])


def train_nanogpt(params: dict[str, Any], tensors: Tensors) -> Answer:
    """Trains the plain-JAX character model of the benches from given weights on given batches.

    `config` are fields of its `Config`; the tensors are the weights called `names`, in that order and in the shapes
    that bench/jax/nanogpt.py states, then tokens and targets, each [steps, batch, seq]. The answer is the losses and the
    final weights, in the same order."""
    folder = str(Path(__file__).resolve().parents[2] / "bench" / "jax")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    import nanogpt

    *weights, tokens, targets = tensors
    names = params["names"]
    batches = list(zip(tokens.astype(np.int32), targets.astype(np.int32)))
    config = nanogpt.Config(**params.get("config", {}))
    with jax.enable_x64(False):
        losses, final = nanogpt.run_steps(config, dict(zip(names, weights)), batches)
    return {"losses": losses}, _numpy([final[name] for name in names])


def system(params: dict[str, Any], tensors: Tensors) -> Answer:
    """What the reference `name` in test/systems/reference makes of weights and batches.

    `config` and `settings` are the sections `model` and `train` of a configuration; the tensors are the weights called
    `names`, in that order, then tokens and targets, each [steps, batch, seq]. The answer is the first batch's scores, its
    gradient, and the weights after all steps; the result has each step's total loss."""
    reference = _reference(params["name"])
    *weights, tokens, targets = tensors
    names, config = params["names"], params["config"]
    given = dict(zip(names, weights))
    with jax.enable_x64(False):
        scores = jax.jit(lambda p: reference.logits(p, tokens[0], config))(given)
        grads = jax.jit(jax.grad(lambda p: reference.loss(p, tokens[0], targets[0], config)[0]))(given)
        losses, final = reference.train(given, list(zip(tokens, targets)), config, params["settings"])
    return {"losses": losses}, _numpy([scores, *(grads[name] for name in names), *(final[name] for name in names)])


METHODS = {
    "jax.eval": evaluate,
    "jax.vjp": vjp,
    "reference.nanogpt": train_nanogpt,
    "reference.system": system,
}
