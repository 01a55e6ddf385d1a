"""Puts the platform's best kernels in the place of the operations that a program names as composites.

A kernel is lowered by jax, its functions are added to the module, and a call of them replaces the composite. XLA's
partitioner cannot split a kernel, so on a mesh the call runs on each device's part (`sdy.manual_computation`), which lies
as the composite's operands do. Where there is no kernel for a case, XLA compiles the composite's decomposition.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxlib.mlir import ir as _ir
from jaxlib.mlir.dialects import func as _func
from jaxlib.mlir.dialects import sdy as _sdy

Axes = tuple[str, ...]
Kernel = Callable[..., Any]


class NoKernel(Exception):
    """There is no kernel for a case; the message says why."""


@dataclass(frozen=True)
class Case:
    """What a kernel is made for: one device's part of the operands, and the composite's attributes."""

    operands: tuple[jax.ShapeDtypeStruct, ...]
    attributes: Mapping[str, Any]
    device: str
    interpret: bool


@dataclass(frozen=True)
class Placement:
    """What became of a composite: the `kernel` in its place, or the `reason` why there is none."""

    composite: str
    kernel: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Offer:
    """A composite that there is a kernel for, and what people call that.

    `whole` of an operand (the last ones may be absent): dimensions that must not be split; `results`: the operand and the number of its dimensions
    that each result lies like; further dimensions are whole.
    """

    kernel: str
    make: Callable[[Case], Kernel]
    whole: tuple[tuple[int, ...], ...]
    results: tuple[tuple[int, int | None], ...]


def replace(module: _ir.Module, platform: str, device: str = "", *, interpret: bool = False) -> list[Placement]:
    """Replaces the composites of a module for which the platform has kernels; says what became of each.

    `device` is what jax calls the kind of devices that the module is for, such as `TPU v4`.
    `interpret` has the TPU's kernels run by jax's interpreter, on any platform. Must be called inside the module's context.
    """
    composites = [op for op in _operations(module.operation) if op.name == "stablehlo.composite"]
    if not composites or not (interpret or platform == "tpu"):
        return []
    sizes = _mesh(module)
    made: dict[object, tuple[str, list[_ir.Type]]] = {}
    placements: dict[Placement, None] = {}
    for op in composites:
        name = _ir.StringAttr(op.attributes["name"]).value
        offer = OFFERS.get(name)
        if offer is None:
            continue
        try:
            _replace(module, op, name, offer, sizes, made, platform, device, interpret)
            placements[Placement(name, kernel=offer.kernel)] = None
        except NoKernel as reason:
            placements[Placement(name, reason=str(reason))] = None
    _drop_unused(module)
    return list(placements)


def _replace(
    module: _ir.Module,
    op: _ir.Operation,
    name: str,
    offer: Offer,
    sizes: Mapping[str, int],
    made: dict[object, tuple[str, list[_ir.Type]]],
    platform: str,
    device: str,
    interpret: bool,
) -> None:
    taken = _manual_axes(op)
    free = [axis for axis in sizes if axis not in taken]
    split = [_split(operand, free) for operand in op.operands]
    for dims, whole in zip(split, offer.whole, strict=False):
        for d in whole:
            if dims[d]:
                raise NoKernel(f"an operand is split over {', '.join(dims[d])} along what each device must have whole")
    local = []
    for operand, dims in zip(op.operands, split, strict=True):
        kind = _ir.RankedTensorType(operand.type)
        parts = [math.prod(sizes[axis] for axis in over) for over in dims]
        shape = tuple(size // n for size, n in zip(kind.shape, parts, strict=True))
        local.append(jax.ShapeDtypeStruct(shape, _dtype(kind.element_type)))
    attributes = _attributes(op)
    key = (name, tuple((a.shape, str(a.dtype)) for a in local), tuple(sorted(attributes.items())))
    if key not in made:
        kernel = offer.make(Case(tuple(local), attributes, device, interpret))
        made[key] = _add(module, name, kernel, local, platform, attributes.get("filled", 1))
    symbol, results = made[key]
    ranks = [_ir.RankedTensorType(r.type).rank for r in op.results]
    shardings = [(split[i][:n] + ((),) * rank)[:rank] for (i, n), rank in zip(offer.results, ranks, strict=True)]
    with _ir.InsertionPoint(op), op.location:
        callee = _ir.FlatSymbolRefAttr.get(symbol)
        if math.prod(sizes[axis] for axis in free) == 1:
            call = _func.CallOp(results, callee, list(op.operands))
        else:
            call = _sdy.ManualComputationOp(
                [r.type for r in op.results],
                list(op.operands),
                _shardings(split),
                _shardings(shardings),
                _sdy.ManualAxesAttr.get([_ir.StringAttr.get(axis) for axis in free]),
            )
            types = [
                _ir.RankedTensorType.get(a.shape, _ir.RankedTensorType(v.type).element_type)
                for a, v in zip(local, op.operands, strict=True)
            ]
            block = _ir.Block.create_at_start(call.body, types)
            with _ir.InsertionPoint(block):
                inner = _func.CallOp(results, callee, list(block.arguments))
                _sdy.return_(list(inner.results))
    for old, new in zip(op.results, call.results, strict=True):
        old.replace_all_uses_with(new)
    op.erase()


# Modules ----------------------------------------------------------------------------------------------------------------


def _operations(op: _ir.Operation) -> Iterator[_ir.Operation]:
    """The operations inside, outermost first."""
    for region in op.regions:
        for block in region:
            for inner in block.operations:
                yield inner.operation
                yield from _operations(inner.operation)


def _mesh(module: _ir.Module) -> dict[str, int]:
    """The sizes of the mesh's axes; none: one device."""
    for op in module.body.operations:
        if op.operation.name == "sdy.mesh":
            return {axis.name: axis.size for axis in map(_sdy.MeshAxisAttr, _sdy.MeshAttr(op.attributes["mesh"]).axes)}
    return {}


