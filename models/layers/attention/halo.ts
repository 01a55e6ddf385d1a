import { scan } from "../../../ops/control.js";
import { concatenate } from "../../../ops/functions.js";
import { allReduce, axisIndex, ring } from "../../../ops/per_device.js";
import type { Scalar, Tensor } from "../../../ops/tensor.js";
import {
  accumulator,
  across,
  begin,
  type Differentiated,
  evenly,
  finish,
  fromBlocks,
  inBlocks,
  type KeyBlocks,
  type KeySums,
  overKeys,
  type QueryBlocks,
  type View,
} from "./block.js";
import type { Cotangent, Local, OnDevice, Sizes } from "./device.js";
import { count, type Keys, type Order, type Queries, type Row, type Sees } from "./visible.js";

/** Keys and values that a device's queries see some of. */
interface Part extends ReturnType<typeof overKeys> {
  readonly k: KeyBlocks;
  readonly v: KeyBlocks;
  readonly view: (own: { readonly positions: Row; readonly segment?: Row | undefined }) => View;
}

/**
 * Windows along a sequence that lies over the mesh in order: a device needs the end of its neighbour's part, as long as the window, and
 * the global tokens, which all get from the first. On the way back cotangents go the same ways. No more is sent, however many
 * devices there are.
 */
export class Halo implements OnDevice {
  private readonly block: number;

  constructor(
    private readonly sees: Sees & { readonly window: number },
    private readonly order: Order,
    private readonly rows: readonly "seq"[],
    private readonly over: readonly string[],
    private readonly sizes: Sizes,
  ) {
    this.block = evenly(sizes.chunk, sizes.blockSize);
  }

  /** Whether this is a way for what queries see: a device's part must be as long as a window, and have all global tokens. */
  static suits(sees: Sees, zigzag: boolean, chunk: number): sees is Sees & { readonly window: number } {
    const { window, globals = 0, positions, mask } = sees;
    return window !== undefined && window <= chunk && globals <= chunk && !zigzag && !positions && !mask;
  }

  forward(local: Local): { out: Queries; logSum: Row } {
    const parts = this.parts(local);
    const [, { out, logSum }] = scan("queryBlock", {}, this.perBlock({ q: local.q }, local), (carry, { q, ...own }) => {
      const begun = begin(q, this.sizes.valueDim);
      const running = parts.reduce(
        (r, { attend, k, v, view }) => attend(q as Queries, k, v, view(own as never), r),
        begun,
      );
      const { out, logSum } = finish(running);
      return [carry, { out: out.cast(q.dtype), logSum }];
    });
    return { out: this.wholeQueries(out) as Queries, logSum: this.wholeQueries(logSum) as Row };
  }

  backward({ ct, logSum, delta, ...local }: Local & Cotangent): { dq: Queries; dk: Keys; dv: Keys } {
    const parts = this.parts(local);
    const { q, k, v } = local;
    const xs = this.perBlock({ q, ct, logSum, delta }, local);
    const both = { ...xs, qAcross: across(xs.q, this.rows), ctAcross: across(xs.ct, this.rows) };
    const init: KeySums[] = parts.map(({ k, v }) => ({ dk: accumulator(k), dv: accumulator(v) }));
    const [sums, dq] = scan("queryBlock", init, both, (sums, { positions, segment, ...x }) => {
      const each = parts.map(({ differentiate, k, v, view }, i) =>
        differentiate(x as unknown as Differentiated, k, v, view({ positions, segment } as never), sums[i] as KeySums),
      );
      const dq = each.map(({ dq }) => dq).reduce((a, b) => a.add(b));
      return [each.map(({ dk, dv }) => ({ dk, dv })) as never, dq.cast(q.dtype)];
    });
    const home = (of: "dk" | "dv", like: Keys) =>
      this.home((sums as KeySums[]).map((s) => s[of])).cast(like.dtype) as Keys;
    return { dq: this.wholeQueries(dq) as Queries, dk: home("dk", k), dv: home("dv", v) };
  }

