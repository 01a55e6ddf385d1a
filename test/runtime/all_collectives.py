"""Each collective once in a loop of three trips, over known mesh axes, as the source of an artifact: `python all_collectives.py DATAxMODEL`.

Arrays are f32[64, 64] on every device.
"""

import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

DATA, MODEL = map(int, sys.argv[1].split("x"))
N = 64

jax.config.update("jax_num_cpu_devices", DATA * MODEL)
mesh = Mesh(np.array(jax.devices()).reshape(DATA, MODEL), ("data", "model"))


def device(x):
    def body(_, x):
        x = jnp.sin(lax.psum(x, "data"))
        gathered = lax.all_gather(x, "model", tiled=True)
        x = jnp.sin(lax.psum_scatter(jnp.cos(gathered), "model", tiled=True))
        x = jnp.sin(lax.all_to_all(x, ("data", "model"), 0, 0, tiled=True))
        return lax.ppermute(jnp.cos(x), "model", [(i, (i + 1) % MODEL) for i in range(MODEL)])

    return lax.fori_loop(0, 3, body, x)


shape = [N * DATA, N * MODEL]
where = NamedSharding(mesh, P("data", "model"))
run = jax.shard_map(device, mesh=mesh, in_specs=P("data", "model"), out_specs=P("data", "model"))
lowered = jax.jit(run, out_shardings=where).lower(jax.ShapeDtypeStruct(shape, jnp.float32, sharding=where))


def port(name, role):
    return {"name": name, "role": role, "axes": ["i", "j"], "shape": shape, "dtype": "f32"}


program = {
    "name": "forward",
    "text": lowered.as_text(debug_info=True),
    "inputs": [port("x", "argument")],
    "outputs": [port("y", "result")],
    "options": {"partitions": DATA * MODEL},
}
axes = [{"name": "data", "size": DATA}, {"name": "model", "size": MODEL}]
source = {"name": "all", "xenarc": "0.1.0", "parameters": 0, "config": {}, "mesh": {"axes": axes}, "programs": [program]}
json.dump(source, sys.stdout)
