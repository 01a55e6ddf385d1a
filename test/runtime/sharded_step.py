"""A train step that JAX traced for a mesh, as the source of an artifact: `python sharded_step.py DATAxMODEL [WIDTH] [SLICES]`.

Eight layers of two matrices in a scan with remat, the batch over `data`, the hidden width over `model`, weights and
gradients sharded over both: the collectives of FSDP and tensor parallelism.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

DATA, MODEL = map(int, sys.argv[1].split("x"))
WIDTH = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
SLICES = int(sys.argv[3]) if len(sys.argv) > 3 else 1
LAYERS, HIDDEN, BATCH, SEQ = 8, 4 * WIDTH, 2 * DATA, 128

jax.config.update("jax_num_cpu_devices", DATA * MODEL)
mesh = Mesh(np.array(jax.devices()).reshape(DATA, MODEL), ("data", "model"))
up_where, down_where = NamedSharding(mesh, P(None, "data", "model")), NamedSharding(mesh, P(None, "model", "data"))


def layer(x, weights):
    up, down = weights
    return x + jax.nn.gelu(x @ up) @ down, None


def loss(parameters, x, y):
    x, _ = jax.lax.scan(jax.checkpoint(layer), x, parameters)
    return jnp.mean((x - y) ** 2)


def step(parameters, x, y):
    value, gradients = jax.value_and_grad(loss)(parameters, x, y)
    return jax.tree.map(lambda p, g: p - 1e-3 * g, parameters, gradients), value


def tensor(where, *shape):
    return jax.ShapeDtypeStruct(shape, jnp.bfloat16, sharding=where)


parameters = tensor(up_where, LAYERS, WIDTH, HIDDEN), tensor(down_where, LAYERS, HIDDEN, WIDTH)
x = tensor(NamedSharding(mesh, P("data")), BATCH, SEQ, WIDTH)
lowered = jax.jit(step, donate_argnums=0, out_shardings=((up_where, down_where), None)).lower(parameters, x, x)


def port(name, role, shape):
    return {"name": name, "role": role, "axes": [f"{name}{i}" for i in range(len(shape))], "shape": shape, "dtype": "bf16"}


weights = [port("up", "state", [LAYERS, WIDTH, HIDDEN]), port("down", "state", [LAYERS, HIDDEN, WIDTH])]
batch = [port(name, "batch", [BATCH, SEQ, WIDTH]) for name in ("x", "y")]
program = {
    "name": "train_step",
    "text": lowered.as_text(debug_info=True),
    "inputs": weights + batch,
    "outputs": [*weights, port("loss", "metric", [])],
    "donated": [[0, 0], [1, 1]],
    "options": {"partitions": DATA * MODEL},
}
axes = [{"name": "data", "size": DATA, "slices": SLICES}, {"name": "model", "size": MODEL}]
source = {"name": "step", "xenarc": "0.1.0", "parameters": 0, "config": {}, "mesh": {"axes": axes}, "programs": [program]}
json.dump(source, sys.stdout)