  /** The keys behind the global tokens, beginning a window before the device's own; and the global tokens. */
  private parts({ k, v, keySegments }: Local): Part[] {
    const { window, globals = 0, softCap } = this.sees;
    const { chunk } = this.sizes;
    const me = axisIndex(this.over);
    const near = (x: Keys): Keys => concatenate([ring(x.slice("key", chunk - window, chunk), this.over), x], "key");
    const ofKeys = (x: Tensor): Tensor => x.rename("maskKey", "key") as Tensor;
    const part = (
      keys: readonly [Keys, Keys],
      start: Scalar,
      window: number | undefined,
      own: Partial<Part & { segments: Tensor; mask: Tensor }>,
    ) => {
      const length = keys[0].size("key");
      const size = evenly(length, this.sizes.blockSize);
      const blocks = <T extends Tensor>(x: T) => inBlocks(x, "key", size, "keyBlock") as Tensor;
      const count = Math.ceil(length / size);
      const hideFrom = length % size === 0 ? undefined : length;
      const visits = window === undefined ? count : this.mostVisits({ size, count, before: window });
      const range = { size, count, hideFrom, visits };
      const [k, v] = keys.map((x) => blocks(x).ordered(["keyBlock", ...x.names]) as KeyBlocks) as [
        KeyBlocks,
        KeyBlocks,
      ];
      const segments = own.segments && blocks(own.segments);
      const mask = own.mask && blocks(own.mask);
      const view: Part["view"] = ({ positions, segment }) => ({
        positions: positions.sub<never>(start),
        mask: mask as View["mask"],
        segments: segments && { query: segment!, key: segments as NonNullable<View["segments"]>["key"] },
      });
      return { k, v, view, ...overKeys(true, range, this.rows, { window, softCap }) };
    };
    const start = me.mul(chunk).sub(window);
    const windowed = part([near(k), near(v)], start, window, {
      // Before the sequence there is nothing, and global tokens have a part of their own.
      mask: (count("key", window + chunk, start) as Tensor).ge(globals),
      ...(keySegments && {
        segments: ofKeys(
          keySegments.pad("maskKey", window, 0).dynamicSlice("maskKey", me.mul(chunk), window + chunk) as Tensor,
        ),
      }),
    });
    if (globals === 0) return [windowed];
    const ofFirst = (x: Keys): Keys =>
      allReduce(x.slice("key", 0, globals).mul<never>(me.eq(0).cast(x.dtype)), this.over);
    return [
      windowed,
      part([ofFirst(k), ofFirst(v)], me.mul(0), undefined, {
        ...(keySegments && { segments: ofKeys(keySegments.slice("maskKey", 0, globals) as Tensor) }),
      }),
    ];
  }

  /** The most blocks of keys that a block of queries sees something of, where the keys begin so many before the queries. */
  private mostVisits({ size, count, before }: { size: number; count: number; before: number }): number {
    const visits = Array.from({ length: Math.ceil(this.sizes.chunk / this.block) }, (_, i) => {
      const [first, last] = [i * this.block + before, (i + 1) * this.block - 1 + before];
      return Math.min(count, Math.floor(last / size) + 1) - Math.floor((first - before + 1) / size);
    });
    return Math.max(...visits);
  }

  /** Cotangents of a device's own keys, from those of its parts' and its neighbours'. */
  private home([near, globals]: readonly KeyBlocks[]): Keys {
    const { window } = this.sees;
    const { chunk } = this.sizes;
    const whole = (x: KeyBlocks, size: number) =>
      fromBlocks(x, "key", "keyBlock", size).ordered(this.order.key) as Keys;
    const all = whole(near!, window + chunk);
    const before = ring(all.slice("key", 0, window), this.over, -1);
    const own = all.slice("key", window, window + chunk).add(before.pad("key", chunk - window, 0));
    if (globals === undefined) return own;
    const size = this.sees.globals!;
    const ofAll = allReduce(whole(globals, size), this.over).mul<never>(axisIndex(this.over).eq(0).cast("f32"));
    return own.add(ofAll.pad("key", 0, chunk - size));
  }

  /** What goes through a scan over blocks of queries. */
  private perBlock<T extends Record<string, Tensor>>(xs: T, { segments }: Local) {
    const { chunk } = this.sizes;
    // Those that fill up the last block go on: where a block's keys begin follows from its first position.
    const filled = Math.ceil(chunk / this.block) * this.block;
    const positions = count("seq", filled, axisIndex(this.over).mul(chunk)) as Tensor;
    const all = { ...xs, positions, segment: segments };
    const blocks = (x: Tensor) => inBlocks(x, "seq", this.block, "queryBlock").ordered(["queryBlock", ...x.names]);
    return Object.fromEntries(Object.entries(all).map(([name, x]) => [name, x && blocks(x)])) as {
      readonly [K in keyof T | "positions" | "segment"]: QueryBlocks;
    };
  }

  private wholeQueries = (x: Tensor): Tensor => fromBlocks(x, "seq", "queryBlock", this.sizes.chunk);
}
