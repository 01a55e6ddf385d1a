import { scan } from "../../../ops/control.js";
import { iota, scalar, stack, zeros } from "../../../ops/functions.js";
import { allGather, axisIndex, axisSize, perDevice, reduceScatter, ring } from "../../../ops/per_device.js";
import { type Scalar, type Tensor, tensorError } from "../../../ops/tensor.js";
import {
  accumulator,
  across,
  begin,
  evenly,
  finish,
  inBlocks,
  type KeySums,
  overKeys,
  type QueryBlocks,
  type Running,
  type View,
} from "./block.js";
import type { Cotangent, Local, OnDevice, Sizes } from "./device.js";
import { differentiable, type Passes } from "./differentiable.js";
import { Halo } from "./halo.js";
import type { Keys, Order, Queries, Row, Sees } from "./visible.js";

/** How attention is spread over the mesh. */
export interface ContextParallel {
  /** The mesh axes that split the sequence. */
  readonly over: readonly string[];
  /** How a device comes by the others' keys and values. */
  readonly keys: "ring" | "allgather";
  /** Whether each device has two chunks of the sequence, the i-th from the front and the i-th from the back. */
  readonly zigzag: boolean;
}

/**
 * A sequence in the order in which it lies balanced on devices: chunk i, then chunk 2n - 1 - i for the i-th of n.
 * @throws XenarcError when it does not divide into as many chunks.
 */
export function inZigzag<A extends string>(x: Tensor<A | "seq">, devices: number): Tensor<A | "seq"> {
  const size = x.size("seq");
  if (size % (2 * devices) !== 0) {
    throw tensorError(`A sequence of ${size} cannot be balanced over ${devices} devices.`, [x], {
      expected: `a multiple of ${2 * devices}: two chunks for each device`,
      fix: "Change the length, the mesh, or leave it in order: sharding.balance=false.",
    });
  }
  const chunks = (x as Tensor).split("seq", { half: 2, device: devices, seq: size / (2 * devices) }) as Tensor;
  const halves = [chunks.at("half", 0), chunks.at("half", 1).reverse("device")];
  return stack(halves, "half")
    .ordered(x.names.flatMap((n) => (n === "seq" ? ["device", "half", n] : [n])))
    .merge(["device", "half", "seq"], "seq") as Tensor;
}

/** Keys and values of a device or of all, chunk by chunk, each chunk with the position that it begins at. */
interface Chunks {
  readonly k: Keys;
  readonly v: Keys;
  readonly start: Tensor<"chunk">;
  readonly mask: Tensor | undefined;
  readonly segments: Tensor | undefined;
}

/**
 * Attention along a sequence that is split over the mesh: queries stay where they are. As a ring, keys and values travel from device to
 * device, and the softmax is built up as they come (Liu et al. 2023, "Ring Attention with Blockwise Transformers for Near-Infinite
 * Context", arXiv:2310.01889); on the way back they travel again, their cotangents with them. No device ever has all of them. Gathered,
 * every device has all of them for the time of the computation, forward and again backward. Windows along a sequence in order need only
 * their neighbours: see `Halo`.
 *
 * The sequence is in chunks that are contiguous each; work for chunks that a query does not see is left out. In the zigzag order every
 * device has the same amount of it (Brandon et al. 2023, "Striped Attention", arXiv:2311.09431, for the problem).
 */
export function contextParallel(
  query: Queries,
  key: Keys,
  value: Keys,
  order: Order,
  sees: Sees,
  blockSize: number,
  parallel: ContextParallel,
): Queries {
  const { over, zigzag } = parallel;
  const devices = axisSize(over);
  const rows = order.query.filter((n) => !key.has(n as "head")) as "seq"[];
  const split = { axes: { key: over } };
  const { positions, segments, sinks } = sees;
  // Of what says who sees whom every device has the part about its queries and all keys.
  const ofAllKeys = (x: Tensor | undefined) => (x?.has("key") ? (x.rename("key", "maskKey") as Tensor) : x);
  const mask = ofAllKeys(sees.mask);
  const seen = {
    ...(positions && { positions }),
    ...(mask && { mask }),
    ...(segments && { segments: segments.query, keySegments: ofAllKeys(segments.key) }),
  };
  const chunk = query.size("seq") / devices / (zigzag ? 2 : 1);
  const sizes = { chunk, blockSize, valueDim: value.size("headDim") };
  const device: OnDevice = Halo.suits(sees, zigzag, chunk)
    ? new Halo(sees, order, rows, over, sizes)
    : new Device(sees, order, rows, parallel, sizes);

  const passes: Passes = {
    forward: (q, k, v) => perDevice({ q, k, v, ...seen } as Local, (local) => device.forward(local), split),
    backward: (q, k, v, out, logSum, ct) => {
      const delta = ct.cast("f32").mul(out.cast("f32")).sum("headDim") as Row;
      const given = { q, k, v, ct, logSum, delta, ...seen } as Local & Cotangent;
      const { dq, dk, dv } = perDevice(given, (local) => device.backward(local), split);
      return [dq, dk, dv];
    },
  };
  return differentiable(order, passes, sinks)(query, key, value);
}

