import { customVjp, scan } from "../../ops/control.js";
import { concatenate, gather, iota, where } from "../../ops/functions.js";
import { type Initializer, normal } from "../../ops/initializers.js";
import { Module } from "../../ops/module.js";
import { allGather, allToAll, axisSize, ownPart, perDevice, seqOver } from "../../ops/per_device.js";
import { uniform } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { Linear } from "./linear.js";

/** Options of a {@link RecurrentState}. */
export interface RecurrentStateOptions {
  /** Positions worked on at a time. Default 128. */
  readonly blockSize?: number;
  /** How many positions back it may have to remember: gates begin by keeping t / (t + 1) of the state, t from 1 to so many. Default 1. */
  readonly horizon?: number | undefined;
  /** How the weights begin. Default normal(0.02). */
  readonly init?: Initializer;
}

/**
 * A state that goes along the sequence: s_t = g_t s_(t-1) + (1 - g_t) u_t with the gate g = sigmoid(x Wg + b) and the new u = tanh(x Wu).
 * Gates are computed from the input alone, so that positions of a block are worked on together, by doubling (Martin and Cundy 2018,
 * "Parallelizing Linear Recurrent Neural Nets Over Sequence Length", arXiv:1709.04057). In float32.
 */
export class RecurrentState extends Module {
  readonly gate: Linear<"embed", "state">;
  readonly update: Linear<"embed", "state">;
  private readonly blockSize: number;
  constructor(
    { embed, state }: { readonly embed: number; readonly state: number },
    { blockSize = 128, horizon = 1, init = normal(0.02) }: RecurrentStateOptions = {},
  ) {
    super();
    this.gate = new Linear({ embed }, { state }, { init, biasInit: remembering(horizon) });
    this.update = new Linear({ embed }, { state }, { bias: false, init });
    this.blockSize = blockSize;
  }

  /**
   * x `[batch, seq, embed]` to the states behind each position, `[batch, seq, state]` (f32), and the last of those that count: `length`
   * (i32) says how many do, default all. `before`: the state in front of the first. Default 0.
   */
  call(
    x: Tensor<"batch" | "seq" | "embed">,
    {
      before,
      length,
    }: { readonly before?: Tensor<"batch" | "state"> | undefined; readonly length?: Tensor<"batch"> | undefined } = {},
  ): { readonly states: Tensor<"batch" | "seq" | "state">; readonly last: Tensor<"batch" | "state"> } {
    const keep = this.gate.call<"batch" | "seq">(x).cast("f32").sigmoid();
    const fresh = this.update.call<"batch" | "seq">(x).cast("f32").tanh();
    const first = before ?? keep.at("seq", 0).mul(0);
    const given = { keep, add: fresh.sub(fresh.mul(keep)), first };
    const states = alongWhole(given, ({ keep, add, first }) => recurrence(keep, add, first, this.blockSize));
    const end = length ? gather(states, "seq", length.sub(1)) : states.at("seq", -1);
    return {
      states: states.ordered(["batch", "seq", "state"]),
      last: end.ordered(["batch", "state"]),
    };
  }
}

/** What a recurrence is given: keep and add `[batch, seq, state]`, first `[batch, state]`. */
interface Steps {
  readonly keep: Tensor;
  readonly add: Tensor;
  readonly first: Tensor;
}

/**
 * A recurrence of which each device goes along whole sequences. Devices that have parts of a sequence exchange them for parts of the state
 * and back, as far as it divides; beyond that each has the same.
 */
function alongWhole(given: Steps, recurrence: (own: Steps) => Tensor): Tensor {
  const { keep } = given;
  const along = seqOver(keep);
  const parts = along.map((_, i) => axisSize(along.slice(0, i + 1)));
  const divides = parts.filter((n) => keep.size("state") % n === 0).length;
  const [exchanged, rest] = [along.slice(0, divides), along.slice(divides)];
  const whole = (t: Tensor) => allToAll(allGather(t, "seq", rest), "state", "seq", exchanged);
  return perDevice(
    given,
    ({ keep, add, first }) => {
      const states = recurrence({ keep: whole(keep), add: whole(add), first: ownPart(first, "state", exchanged) });
      return ownPart(allToAll(states, "seq", "state", exchanged), "seq", rest);
    },
    { axes: { seq: along, state: [] } },
  );
}

/**
 * Biases of gates that keep t / (t + 1) of a state, the logarithms of t even: a gate that begins by forgetting what it should keep gets no
 * gradient that says so (Tallec and Ollivier 2018, "Can Recurrent Neural Networks Warp Time?", arXiv:1804.11188, who draw t itself).
 */
const remembering =
  (horizon: number): Initializer =>
  (key, sizes) =>
    uniform(key, sizes, 0, Math.log(horizon));

/** s_t = keep_t s_(t-1) + add_t along `seq`, s_0 being `first`. Its derivative is the same recurrence from the end to the beginning. */
const recurrence = (keep: Tensor, add: Tensor, first: Tensor, blockSize: number): Tensor =>
  customVjp(
    (keep: Tensor, add: Tensor, first: Tensor) => {
      const states = inBlocks(keep, add, first, blockSize);
      return [states, { keep, states, first }] as const;
    },
    ({ keep, states, first }, ct) => {
      const backwards = (x: Tensor) => x.reverse("seq") as Tensor;
      const after = (x: Tensor) => x.slice("seq", 1, x.size("seq")).pad("seq", 0, 1) as Tensor;
      const cts = backwards(inBlocks(backwards(after(keep)), backwards(ct), first.mul(0) as Tensor, blockSize));
      const before = concatenate([first.broadcast({ seq: 1 }), states.slice("seq", 0, states.size("seq") - 1)], "seq");
      return [cts.mul(before) as Tensor, cts, keep.at("seq", 0).mul(cts.at("seq", 0)) as Tensor];
    },
  )(keep, add, first);

/** The states of a {@link recurrence}, of blocks of positions one after the other. */
function inBlocks(keep: Tensor, add: Tensor, first: Tensor, blockSize: number): Tensor {
  const length = keep.size("seq");
  const size = Math.min(length, blockSize);
  const count = Math.ceil(length / size);
  const blocks = (x: Tensor, filling: number) =>
    x.pad("seq", 0, count * size - length, filling).split("seq", { block: count, seq: size });
  const place = iota({ seq: size });
  const [, states] = scan("block", first, { keep: blocks(keep, 1), add: blocks(add, 0) }, (before, x) => {
    let { keep, add } = x as { keep: Tensor; add: Tensor };
    for (let by = 1; by < size; by *= 2) {
      const earlier = (t: Tensor) => t.slice("seq", 0, size - by).pad("seq", by, 0);
      const there = place.ge(by);
      add = add.add(keep.mul(earlier(add)));
      keep = where(there, keep.mul(earlier(keep)), keep);
    }
    const all = keep.mul(before).add(add);
    return [all.at("seq", -1), all];
  });
  return states.ordered(["batch", "block", "seq", "state"]).merge(["block", "seq"], "seq").slice("seq", 0, length);
}