def _manual_axes(op: _ir.Operation) -> set[str]:
    """Mesh axes along which the operation already sees one device's part."""
    taken: set[str] = set()
    parent = op.parent
    while parent is not None:
        if parent.name == "sdy.manual_computation":
            taken |= set(_sdy.ManualAxesAttr(parent.attributes["manual_axes"]))
        parent = parent.parent
    return taken


def _split(value: _ir.Value, free: Sequence[str]) -> tuple[Axes, ...]:
    """The mesh axes that each dimension is split over, as the constraint that made the value says."""
    rank = _ir.RankedTensorType(value.type).rank
    owner = value.owner
    if isinstance(owner, _ir.Block) or owner.name != "sdy.sharding_constraint":
        return ((),) * rank
    sharding = _sdy.TensorShardingAttr(owner.attributes["sharding"])
    dimensions = [_sdy.DimensionShardingAttr(d) for d in sharding.dimension_shardings]
    names = [[_sdy.AxisRefAttr(axis).name for axis in d.axes] for d in dimensions]
    return tuple(tuple(name for name in over if name in free) for over in names)


def _shardings(split: Sequence[Sequence[Axes]]) -> _ir.Attribute:
    def one(dims: Sequence[Axes]) -> _ir.Attribute:
        return _sdy.TensorShardingAttr.get(
            "mesh",
            [_sdy.DimensionShardingAttr.get([_sdy.AxisRefAttr.get(a) for a in over], is_closed=True) for over in dims],
        )

    return _sdy.TensorShardingPerValueAttr.get([one(dims) for dims in split])


def _dtype(kind: _ir.Type) -> Any:
    return jnp.dtype({"bf16": "bfloat16", "f16": "float16", "f32": "float32", "i32": "int32"}.get(str(kind), str(kind)))


def _attributes(op: _ir.Operation) -> dict[str, Any]:
    if "composite_attributes" not in op.attributes:
        return {}
    dictionary = _ir.DictAttr(op.attributes["composite_attributes"])
    return {entry.name: getattr(entry.attr, "value", None) for entry in dictionary}