/** The code of one device. */
class Device implements OnDevice {
  private readonly block: number;
  private readonly chunks: number;
  private readonly overKeys: ReturnType<typeof overKeys>;

  constructor(
    { causal, window, globals, softCap }: Sees,
    private readonly order: Order,
    private readonly rows: readonly "seq"[],
    private readonly parallel: ContextParallel,
    private readonly sizes: Sizes,
  ) {
    const { chunk, blockSize } = sizes;
    this.block = evenly(chunk, blockSize);
    this.chunks = parallel.zigzag ? 2 : 1;
    const count = Math.ceil(chunk / this.block);
    const hideFrom = chunk % this.block === 0 ? undefined : chunk;
    this.overKeys = overKeys(causal, { size: this.block, count, hideFrom }, rows, { window, globals, softCap });
  }

  forward(local: Local): { out: Queries; logSum: Row } {
    const q = this.queryBlocks(local.q);
    const positions = this.positions(local);
    const visit = (running: Running, chunks: Chunks): Running => {
      const [after] = scan("chunk", running, this.keyChunks(chunks), (running, { k, v, start, ...seen }) => {
        const perBlock = this.perBlock({ q, running }, positions, local, seen);
        const [, next] = scan("queryBlock", {}, perBlock.xs, (carry, { q, running, ...own }) => [
          carry,
          this.overKeys.attend(q as Queries, k, v, perBlock.view(own, start), running as Running),
        ]);
        return [next as Running, []];
      });
      return after;
    };
    const begun = begin(q, this.sizes.valueDim);
    const all = this.parallel.keys === "ring" ? this.round(begun, local, visit) : visit(begun, this.gathered(local));
    const { out, logSum } = finish(all);
    return { out: this.wholeQueries(out.cast(local.q.dtype)), logSum: this.wholeQueries(logSum) };
  }

  backward(local: Local & Cotangent): { dq: Queries; dk: Keys; dv: Keys } {
    const [q, ct] = [this.queryBlocks(local.q), this.queryBlocks(local.ct)];
    const rowwise = { logSum: this.queryBlocks(local.logSum), delta: this.queryBlocks(local.delta) };
    const xs = { q, qAcross: across(q, this.rows), ct, ctAcross: across(ct, this.rows), ...rowwise };
    const positions = this.positions(local);
    type Sums = { readonly dq: QueryBlocks };
    /** The cotangents of the queries go on; those of the keys and values visited come out chunk by chunk. */
    const visit = (sums: Sums, chunks: Chunks): [Sums, KeySums] => {
      const [after, each] = scan("chunk", sums, this.keyChunks(chunks), ({ dq }, { k, v, start, ...seen }) => {
        const perBlock = this.perBlock({ ...xs, dq }, positions, local, seen);
        const init: KeySums = { dk: accumulator(k), dv: accumulator(v) };
        const [keySums, next] = scan(
          "queryBlock",
          init,
          perBlock.xs,
          (keySums, { dq, positions, mask, segment, ...x }) => {
            const view = perBlock.view({ positions, mask, segment }, start);
            const { dq: more, ...after } = this.overKeys.differentiate(x as never, k, v, view, keySums as KeySums);
            return [after as never, (dq as Queries).add(more)];
          },
        );
        return [{ dq: next as QueryBlocks }, keySums];
      });
      return [after, each as KeySums];
    };
    const begun: Sums = { dq: zeros(q.sizes) };
    if (this.parallel.keys === "allgather") {
      const [{ dq }, sums] = visit(begun, this.gathered(local));
      const part = (x: Tensor, like: Keys) =>
        reduceScatter(this.wholeKeys(x) as Tensor, "key", this.parallel.over).cast(like.dtype) as unknown as Keys;
      return {
        dq: this.wholeQueries(dq.cast(local.q.dtype)),
        dk: part(sums.dk, local.k),
        dv: part(sums.dv, local.v),
      };
    }
    type Travelling = Sums & { readonly keys: KeySums };
    const { over } = this.parallel;
    const add = (x: KeySums, y: KeySums): KeySums => ({ dk: x.dk.add(y.dk), dv: x.dv.add(y.dv) });
    // The cotangents are one step ahead of a round's end: the last step brings them home.
    const none: KeySums = {
      dk: accumulator(this.inChunks(local.k) as Tensor),
      dv: accumulator(this.inChunks(local.v) as Tensor),
    };
    const { dq, keys } = this.round<Travelling>({ ...begun, keys: none }, local, ({ dq, keys }, chunks) => {
      const [sums, more] = visit({ dq }, chunks);
      return { ...sums, keys: ring(add(keys, more), over) };
    });
    return {
      dq: this.wholeQueries(dq.cast(local.q.dtype)),
      dk: this.wholeKeys(keys.dk).cast(local.k.dtype),
      dv: this.wholeKeys(keys.dv).cast(local.v.dtype),
    };
  }

