"""The peer of the bench `tpu`: train steps in plain JAX as its experts write them for pods, compiled by libtpu without a TPU.

    python tpu.py FOLDER     # the line protocol: `trace NAME LAYERS`, `compile NAME LAYERS`; optimized HLO goes into the folder

One `shard_map` around the loss, everything inside written for one device. Mesh: `data` (batch, and parameters as in FSDP) and
`model` (heads, hidden widths, experts, vocabulary, and between these the sequence). Parameters and AdamW's moments are float32 and
split over both axes; they are cast to bfloat16 before they are gathered. Residual stream: [batch / data, seq / model, embed].
Full rematerialization of layers, splash attention, cross-entropy in chunks of tokens. Nothing is allocated.
"""

import functools
import math
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# As libtpu must be told before it is loaded: there is no machine to ask, and another process may be using it.
os.environ.update(JAX_PLATFORMS="cpu", TPU_SKIP_MDS_QUERY="1", ALLOW_MULTIPLE_LIBTPU_LOAD="1")

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import topologies
from jax.experimental.pallas.ops.tpu.megablox import ops as megablox
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from measure import serve, timed

Params = dict[str, Any]
bf16, f32, i32 = jnp.bfloat16, jnp.float32, jnp.int32


@dataclass(frozen=True)
class Config:
    """Sizes, and where a step runs. Experts: none (0), with a capacity factor, or dropless (`capacity` None)."""

    data: int
    model: int
    batch: int
    kv_heads: int = 32
    experts: int = 0
    per_token: int = 2
    capacity: float | None = None
    mlp: int = 11_008
    layers: int = 32
    vocab: int = 32_768
    embed: int = 4096
    heads: int = 32
    head_dim: int = 128
    seq: int = 4096
    splash_block: int = 512
    loss_chunk: int = 2048
    moe_chunk: int = 4096
    topology: str = "v4:2x2x4"
    rate: float = 3e-4
    warmup: int = 2000
    steps: int = 100_000
    b1: float = 0.9
    b2: float = 0.95
    decay: float = 0.1
    clip: float = 1.0


MIXTURE = {"kv_heads": 8, "experts": 8, "mlp": 3584}
RUNS = {
    "7b": Config(data=16, model=1, batch=64),
    "7b_tp4": Config(data=4, model=4, batch=64),
    "moe13b": Config(data=2, model=8, batch=32, **MIXTURE, capacity=1.25),
    "moe13b_gmm": Config(data=2, model=8, batch=32, **MIXTURE),
}

# ------------------------------------------------------------------------------------------------- parameters


def definitions(c: Config) -> dict[str, Any]:
    """Shape and spec of each parameter; `layers` are stacked."""
    d, q, k = c.embed, c.heads * c.head_dim, c.kv_heads * c.head_dim
    layer = {
        "norm1": ((d,), P()),
        "norm2": ((d,), P()),
        "query": ((d, q), P("data", "model")),
        "key": ((d, k), P("data", "model")),
        "value": ((d, k), P("data", "model")),
        "output": ((q, d), P("model", "data")),
    }
    if c.experts:
        layer["router"] = ((d, c.experts), P("data", None))
        layer["up"] = ((c.experts, 2, d, c.mlp), P("model", None, "data", None))
        layer["down"] = ((c.experts, c.mlp, d), P("model", None, "data"))
    else:
        layer["up"] = ((2, d, c.mlp), P(None, "data", "model"))
        layer["down"] = ((c.mlp, d), P("model", "data"))
    return {
        "tokens": ((c.vocab, d), P("model", "data")),
        "norm": ((d,), P()),
        "head": ((c.vocab, d), P("model", "data")),
        "layers": {name: ((c.layers, *shape), P(None, *spec)) for name, (shape, spec) in layer.items()},
    }


def _is_definition(x: Any) -> bool:
    return isinstance(x, tuple)


def specs(c: Config) -> Params:
    return jax.tree.map(lambda d: d[1], definitions(c), is_leaf=_is_definition)


# ------------------------------------------------------------------------------------------------- one device's code