def _add(
    module: _ir.Module, name: str, kernel: Kernel, operands: Sequence[Any], platform: str, filled: float
) -> tuple[str, list[_ir.Type]]:
    """Adds a kernel's functions to the module; the symbol of the one to call, and the types of its results.

    `filled`: the part of its work that it is expected to do, of which jax's estimate for XLA's scheduler knows nothing.
    """
    lowered = jax.jit(kernel).trace(*operands).lower(lowering_platforms=(platform,))
    source = _ir.Module.parse(str(lowered.compiler_ir("stablehlo")))
    present = {_symbol(op) for op in module.body.operations}
    names = {}
    for op in source.body.operations:
        wanted = f"{name}.kernel" if _symbol(op) == "main" else f"{name}.{_symbol(op)}"
        names[_symbol(op)] = _fresh(wanted, present)
    for op in source.body.operations:
        for inner in _operations(op.operation):
            if inner.name == "func.call":
                callee = _ir.FlatSymbolRefAttr(inner.attributes["callee"]).value
                inner.attributes["callee"] = _ir.FlatSymbolRefAttr.get(names[callee])
            if inner.name == "stablehlo.custom_call" and filled != 1:
                _estimate(inner, filled)
    for op in list(source.body.operations):
        copy = op.operation.clone(ip=_ir.InsertionPoint(module.body))
        copy.attributes["sym_name"] = _ir.StringAttr.get(names[_symbol(op)])
        copy.attributes["sym_visibility"] = _ir.StringAttr.get("private")
        for attribute in ("arg_attrs", "res_attrs"):
            if attribute in copy.attributes:
                del copy.attributes[attribute]
        if _symbol(op) == "main":
            results = _ir.FunctionType(_ir.TypeAttr(copy.attributes["function_type"]).value).results
    return names["main"], list(results)


def _estimate(call: _ir.Operation, part: float) -> None:
    """Estimates the operations of a kernel's call as this part of what they were estimated to be."""
    config = json.loads(_ir.StringAttr(call.attributes["backend_config"]).value)
    estimate = config.get("custom_call_config", {}).get("cost_estimate")
    if estimate:
        estimate["flops"] = round(estimate["flops"] * part)
        call.attributes["backend_config"] = _ir.StringAttr.get(json.dumps(config))


def _symbol(op: Any) -> str:
    attributes = op.operation.attributes
    return _ir.StringAttr(attributes["sym_name"]).value if "sym_name" in attributes else ""


def _fresh(wanted: str, present: set[str]) -> str:
    for name in itertools.chain([wanted], (f"{wanted}_{n}" for n in itertools.count(1))):
        if name not in present:
            present.add(name)
            return name
    raise AssertionError


def _drop_unused(module: _ir.Module) -> None:
    """Removes the decompositions that nothing uses any more."""
    while True:
        used = {
            _ir.FlatSymbolRefAttr(op.attributes[key]).value
            for op in _operations(module.operation)
            for key in ("callee", "decomposition")
            if key in op.attributes
        }
        unused = [
            op
            for op in module.body.operations
            if op.operation.name == "func.func" and _symbol(op) not in used and _symbol(op) != "main"
        ]
        if not unused:
            return
        for op in unused:
            op.operation.erase()


# Attention --------------------------------------------------------------------------------------------------------------

_LANES = 128
# The largest block: the tables of which blocks see each other are made on the host, the smaller the larger the blocks.
_BLOCK = 512


def _refuse_old_bfloat16(case: Case) -> None:
    if case.device in ("TPU v2", "TPU v3") and case.operands[0].dtype == jnp.bfloat16:
        raise NoKernel(f"the compiler of {case.device} takes no bfloat16 products in kernels")


def _first_keys(masks: Any, length: int, count: int) -> Any:
    """The mask of queries that see the first keys up to themselves, so many."""

    class FirstKeys(masks.Mask):
        shape = (length, length)

        def __getitem__(self, index: tuple[slice, slice]) -> np.ndarray:
            queries, keys = (np.arange(length)[part] for part in index)
            return (keys[None, :] <= queries[:, None]) & (keys[None, :] < count)

        def __eq__(self, other: object) -> bool:
            return self is other

        def __hash__(self) -> int:
            return id(self)

    return FirstKeys()