  /** Visits every device's keys and values as they come round, the own first; each is sent on while it is worked on. */
  private round<C>(init: C, local: Local, visit: (carry: C, chunks: Chunks) => C): C {
    const { over } = this.parallel;
    const devices = axisSize(over);
    const me = axisIndex(over);
    const from = (step: Scalar): Scalar => me.sub(step).add(devices).rem(devices);
    const start = { carry: init, k: local.k, v: local.v };
    const [last] = scan("step", start, iota({ step: devices - 1 }), ({ carry, k, v }, step) => {
      const next = ring({ k, v }, over);
      return [{ carry: visit(carry, this.own({ ...local, k, v }, from(step as Scalar))), ...next } as never, []];
    });
    const { carry, k, v } = last;
    return visit(carry, this.own({ ...local, k, v }, from(scalar(devices - 1, "i32"))));
  }

  /** Keys and values that came from a device. */
  private own({ k, v, mask, keySegments }: Local, source: Scalar): Chunks {
    const start = this.starts(source) as Tensor<"chunk">;
    const own = (x: Tensor | undefined) => x && this.maskChunks(x).at("source", source);
    return { k, v, start, mask: own(mask), segments: own(keySegments) };
  }

  /** The keys and values of all devices. */
  private gathered({ k, v, mask, keySegments }: Local): Chunks {
    const { over } = this.parallel;
    const all = (x: Keys) => allGather(x as Tensor, "key", over) as unknown as Keys;
    const source = iota({ source: axisSize(over) }) as Tensor;
    const start = this.starts(source).merge(["source", "chunk"], "chunk") as Tensor<"chunk">;
    const chunks = (x: Tensor | undefined) => x && (this.maskChunks(x).merge(["source", "chunk"], "chunk") as Tensor);
    return { k: all(k), v: all(v), start, mask: chunks(mask), segments: chunks(keySegments) };
  }

  /** Where the chunks of devices begin: axes of the devices' numbers and `chunk`. */
  private starts(device: Tensor | Scalar): Tensor {
    const { zigzag, over } = this.parallel;
    const wide = (device as Tensor).broadcast({ chunk: this.chunks });
    if (!zigzag) return wide.mul(this.sizes.chunk);
    const last = 2 * axisSize(over) - 1;
    // The first chunk is number `device`, the second number `last - device`.
    const second = iota({ chunk: 2 }) as Tensor;
    return wide.mul(-2).add(last).mul(second).add(wide).mul(this.sizes.chunk);
  }

  /** Positions of the device's queries, in blocks. */
  private positions({ q, positions }: Local): Tensor {
    const own =
      positions ??
      (this.starts(axisIndex(this.parallel.over))
        .broadcast({ seq: this.sizes.chunk })
        .add(iota({ seq: this.sizes.chunk }) as Tensor)
        .ordered(["chunk", "seq"])
        .merge(["chunk", "seq"], "seq") as Tensor);
    const perRow = (own as Tensor).has("seq") ? (own as Tensor) : (own as Tensor).broadcast({ seq: q.size("seq") });
    return this.queryBlocks(perRow as Row) as Tensor;
  }