def gathered(w: jax.Array, axis: int) -> jax.Array:
    """A weight whole along what FSDP splits, in bfloat16."""
    return lax.all_gather(w.astype(bf16), "data", axis=axis, tiled=True)


def whole(x: jax.Array, axis: int) -> jax.Array:
    """Along the part of the sequence (or of tokens) that each device of `model` has."""
    return lax.all_gather(x, "model", axis=axis, tiled=True) if lax.axis_size("model") > 1 else x


def scattered(x: jax.Array, axis: int) -> jax.Array:
    """The sum over `model`, of which each device has its part."""
    return lax.psum_scatter(x, "model", scatter_dimension=axis, tiled=True) if lax.axis_size("model") > 1 else x


def rms_norm(x: jax.Array, scale: jax.Array) -> jax.Array:
    x = x.astype(f32)
    return (x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-5) * scale).astype(bf16)


def rotate(x: jax.Array) -> jax.Array:
    """Rotary positions on [batch, heads, seq, head_dim], halves rotated against each other."""
    half = x.shape[-1] // 2
    angles = jnp.arange(x.shape[2])[:, None] * (10_000.0 ** (-jnp.arange(half) / half))[None]
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    left, right = x[..., :half].astype(f32), x[..., half:].astype(f32)
    return jnp.concatenate([left * cos - right * sin, right * cos + left * sin], -1).astype(x.dtype)


class FastCausal(masks.CausalMask):
    """The causal mask whose constant blocks cost nothing: splash looks at all of them when it is traced."""

    def __getitem__(self, index: Any) -> np.ndarray:
        rows, columns = index
        shape = rows.stop - rows.start, columns.stop - columns.start
        if columns.stop - 1 <= rows.start:
            return _constant(shape, True)
        if columns.start > rows.stop - 1:
            return _constant(shape, False)
        return super().__getitem__(index)


@functools.cache
def _constant(shape: tuple[int, int], value: bool) -> np.ndarray:
    return np.full(shape, value)


@functools.cache
def splash_kernel(heads: int, seq: int, largest: int) -> Callable[..., jax.Array]:
    block = max(b for b in range(128, largest + 1, 128) if seq % b == 0)
    names = ["q", "kv", "kv_compute", "q_dkv", "kv_dkv", "kv_dkv_compute", "q_dq", "kv_dq"]
    sizes = splash.BlockSizes(**{f"block_{name}": block for name in names})
    with jax.ensure_compile_time_eval():
        mask = masks.MultiHeadMask([FastCausal((seq, seq))] * heads)
        return splash.make_splash_mha(mask=mask, block_sizes=sizes, head_shards=1, q_seq_shards=1)


def attention(c: Config, x: jax.Array, w: Params) -> jax.Array:
    h = whole(x, 1)
    batch, seq, _ = h.shape

    def project(weight: str) -> jax.Array:
        y = jnp.einsum("bsd,dk->bsk", h, gathered(w[weight], 0))
        return y.reshape(batch, seq, -1, c.head_dim).transpose(0, 2, 1, 3)

    q, k, v = rotate(project("query")), rotate(project("key")), project("value")
    kernel = splash_kernel(q.shape[1], seq, c.splash_block)
    out = jax.vmap(kernel)((q * c.head_dim**-0.5).astype(bf16), k, v)
    out = out.transpose(0, 2, 1, 3).reshape(batch, seq, -1)
    return scattered(jnp.einsum("bsk,kd->bsd", out, gathered(w["output"], 1)), 1)


def swiglu(x: jax.Array, up: jax.Array, product: Callable[[jax.Array, jax.Array], jax.Array]) -> jax.Array:
    gate, linear = (product(x, lax.index_in_dim(up, i, up.ndim - 3, keepdims=False)) for i in range(2))
    return jax.nn.silu(gate) * linear


def mlp(x: jax.Array, w: Params) -> jax.Array:
    h = swiglu(whole(x, 1), gathered(w["up"], 1), jnp.matmul)
    return scattered(h @ gathered(w["down"], 1), 1)


