"""A small language model in plain JAX with xenarc's entry points, printed as JSON: the runtime's tests run it.

Each position sees the mean of the embeddings so far, so that a wrong position, length or cache shows in the tokens.
It is also the independent reference: it trains and generates by itself, in one process, without xenarc_runtime.

    python reference_model.py artifact CONTEXT STEPS
    python reference_model.py train CONTEXT STEPS BATCHES.npz
    python reference_model.py generate CONTEXT 0 PARAMETERS.safetensors PROMPT TOKENS
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file

COMMAND, CONTEXT, STEPS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
VOCABULARY, WIDTH, BATCH, ACCUMULATION = 256, 16, 4, 2
LEARNING_RATE = 0.5

PARAMETERS = {"params/embed": (VOCABULARY, WIDTH), "params/head/w": (WIDTH, VOCABULARY)}
MOMENTUM = {name.replace("params", "optimizer/momentum"): shape for name, shape in PARAMETERS.items()}


def means(embeddings):
    count = jnp.arange(1, embeddings.shape[1] + 1, dtype=jnp.float32)
    return jnp.cumsum(embeddings, axis=1) / count[None, :, None]


def logits_of(parameters, tokens):
    embed, head = parameters
    return means(embed[jnp.maximum(tokens, 0)]) @ head


def losses(parameters, tokens):
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    log_probabilities = jax.nn.log_softmax(logits_of(parameters, inputs))
    picked = jnp.take_along_axis(log_probabilities, jnp.maximum(targets, 0)[..., None], axis=-1)[..., 0]
    counted = targets >= 0
    return -jnp.sum(jnp.where(counted, picked, 0.0)), jnp.sum(counted).astype(jnp.float32)


def mean_loss(parameters, tokens):
    total, count = losses(parameters, tokens)
    return total / count


def init(key):
    a, b = jax.random.split(jax.random.wrap_key_data(key))
    embed = jax.random.normal(a, (VOCABULARY, WIDTH)) * 0.5
    head = jax.random.normal(b, (WIDTH, VOCABULARY)) * 0.1
    return embed, head, jnp.zeros_like(embed), jnp.zeros_like(head), jnp.int32(0), key


def train_step(embed, head, m_embed, m_head, step, key, tokens):
    parameters, momentum = (embed, head), (m_embed, m_head)
    flat = tokens.reshape(-1, tokens.shape[-1])
    loss, gradients = jax.value_and_grad(mean_loss)(parameters, flat)
    rate = LEARNING_RATE * jnp.minimum(1.0, (step + 1).astype(jnp.float32) / 5)
    momentum = jax.tree.map(lambda m, g: 0.9 * m + g, momentum, gradients)
    parameters = jax.tree.map(lambda p, m: p - rate * m, parameters, momentum)
    norm = lambda tree: jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(tree)))  # noqa: E731
    key = jax.random.key_data(jax.random.fold_in(jax.random.wrap_key_data(key), step))
    return (*parameters, *momentum, step + 1, key, loss, norm(gradients), rate, norm(parameters))


def eval_step(embed, head, tokens):
    return losses((embed, head), tokens)


def choose(logits, key, temperature):
    sampled = jax.random.categorical(jax.random.wrap_key_data(key), logits / jnp.maximum(temperature, 1e-6))
    return jnp.where(temperature == 0, jnp.argmax(logits, -1), sampled).astype(jnp.int32)


def prefill(embed, head, tokens, length, key, temperature, top_k, top_p):
    embeddings = embed[tokens] * (jnp.arange(CONTEXT)[None] < length[:, None])[..., None]
    at = jnp.sum(embeddings, axis=1) / length[:, None]
    return embeddings, choose(at @ head, key, temperature)


def decode_step(embed, head, cache, token, position, key, temperature, top_k, top_p):
    cache = jax.vmap(lambda row, t, p: row.at[p].set(embed[t]))(cache, token, position)
    seen = (jnp.arange(CONTEXT)[None] <= position[:, None])[..., None]
    at = jnp.sum(cache * seen, axis=1) / (position + 1)[:, None]
    return cache, choose(at @ head, key, temperature)


def port(name, role, shape, dtype, axes=None):
    named = axes or [f"d{i}" for i in range(len(shape))]
    return {"name": name, "role": role, "axes": list(named), "shape": list(shape), "dtype": dtype}


PARAMS = [port(name, "state", shape, "f32") for name, shape in PARAMETERS.items()]
STATE = [
    *PARAMS,
    *(port(name, "state", shape, "f32") for name, shape in MOMENTUM.items()),
    port("step", "state", (), "i32"),
    port("key", "state", (2,), "ui32"),
]
KEY = port("key", "argument", (2,), "ui32")
SAMPLING = [
    KEY,
    port("temperature", "argument", (), "f32"),
    port("top_k", "argument", (), "i32"),
    port("top_p", "argument", (), "f32"),
]
SAMPLES = 1
CACHE = port("cache", "cache", (SAMPLES, CONTEXT, WIDTH), "f32")
METRICS = [port(name, "metric", (), "f32") for name in ("loss", "grad_norm", "learning_rate", "param_norm")]
TOKEN = port("next_token", "result", (SAMPLES,), "i32")

ENTRIES = {
    "init": (init, [KEY], STATE, []),
    "train_step": (
        train_step,
        [*STATE, port("tokens", "batch", (ACCUMULATION, BATCH, CONTEXT + 1), "i32", ["accumulation", "batch", "seq"])],
        [*STATE, *METRICS],
        [[i, i] for i in range(len(STATE))],
    ),
    "eval_step": (
        eval_step,
        [*PARAMS, port("tokens", "batch", (BATCH, CONTEXT + 1), "i32", ["batch", "seq"])],
        [port("loss_sum", "metric", (), "f32"), port("count", "metric", (), "f32")],
        [],
    ),
    "forward": (
        lambda embed, head, tokens: logits_of((embed, head), tokens),
        [*PARAMS, port("tokens", "argument", (1, CONTEXT), "i32", ["batch", "seq"])],
        [port("logits", "result", (1, CONTEXT, VOCABULARY), "f32", ["batch", "seq", "vocab"])],
        [],
    ),
    "prefill": (
        prefill,
        [
            *PARAMS,
            port("tokens", "argument", (SAMPLES, CONTEXT), "i32"),
            port("length", "argument", (SAMPLES,), "i32"),
            *SAMPLING,
        ],
        [CACHE, TOKEN],
        [],
    ),
    "decode_step": (
        decode_step,
        [
            *PARAMS,
            CACHE,
            port("token", "argument", (SAMPLES,), "i32"),
            port("position", "argument", (SAMPLES,), "i32"),
            *SAMPLING,
        ],
        [CACHE, TOKEN],
        [[2, 0]],
    ),
}

DTYPES = {"f32": np.float32, "i32": np.int32, "ui32": np.uint32}


def lowered(function, inputs, donated):
    arguments = [jax.ShapeDtypeStruct(p["shape"], DTYPES[p["dtype"]]) for p in inputs]
    jitted = jax.jit(function, donate_argnums=tuple(i for i, _ in donated), keep_unused=True)
    return jitted.lower(*arguments).as_text()


def artifact():
    return {
        "name": "reference",
        "xenarc": "0.1.0",
        "parameters": sum(int(np.prod(shape)) for shape in PARAMETERS.values()),
        "config": {
            "model": {"context": CONTEXT},
            "train": {
                "steps": STEPS,
                "batch": BATCH,
                "accumulation": ACCUMULATION,
                "seed": 7,
            },
            "eval": {"every": 20},
            "log": {"every": 5},
            "checkpoint": {"every": 20, "keep": 2, "best": 0},
            "data": {"path": None, "validation": 0.1},
        },
        "programs": [
            {
                "name": name,
                "text": lowered(f, inputs, donated),
                "inputs": inputs,
                "outputs": outputs,
                "donated": donated,
            }
            for name, (f, inputs, outputs, donated) in ENTRIES.items()
        ],
    }


def train(path):
    """Loss of every step, and the loss over all of the validation text at the end, on given batches."""
    given = np.load(path)
    state = jax.jit(init)(np.array([0, 7], np.uint32))
    step = jax.jit(train_step)
    found = []
    for tokens in given["batches"][:STEPS]:
        *state, loss, _, _, _ = step(*state, tokens)
        found.append(float(loss))
    text = given["validation"].astype(np.int32)
    # Window by window, each of its own length: no padding, no batches.
    total = sum(
        float(losses(tuple(state[:2]), text[None, at : at + CONTEXT + 1])[0]) for at in range(0, len(text) - 1, CONTEXT)
    )
    return {"losses": found, "validation": total / (len(text) - 1)}


def generate(path, prompt, count):
    """The likeliest continuation, from all the tokens at each step; a full context restarts with its last half."""
    parameters = load_file(path)
    embed, head = parameters["params/embed"], parameters["params/head/w"]
    tokens, made = list(prompt.encode()), []
    while len(made) < int(count):
        token = int(np.argmax(np.mean(embed[tokens], axis=0) @ head))
        made.append(token)
        if len(tokens) == CONTEXT:
            tokens = tokens[-(CONTEXT // 2) :]
        tokens.append(token)
    return {"text": bytes(made).decode(errors="replace")}


json.dump({"artifact": artifact, "train": train, "generate": generate}[COMMAND](*sys.argv[4:]), sys.stdout)