  /** What goes through a scan over blocks of queries, and the view of one of them on the keys from `start` on. */
  private perBlock<T>(xs: T, positions: Tensor, local: Local, { mask, segments }: Pick<Chunks, "mask" | "segments">) {
    // A mask that is not about queries stays outside.
    const changing = mask?.has("queryBlock");
    const segment = local.segments && this.queryBlocks(local.segments);
    return {
      xs: { ...xs, positions, mask: changing ? mask : undefined, segment } as unknown as T & Record<string, Tensor>,
      view: (own: Record<string, unknown>, start: unknown): View => ({
        positions: (own.positions as Tensor).sub(start as never) as Row,
        start: start as Scalar,
        mask: (changing ? own.mask : mask) as View["mask"],
        segments: segments && { query: own.segment as Row, key: segments as NonNullable<View["segments"]>["key"] },
      }),
    };
  }

  /** A sequence in blocks, chunk by chunk, `queryBlock` in front. */
  private queryBlocks<T extends Tensor>(x: T): QueryBlocks {
    const chunks = (x as Tensor).split("seq", { chunk: this.chunks, seq: this.sizes.chunk });
    const blocks = inBlocks(chunks, "seq", this.block, "queryBlock").merge(["chunk", "queryBlock"], "queryBlock");
    return blocks.ordered(["queryBlock", ...x.names]) as unknown as QueryBlocks;
  }

  /** The reverse. */
  private wholeQueries(x: Tensor): Tensor {
    const count = x.size("queryBlock") / this.chunks;
    const chunks = x.split<string, string>("queryBlock", { chunk: this.chunks, queryBlock: count });
    const names = x.names.filter((n) => n !== "queryBlock");
    const inPlace = names.flatMap((n) => (n === "seq" ? ["chunk", "queryBlock", n] : [n]));
    return chunks
      .ordered(inPlace)
      .merge(["queryBlock", "seq"], "seq")
      .slice("seq", 0, this.sizes.chunk)
      .merge(["chunk", "seq"], "seq")
      .ordered(names);
  }

  /** Keys and values in chunks, those in blocks, and the mask likewise. */
  private keyChunks({ k, v, start, mask, segments }: Chunks) {
    const masks = mask && this.maskBlocks(mask);
    return {
      k: this.inChunks(k),
      v: this.inChunks(v),
      start,
      mask: masks,
      segments: segments && this.maskBlocks(segments),
    };
  }

  private inChunks(x: Keys): Tensor<"chunk" | "keyBlock" | "head" | "key" | "headDim"> {
    const { chunk } = this.sizes;
    const chunks = (x as Tensor).split("key", { chunk: x.size("key") / chunk, key: chunk });
    return inBlocks(chunks, "key", this.block, "keyBlock").ordered(["chunk", "keyBlock", ...this.order.key]) as never;
  }

  /** Sums by chunk and block as keys. */
  private wholeKeys(x: Tensor): Keys {
    const names = this.order.key as readonly string[];
    const inPlace = names.flatMap((n) => (n === "key" ? ["chunk", "keyBlock", n] : [n]));
    return x
      .ordered(inPlace)
      .merge(["keyBlock", "key"], "key")
      .slice("key", 0, this.sizes.chunk)
      .merge(["chunk", "key"], "key") as unknown as Keys;
  }

  /** A mask by the device and the chunk of its keys. */
  private maskChunks(mask: Tensor): Tensor {
    const by = { source: axisSize(this.parallel.over), chunk: this.chunks };
    return mask.has("maskKey")
      ? (mask.split<string, string>("maskKey", { ...by, key: this.sizes.chunk }) as unknown as Tensor)
      : mask.broadcast(by);
  }

  private maskBlocks(mask: Tensor): Tensor {
    const keys = inBlocks(mask, "key", this.block, "keyBlock");
    if (!mask.has("seq")) return keys;
    // The chunks of the keys are in the way of those of the queries.
    return (this.queryBlocks((keys as Tensor).rename("chunk", "keyChunk")) as Tensor).rename("keyChunk", "chunk");
  }
}