def route(c: Config, x: jax.Array, router: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Probabilities [tokens, experts]; weights and numbers of the chosen experts [tokens, per_token]."""
    probs = jax.nn.softmax(x.astype(f32) @ router.astype(f32), -1)
    weights, chosen = lax.top_k(probs, c.per_token)
    return probs, weights / weights.sum(-1, keepdims=True), chosen


def moe_capacity(c: Config, x: jax.Array, router: jax.Array, up: jax.Array, down: jax.Array) -> tuple:
    """x [tokens, embed]: a buffer of so many rows for each expert, exchanged by all-to-all; first choices come first."""
    n, d = x.shape
    e, k = c.experts, c.per_token
    rows = min(n, -(-int(n * k * c.capacity / e) // 8) * 8)
    probs, weights, chosen = route(c, x, router)
    expert = chosen.T.reshape(-1)
    one_hot = jax.nn.one_hot(expert, e, dtype=i32)
    rank = ((jnp.cumsum(one_hot, 0) - 1) * one_hot).sum(-1)
    slot = jnp.where(rank < rows, expert * rows + rank, e * rows)
    source = jnp.full((e * rows + 1,), n, i32).at[slot].set(jnp.tile(jnp.arange(n, dtype=i32), k))[:-1]
    buffers = x.at[source].get(mode="fill", fill_value=0).reshape(e, rows, d)
    buffers = lax.all_to_all(buffers, "model", split_axis=0, concat_axis=1, tiled=True)
    h = swiglu(buffers, up, lambda a, b: jnp.einsum("ecd,edf->ecf", a, b))
    out = lax.all_to_all(jnp.einsum("ecf,efd->ecd", h, down), "model", split_axis=1, concat_axis=0, tiled=True)
    out, slots = out.reshape(e * rows, d), slot.reshape(k, n)
    y = sum(out.at[slots[j]].get(mode="fill", fill_value=0) * weights[:, j, None].astype(bf16) for j in range(k))
    return y, e * jnp.sum(one_hot[:n].mean(0, dtype=f32) * probs.mean(0))


def moe_dropless(c: Config, x: jax.Array, router: jax.Array, up: jax.Array, down: jax.Array) -> tuple:
    """x [tokens, embed]: every device of `model` sees all their tokens, sorted by expert, and computes those of its own."""
    e, k = c.experts, c.per_token
    own = e // lax.axis_size("model")
    probs, weights, chosen = route(c, x, router)
    balance = e * jnp.sum(jax.nn.one_hot(chosen[:, 0], e).mean(0) * probs.mean(0))
    x, weights, chosen = (whole(a, 0) for a in (x, weights, chosen))
    n, d = x.shape
    expert = (chosen.reshape(-1) - lax.axis_index("model") * own) % e
    order = jnp.argsort(expert, stable=True)
    sizes = jnp.bincount(expert, length=e).astype(i32)[:own]
    token = order // k

    def product(a: jax.Array, b: jax.Array) -> jax.Array:
        return megablox.gmm(a, b, sizes, bf16, (512, 512, 512))

    live = (jnp.arange(n * k) < sizes.sum())[:, None]
    h = swiglu(x[token], up, product)
    out = jnp.where(live, product(jnp.where(live, h, 0), down), 0)
    out = out * weights.reshape(-1)[order][:, None].astype(bf16)
    return scattered(jnp.zeros((n, d), bf16).at[token].add(out), 0), balance


def moe(c: Config, x: jax.Array, w: Params) -> tuple[jax.Array, jax.Array]:
    batch, seq, d = x.shape
    router = lax.all_gather(w["router"], "data", axis=0, tiled=True)
    up, down = gathered(w["up"], 2), gathered(w["down"], 2)
    tokens = x.reshape(-1, d)
    if c.capacity is not None:
        y, balance = moe_capacity(c, tokens, router, up, down)
    else:
        chunks = tokens.reshape(-1, c.moe_chunk, d)
        y, balances = lax.map(jax.checkpoint(lambda part: moe_dropless(c, part, router, up, down)), chunks)
        balance = balances.mean()
    return y.reshape(batch, seq, d), balance


def block(c: Config, x: jax.Array, w: Params) -> tuple[jax.Array, jax.Array]:
    x = x + attention(c, rms_norm(x, w["norm1"]), w)
    h = rms_norm(x, w["norm2"])
    y, balance = moe(c, h, w) if c.experts else (mlp(h, w), jnp.zeros((), f32))
    return x + y, balance


def embed(tokens: jax.Array, weight: jax.Array) -> jax.Array:
    """tokens [batch, seq], the same on all of `model`, to the device's part of the sequence."""
    table = gathered(weight, 1)
    rows = table.shape[0]
    at = tokens - lax.axis_index("model") * rows
    x = jnp.where(((at >= 0) & (at < rows))[..., None], table[jnp.clip(at, 0, rows - 1)], 0)
    return lax.psum_scatter(x, "model", scatter_dimension=1, tiled=True)


def cross_entropy(c: Config, x: jax.Array, head: jax.Array, labels: jax.Array, counts: jax.Array) -> jax.Array:
    """The sum over the tokens of all of `model`, a chunk of tokens at a time, each device with its part of the vocabulary."""
    weight = gathered(head, 1)
    rows = weight.shape[0]
    tokens, label, counted = x.reshape(-1, x.shape[-1]), labels.reshape(-1), counts.reshape(-1)
    chunk = math.gcd(tokens.shape[0], max(1, c.loss_chunk // lax.axis_size("model")))

    @jax.checkpoint
    def one(_: None, part: tuple) -> tuple[None, jax.Array]:
        h, target, count = (lax.all_gather(a, "model", axis=0, tiled=True) for a in part)
        logits = jnp.einsum("nd,vd->nv", h, weight, preferred_element_type=f32)
        largest = lax.pmax(lax.stop_gradient(logits.max(-1)), "model")
        total = lax.psum(jnp.exp(logits - largest[:, None]).sum(-1), "model")
        at = target - lax.axis_index("model") * rows
        picked = jnp.take_along_axis(logits, jnp.clip(at, 0, rows - 1)[:, None], 1)[:, 0]
        picked = lax.psum(jnp.where((at >= 0) & (at < rows), picked, 0), "model")
        return None, ((jnp.log(total) + largest - picked) * count).sum()

    chunks = tokens.reshape(-1, chunk, x.shape[-1]), label.reshape(-1, chunk), counted.reshape(-1, chunk)
    return lax.scan(one, None, chunks)[1].sum()


def local_loss(c: Config, params: Params, tokens: jax.Array, labels: jax.Array, counts: jax.Array) -> jax.Array:
    x = jax.checkpoint(embed)(tokens, params["tokens"])

    def own(a: jax.Array) -> jax.Array:
        part = a.shape[1] // lax.axis_size("model")
        return lax.dynamic_slice_in_dim(a, lax.axis_index("model") * part, part, 1)

    body = jax.checkpoint(functools.partial(block, c))
    x, balances = lax.scan(body, x, params["layers"])
    loss = cross_entropy(c, rms_norm(x, params["norm"]), params["head"], own(labels), own(counts))
    loss = lax.psum(loss, "data") / lax.psum(counts.sum(), "data")
    return loss + 0.01 * lax.pmean(balances.sum(), ("data", "model")) / c.layers


# ------------------------------------------------------------------------------------------------- the step


def make_step(c: Config, mesh: Mesh) -> Callable[[Params, jax.Array], tuple[Params, Params]]:
    split = P("data", None)
    sharded_loss = jax.shard_map(
        functools.partial(local_loss, c),
        mesh=mesh,
        in_specs=(specs(c), split, split, split),
        out_specs=P(),
        check_vma=False,
    )

    def loss_fn(params: Params, tokens: jax.Array) -> jax.Array:
        labels = jnp.concatenate([tokens[:, 1:], tokens[:, :1]], 1)
        counts = jnp.broadcast_to((jnp.arange(c.seq) < c.seq - 1).astype(f32), tokens.shape)
        placed = (lax.with_sharding_constraint(a, NamedSharding(mesh, split)) for a in (tokens, labels, counts))
        return sharded_loss(params, *placed)

    def step(state: Params, tokens: jax.Array) -> tuple[Params, Params]:
        params = state["params"]
        loss, grads = jax.value_and_grad(loss_fn)(params, tokens)
        norm = jnp.sqrt(sum(jnp.sum(jnp.square(g)) for g in jax.tree.leaves(grads)))
        clip = jnp.minimum(1.0, c.clip / (norm + 1e-6))
        n = state["step"] + 1
        cosine = 0.1 + 0.45 * (1 + jnp.cos(jnp.pi * jnp.clip((n - c.warmup) / (c.steps - c.warmup), 0, 1)))
        rate = c.rate * jnp.minimum(n / c.warmup, cosine)

        def update(p: jax.Array, g: jax.Array, m: jax.Array, v: jax.Array) -> tuple:
            g = g * clip
            m = c.b1 * m + (1 - c.b1) * g
            v = c.b2 * v + (1 - c.b2) * g * g
            step_ = (m / (1 - c.b1**n)) / (jnp.sqrt(v / (1 - c.b2**n)) + 1e-8)
            decay = c.decay if p.ndim >= 3 or p.ndim == 2 and p.shape[0] == c.vocab else 0.0
            return p - rate * (step_ + decay * p), m, v

        updated = jax.tree.map(update, params, grads, state["m"], state["v"])
        params, m, v = jax.tree.transpose(jax.tree.structure(grads), jax.tree.structure((0, 0, 0)), updated)
        return {"params": params, "m": m, "v": v, "step": n}, {"loss": loss, "grad_norm": norm, "rate": rate}

    return step


def lower(name: str, layers: int) -> tuple[dict[str, float], jax.stages.Lowered]:
    """Traces and lowers a run's step with nothing cached; the seconds of both."""
    c = replace(RUNS[name], layers=layers)
    kwargs = {"chip_config_name": "megacore"} if c.topology.startswith("v4") else {}
    devices = topologies.get_topology_desc(platform="tpu", topology_name=c.topology, **kwargs).devices
    mesh = Mesh(np.array(devices).reshape(c.data, c.model), ("data", "model"))

    def abstract(definition: tuple) -> jax.ShapeDtypeStruct:
        shape, spec = definition
        return jax.ShapeDtypeStruct(shape, f32, sharding=NamedSharding(mesh, spec))

    jax.clear_caches()
    splash_kernel.cache_clear()
    params = jax.tree.map(abstract, definitions(c), is_leaf=_is_definition)
    count = jax.ShapeDtypeStruct((), i32, sharding=NamedSharding(mesh, P()))
    state = {"params": params, "m": params, "v": params, "step": count}
    tokens = jax.ShapeDtypeStruct((c.batch, c.seq), i32, sharding=NamedSharding(mesh, P("data", None)))
    shardings = jax.tree.map(lambda a: a.sharding, state), None
    step = jax.jit(make_step(c, mesh), donate_argnums=0, out_shardings=shardings)
    trace, traced = timed(lambda: step.trace(state, tokens))
    lowering, lowered = timed(traced.lower)
    return {"seconds": trace + lowering}, lowered


def compile_step(folder: Path, name: str, layers: int) -> dict[str, Any]:
    """Seconds of libtpu, bytes a device at the most, the file of the optimized HLO."""
    _, lowered = lower(name, layers)
    seconds, compiled = timed(lowered.compile)
    hlo = folder / f"{name}-{layers}.theirs.hlo.txt"
    hlo.write_text(compiled.as_text())
    return {"seconds": seconds, "peak": compiled.memory_analysis().peak_memory_in_bytes, "hlo": str(hlo)}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    serve(
        {
            "trace": lambda name, layers: lower(name, int(layers))[0],
            "compile": lambda name, layers: compile_step(folder, name, int(layers)),
        }
    )