def _splash(case: Case) -> tuple[Callable[..., Any], Any, Any, Any]:
    """Splash attention for the operands' sizes; q `[..., seq, d]` has dimensions that k `[..., key, d]` lacks, before seq.

    Gives the kernel of one batch element with residuals, and functions that bring queries, keys and segments to its form.
    """
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks

    q, k = case.operands[0].shape, case.operands[1].shape
    shared = len(k) - 2
    batch, kv_heads = (math.prod(q[: shared - 1]), q[shared - 1]) if shared else (1, 1)
    heads = kv_heads * math.prod(q[shared:-2])
    length, keys, width = q[-2], k[-2], q[-1]
    _refuse_old_bfloat16(case)
    if length % _LANES or keys % _LANES:
        raise NoKernel(f"{length} queries and {keys} keys are no multiples of {_LANES}")
    if width % 64:
        raise NoKernel(f"heads of {width} are no multiple of 64")
    if case.attributes.get("causal") and length != keys:
        raise NoKernel(f"{length} queries are not as many as the {keys} keys")
    block_q, block_k = (max(b for b in range(_LANES, _BLOCK + 1, _LANES) if n % b == 0) for n in (length, keys))
    blocks = splash.BlockSizes(
        block_q=block_q,
        block_kv=block_k,
        block_kv_compute=block_k,
        block_q_dkv=block_q,
        block_kv_dkv=block_k,
        block_kv_dkv_compute=block_k,
        block_q_dq=block_q,
        block_kv_dq=block_k,
    )
    window, globals_ = (case.attributes.get(name) for name in ("window", "globals"))
    if window is not None:
        mask = masks.LocalMask((length, keys), (window - 1, 0), 0)
        if globals_ is not None:
            mask = mask | _first_keys(masks, length, globals_)
    elif case.attributes.get("causal"):
        mask = masks.CausalMask((length, keys))
    else:
        mask = masks.FullMask((length, keys))
    with jax.ensure_compile_time_eval():
        kernel = splash.make_splash_mha(
            mask=masks.MultiHeadMask([mask] * heads),
            block_sizes=blocks,
            head_shards=1,
            q_seq_shards=1,
            save_residuals=True,
            attn_logits_soft_cap=case.attributes.get("soft_cap"),
            interpret=case.interpret,
        )

    def by_head(x: jax.Array, n: int, trailing: int) -> jax.Array:
        return x.reshape(batch, n, *x.shape[x.ndim - trailing :])

    def segments(given: Sequence[jax.Array]) -> Any:
        return splash.SegmentIds(*(x.reshape(batch, x.shape[-1]) for x in given)) if given else None

    return kernel, lambda x, trailing=2: by_head(x, heads, trailing), lambda x: by_head(x, kv_heads, 2), segments


# What the decompositions give as the logSumExp of a query that sees no key: far above the score of a key that is not seen.
_NONE_SEEN = -1e29


def _attention(case: Case) -> Kernel:
    kernel, queries, keys, segments = _splash(case)

    def attention(q: jax.Array, k: jax.Array, v: jax.Array, *given: jax.Array) -> tuple[jax.Array, jax.Array]:
        out, (log_sum,) = jax.vmap(kernel)(queries(q), keys(k), keys(v), segments(given))
        if given:
            seen = log_sum > _NONE_SEEN
            out, log_sum = jnp.where(seen[..., None], out, 0), jnp.where(seen, log_sum, _NONE_SEEN)
        return out.reshape(q.shape), log_sum.reshape(q.shape[:-1])

    return attention


