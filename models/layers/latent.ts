import { customVjp, shard, whileLoop } from "../../ops/control.js";
import { dot, iota, scalar, where, zeros } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import { stationaryProducts } from "./stationary.js";

/** Options of a {@link Latent}. */
export interface LatentOptions {
  /** Dimensions worked on at a time. Default 512. */
  readonly blockSize?: number;
  /** How the weights begin. Default normal(0.02). */
  readonly init?: Initializer;
}

/**
 * Linear maps through one latent, of which the run says how many dimensions count: the first so many, as if the weights were cut there
 * (Kusupati et al. 2022, "Matryoshka Representation Learning", arXiv:2205.13147, for dimensions in order of importance). Only blocks that
 * have dimensions that count are computed, forward and backward.
 */
export class Latent<R extends Readonly<Record<string, Tensor>>> extends Module {
  readonly down: Tensor<"embed" | "latent">;
  readonly up: R;
  private readonly blockSize: number;
  /** `to`: the axes of each result, by its name. */
  constructor(
    { embed, latent }: Sizes<"embed" | "latent">,
    to: Readonly<Record<keyof R, Sizes<string>>>,
    { blockSize = 512, init = normal(0.02) }: LatentOptions = {},
  ) {
    super();
    this.down = param({ embed, latent }, init, { matrix: { from: ["embed"], to: ["latent"] } });
    this.up = Object.fromEntries(
      Object.entries<Sizes<string>>(to).map(([name, sizes]) => [
        name,
        param({ latent, ...sizes }, init, { matrix: { from: ["latent"], to: Object.keys(sizes) } }),
      ]),
    ) as unknown as R;
    this.blockSize = divisor(latent, blockSize);
  }

  /** x `[batch, seq, embed]` to results `[batch, seq, ...]`; `dims` (i32): how many dimensions count, a scalar or with the axis `batch`. */
  call(x: Tensor<"batch" | "seq" | "embed">, dims: Tensor): Readonly<Record<keyof R, Tensor>> {
    const results = this.stationary(x as Tensor, dims) ?? this.inBlocks(x as Tensor, dims);
    return Object.fromEntries(Object.keys(this.up).map((name, i) => [name, results[i]!])) as Readonly<
      Record<keyof R, Tensor>
    >;
  }

  /** Of few rows, all at once, with the weights where they are stored; undefined where rows are many. */
  private stationary(x: Tensor, dims: Tensor): readonly Tensor[] | undefined {
    const [h] = stationaryProducts(x, [this.down as Tensor], ["embed"]) ?? [];
    return h && stationaryProducts(counting(h, dims), Object.values<Tensor>(this.up), ["latent"]);
  }

  /** Block after block of the latent, as many as count. */
  private inBlocks(x: Tensor, dims: Tensor): readonly Tensor[] {
    const inBlocks = (w: Tensor) =>
      shard(w.cast(x.dtype)).split("latent", {
        latentBlock: -1,
        latent: this.blockSize,
      });
    const ups = Object.values<Tensor>(this.up).map(inBlocks);
    return throughLatent(dims, this.blockSize)(x, inBlocks(this.down as Tensor), ...ups);
  }
}

/** The largest divisor of a number that is at most `most`. */
function divisor(n: number, most: number): number {
  let d = Math.min(n, most);
  while (n % d !== 0) d--;
  return d;
}

const wide = { dtype: "f32" } as const;

/** Dimensions of the latent from `first` on; those that do not count are 0. */
function counting(h: Tensor, dims: Tensor, first?: Scalar): Tensor {
  const place = iota({ latent: h.size("latent") });
  const counts = dims.broadcast(place.sizes).gt(first === undefined ? place : place.add(first));
  return where(counts, h, 0);
}

const throughLatent = (dims: Tensor, size: number) => {
  /** How many blocks have dimensions that count, for any input. */
  const visits = (blocks: number): Scalar =>
    (dims.names.length ? (dims.max(dims.names) as unknown as Scalar) : (dims as unknown as Scalar))
      .add(size - 1)
      .div(size)
      .minimum(blocks);
  /** A block's part of the latent. */
  const ofBlock = (h: Tensor, j: Scalar): Tensor => counting(h, dims, j.mul(size));
  /** A block of the latent lies as x does: on a mesh that is gathered, not x, which is wider. */
  const narrow = (x: Tensor, down: Tensor): Tensor => shard(dot(x, down, "embed") as Tensor);
  const rest = (w: Tensor) => w.names.filter((n) => n !== "latent" && n !== "latentBlock");
  const add = (sums: Tensor, j: Scalar, part: Tensor) =>
    sums.update("latentBlock", j, sums.at("latentBlock", j).add(part).broadcast({ latentBlock: 1 }));
  type Step = { readonly j: Scalar };
  return customVjp<Operands, Tensor[], Operands>(
    (...[x, down, ...ups]: Operands) => {
      const { embed: _, ...rows } = x.sizes as Record<string, number>;
      const sizes = (up: Tensor) => Object.fromEntries(rest(up).map((n) => [n, up.size(n)]));
      const end = visits(down.size("latentBlock"));
      const start = { j: scalar(0, "i32"), ys: ups.map((up) => zeros({ ...rows, ...sizes(up) }) as Tensor) };
      const more = ({ j }: Step) => j.lt(end);
      const { ys } = whileLoop(start, more, ({ j, ys }) => {
        const h = ofBlock(narrow(x, down.at("latentBlock", j)), j);
        const parts = ups.map((up) => dot(h, up.at("latentBlock", j), "latent", wide));
        return { j: j.add(1), ys: ys.map((y, i) => y.add(parts[i]!)) };
      });
      return [ys.map((y) => y.cast(x.dtype)), [x, down, ...ups] as Operands] as const;
    },
    ([x, down, ...ups], cts) => {
      const rows = x.names.filter((n) => n !== "embed");
      const end = visits(down.size("latentBlock"));
      const start = {
        j: scalar(0, "i32"),
        dx: zeros(x.sizes),
        dDown: zeros(down.sizes),
        dUps: ups.map((up) => zeros(up.sizes)),
      };
      const more = ({ j }: Step) => j.lt(end);
      const { dx, dDown, dUps } = whileLoop(start, more, ({ j, dx, dDown, dUps }) => {
        const into = down.at("latentBlock", j);
        const h = ofBlock(narrow(x, into), j);
        const parts = ups.map((up, i) => dot(cts[i]!, up.at("latentBlock", j), rest(up), wide) as unknown as Tensor);
        const dh = ofBlock(shard(parts.reduce((a, b) => a.add(b)).cast(x.dtype)), j);
        return {
          j: j.add(1),
          dx: dx.add(dot(dh, into, "latent", wide)),
          dDown: add(dDown, j, dot(x, dh, rows, wide) as unknown as Tensor),
          dUps: dUps.map((dUp, i) => add(dUp, j, dot(h, cts[i]!, rows, wide) as unknown as Tensor)),
        };
      });
      return [dx.cast(x.dtype), dDown.cast(down.dtype), ...dUps.map((d, i) => d.cast(ups[i]!.dtype))] as const;
    },
  );
};

type Operands = readonly [x: Tensor, down: Tensor, ...ups: Tensor[]];
