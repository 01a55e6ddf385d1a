import type { DType } from "../../compiler/ir.js";
import type { Layout } from "../../compiler/mesh.js";
import { currentLayout } from "../../compiler/trace.js";
import { customVjp, optimizationBarrier, shard } from "../../ops/control.js";
import { gather, scatterAdd, where, zeros } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import { allGather, allReduce, axisIndex, axisSize, perDevice, reduceScatter } from "../../ops/per_device.js";
import { type Distinct, type Sizes, sharded, type Tensor } from "../../ops/tensor.js";
import { areFew, rowsOver } from "./stationary.js";
import { asGiven, asStored, storedFurther, storedOver } from "./stored.js";

/** A table of vectors, looked up by number. The optimizer's weight decay spares it. */
export class Embedding<V extends string, D extends string> extends Module {
  readonly weight: Tensor<V | D>;
  private readonly vocab: V;
  constructor(
    vocab: Sizes<V>,
    to: Sizes<D> & Distinct<V, D>,
    { init = normal(0.02) }: { readonly init?: Initializer } = {},
  ) {
    super();
    this.vocab = Object.keys(vocab)[0] as V;
    this.weight = param<V | D>({ ...vocab, ...to } as Sizes<V | D>, init, { decay: false });
  }

  /** Numbers `[...]` (integers; outside of the table: clamped) to their vectors `[..., D]`, of the element type `dtype`. */
  call<A extends string>(tokens: Tensor<A>, dtype: DType = "f32"): Tensor<A | D> {
    const layout = currentLayout();
    const weight = this.weight as Tensor;
    if (layout === undefined) return gather(weight, this.vocab, tokens as Tensor).cast(dtype) as Tensor;
    return lookUp(layout, weight, dtype, this.vocab, tokens as Tensor) as Tensor;
  }
}

/** The part of a sequence that sequence parallelism leaves to a device, and of a gradient's vectors that the optimizer keeps on one. */
const PART = "part";
const SHARE = "share";

/**
 * Each device looks up in its part of the table, and what the devices of a table found meets where the result lies: the partitioner would
 * gather the table, and sum up all devices' gradients of the whole of it. A device sums up its own in float32, and they meet in the
 * table's element type, as other weights' do, each device with what its optimizer keeps.
 */
function lookUp(layout: Layout, weight: Tensor, dtype: DType, vocab: string, tokens: Tensor): Tensor {
  const table = weight.cast(dtype) as Tensor;
  const over = layout.over("activations", vocab);
  const rows = table.size(vocab) / layout.parts("activations", vocab);
  const specOf = (x: Tensor, of: Layout) => of.spec("activations", sharded(x));
  const plain = specOf(tokens, layout.withActivations({}));
  const seq = tokens.names.indexOf("seq");
  const part = specOf(tokens, layout)[seq] ?? [];
  const isScattered = over.length > 0 && part.length > (plain[seq] ?? []).length;
  const devices = plain.flatMap((m) => m ?? []);
  const kept = layout.spec("optimizer", sharded(weight));
  const shares = weight.names.map((name, d) => ({ name, over: name === vocab ? [] : (kept[d] ?? []) }));
  const share = shares.reduce((a, b) => (b.over.length > a.over.length ? b : a));
  const apart = share.over.every((m) => devices.includes(m)) ? share.over : [];
  const options = { over: [...devices, ...over], axes: { [PART]: part, [SHARE]: apart } };
  const asPart = (x: Tensor): Tensor => (isScattered ? (x.rename("seq", PART) as Tensor) : x);
  const asSeq = (x: Tensor): Tensor => (isScattered ? (x.rename(PART, "seq") as Tensor) : x);

  /** Where a device has the rows, and what it has of them: nothing of other devices' rows. */
  const place = (tokens: Tensor) => {
    if (over.length === 0) return { at: tokens, only: (x: Tensor) => x };
    const at = tokens.sub(axisIndex(over).mul(rows)) as Tensor;
    return { at, only: (x: Tensor): Tensor => where(at.ge(0).and(at.lt(rows)), x, 0) as Tensor };
  };
  /** What the table is stored in parts along, beyond those that it is looked up in. */
  const stored = (storedFurther(layout, weight, "table") ?? []).filter(({ axis }) => axis !== vocab);
  const everyone = rowsOver(
    tokens.names.map((n, d) => [n, plain[d] ?? []]),
    stored.flatMap(({ more }) => more),
  );
  const count = (tokens.value.type.shape.reduce((a, b) => a * b, 1) / axisSize(devices)) * everyone.times;
  const width = weight.names.reduce((n, name) => (name === vocab ? n : n * weight.size(name)), 1);
  const isFew = stored.length > 0 && !isScattered && areFew(count, width, rows * width);
  /** Few tokens: what is found meets, and the table stays as it is stored. */
  const findFew = (table: Tensor, tokens: Tensor): Tensor =>
    perDevice(
      { table: asStored(table, stored), tokens },
      ({ table, tokens }) => {
        const { at, only } = place(everyone.all(tokens));
        const met = allReduce(only(gather(asGiven(table, stored), vocab, at)), over);
        return everyone.own(stored.reduce((y, { axis, more }) => allGather(y, axis, more), met));
      },
      { axes: storedOver(stored) },
    );
  const find = customVjp(
    (table: Tensor, tokens: Tensor) => {
      if (isFew) return [findFew(table, tokens), { tokens }] as const;
      const found = perDevice(
        { table: shard(table), tokens },
        ({ table, tokens }): Tensor => {
          const { at, only } = place(tokens);
          const mine = only(gather(table, vocab, at));
          return isScattered ? asPart(reduceScatter(mine, "seq", over)) : allReduce(mine, over);
        },
        options,
      );
      return [asSeq(found), { tokens }] as const;
    },
    ({ tokens }, ct) => {
      const given = perDevice(
        { ct: asPart(ct), tokens },
        ({ ct, tokens }): Tensor => {
          const whole = isScattered ? allGather(asSeq(ct), "seq", over) : ct;
          const { at, only } = place(tokens);
          const none = zeros({ ...table.sizes, [vocab]: rows }) as Tensor;
          const sum = scatterAdd(none, vocab, at, only(whole).cast("f32") as Tensor);
          // One mesh axis after the other: libtpu scatters a sum over part of the torus, but sums up over all of it whole.
          const own = apart.reduce((sum: Tensor, m) => reduceScatter(sum, share.name, [m]), sum.cast(dtype) as Tensor);
          const rest = devices.filter((m) => !apart.includes(m));
          const met = allReduce(apart.length > 0 ? (own.rename(share.name, SHARE) as Tensor) : own, rest);
          // XLA:TPU would have it meet behind the loop over micro-batches, and fails where it is converted before it is added.
          return optimizationBarrier(met);
        },
        options,
      );
      return [apart.length > 0 ? given.rename(SHARE, share.name) : given, undefined];
    },
  );
  return find(
    table,
    tokens
      .cast("i32")
      .maximum(0)
      .minimum(table.size(vocab) - 1) as Tensor,
  ) as Tensor;
}