def _attention_backward(case: Case) -> Kernel:
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash

    kernel, queries, keys, segments = _splash(case)

    def one(q, k, v, out, log_sum, ct, ids):
        residuals = (q, k, v, ids, None, out, log_sum, kernel.dq_mask_info, kernel.dkv_mask_info)
        static = {"residual_checkpoint_name": None, **kernel.kwargs, "save_residuals": False}
        order = (
            "save_residuals",
            "mask_value",
            "is_mqa",
            "block_sizes",
            "residual_checkpoint_name",
            "mask_function",
            "attn_logits_soft_cap",
            "interpret",
        )
        given = splash._splash_attention_bwd(*[static[key] for key in order], residuals, ct)
        return given[3:6]

    def backward(q, k, v, out, log_sum, ct, *given):
        args = (queries(q), keys(k), keys(v), queries(out), queries(log_sum, 1), queries(ct), segments(given))
        dq, dk, dv = jax.vmap(one)(*args)
        return dq.reshape(q.shape).astype(q.dtype), dk.reshape(k.shape).astype(k.dtype), dv.reshape(v.shape).astype(v.dtype)

    return backward


# Grouped matrix products -------------------------------------------------------------------------------------------------


def _tiles(case: Case, sizes: tuple[int, int, int], limits: tuple[int, int, int]) -> tuple[int, int, int]:
    """The blocks that a grouped product `[rows, inner] x [inner, outer]` is computed in, within limits for two-byte elements."""
    _refuse_old_bfloat16(case)
    for what, size in zip(("rows", "columns", "columns"), sizes, strict=True):
        if size % _LANES:
            raise NoKernel(f"{size} {what} are no multiple of {_LANES}")
    rows, *widths = limits
    room = (rows, *(width * 2 // case.operands[0].dtype.itemsize for width in widths))
    tiles = [max(t for t in range(_LANES, limit + 1, _LANES) if n % t == 0) for n, limit in zip(sizes, room, strict=True)]
    return tiles[0], tiles[1], tiles[2]


def _grouped_matmul(case: Case) -> Kernel:
    """Rows `[m, k]` in groups, each times its matrix of `[groups, k, n]`, or of `[groups, n, k]` where `transposed`; rows of no group are not written."""
    from jax.experimental.pallas.ops.tpu.megablox.gmm import gmm

    (rows, inner), (_, *matrix) = (x.shape for x in case.operands[:2])
    transposed = case.attributes["transposed"]
    # What is read does not depend on the inner block, and the larger it is, the longer the kernel takes to compile.
    tiling = _tiles(case, (rows, inner, matrix[0 if transposed else 1]), (512, 512, 1024))

    def product(x: jax.Array, w: jax.Array, sizes: jax.Array) -> jax.Array:
        return gmm(x, w, sizes, x.dtype, tiling, transpose_rhs=transposed, interpret=case.interpret)

    return product


def _grouped_matmul_weights(case: Case) -> Kernel:
    """Of rows `[m, k]` and `[m, n]` in groups each group's product `[k, n]`."""
    from jax.experimental.pallas.ops.tpu.megablox.gmm import tgmm

    (rows, left), (_, right) = (x.shape for x in case.operands[:2])
    tiling = _tiles(case, (rows, left, right), (512, 1024, 1024))

    def product(x: jax.Array, y: jax.Array, sizes: jax.Array) -> jax.Array:
        return tgmm(x.T, y, sizes, x.dtype, tiling, interpret=case.interpret)

    return product


_ROWS = (-2, -1)
_SEGMENTS = ((-1,), (-1,))

OFFERS: Mapping[str, Offer] = {
    "xenarc.attention": Offer("splash attention", _attention, (_ROWS,) * 3 + _SEGMENTS, ((0, None), (0, -1))),
    "xenarc.attention_backward": Offer(
        "splash attention", _attention_backward, (_ROWS,) * 4 + ((-1,),) + (_ROWS,) + _SEGMENTS, ((0, None), (1, None), (2, None))
    ),
    # Their operands are a device's own already: see throughExperts.
    "xenarc.grouped_matmul": Offer("megablox gmm", _grouped_matmul, (_ROWS, (0, 1, 2), (0,)), ((0, None),)),
    "xenarc.grouped_matmul_weights": Offer("megablox tgmm", _grouped_matmul_weights, (_ROWS, _ROWS, (0,)), ((0, 0),)),
}
"""The kernels that there are, by the composites' names."""
