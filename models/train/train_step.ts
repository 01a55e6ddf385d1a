/** The whole optimizer step as one program: forward, loss, backward, accumulation, clipping, schedule, optimizer, metrics. */
import { splitOver } from "../../compiler/trace.js";
import { leaves as anyLeaves, mapLeaves, withValues } from "../../compiler/tree.js";
import { place, scan, shard, valueAndGrad } from "../../ops/control.js";
import { full, iota, where, zeros } from "../../ops/functions.js";
import { type Parameter, parameters } from "../../ops/module.js";
import { foldIn, type Key } from "../../ops/random.js";
import { collect, type Reports } from "../../ops/report.js";
import { type AnyTensor, oneCall, type Scalar, type Tensor, tensorError } from "../../ops/tensor.js";
import type { LanguageModel } from "../language_model.js";
import { type AdamWState, adamWUpdate } from "./adamw.js";
import type { TrainConfig } from "./config.js";
import { learningRate } from "./schedule.js";

const leaves = (tree: unknown) => anyLeaves(tree) as Tensor[];

/** What training carries from step to step. */
export interface TrainState<M> {
  readonly params: M;
  readonly optimizer: AdamWState<M>;
  /** Steps done (i32). */
  readonly step: Scalar;
  /** The run's random key (ui32 of 2). */
  readonly key: Key;
}

/** What is logged of a step (f32): these, and what layers report. */
export interface Metrics {
  readonly [reported: string]: AnyTensor;
  /** Mean cross-entropy of the step's targets, nats. */
  readonly loss: Scalar;
  /** Global norm of the gradient before clipping. */
  readonly grad_norm: Scalar;
  readonly learning_rate: Scalar;
  /** Global norm of the parameters before the step. */
  readonly param_norm: Scalar;
}

/** Tokens of a step: a `window` is one longer than the context, since targets are the next tokens. Targets of -1 are left out. */
export type Batch = Tensor<"accumulation" | "batch" | "window">;

/** What the model reads of windows, and what it is to say at each position. */
export function inputsAndTargets<A extends string>(
  windows: Tensor<A | "window">,
): { inputs: Tensor<A | "seq">; targets: Tensor<A | "seq"> } {
  const part = (from: number, to?: number) => windows.slice("window", from, to).rename("window", "seq") as Tensor;
  return { inputs: part(0, -1).maximum(0) as Tensor, targets: part(1) };
}

/**
 * One step. Gradients are those of the mean over all targets of the step, however they are spread over micro-batches, and of the
 * losses that layers report. Parameters whose next value a layer reports get that instead of the optimizer's; both, like reported
 * metrics, are means over the micro-batches. `declared` is the model as declared: it knows which parameters decay.
 */
export function trainStep<M extends LanguageModel<object>>(
  declared: M,
  state: TrainState<M>,
  tokens: Batch,
  c: TrainConfig,
): { state: TrainState<M>; metrics: Metrics } {
  const real = tokens.slice("window", 1).ge(0);
  const count = real.cast("f32").sum(["accumulation", "batch", "window"]).maximum(1);
  const share = valueAndGrad(
    (params: M, micro: Tensor<"batch" | "window">, index: Scalar): readonly [Scalar, Beside] => {
      const { inputs, targets } = inputsAndTargets<"batch">(micro);
      const [sum, { losses, metrics, updates }] = collect(() => {
        const key = () => foldIn(foldIn(state.key, state.step), index);
        const { sum } = params.loss(inputs, targets, { key, chunk: c.lossChunk });
        return sum;
      });
      const loss = sum.div(count);
      const total = losses.reduce((all, l) => all.add(l.mul(1 / tokens.size("accumulation"))), loss);
      return [total, { loss, metrics, updates }];
    },
  );

  const { loss, gradients, metrics, updates } = accumulate(share, state.params, tokens);

  const gradNorm = globalNorm(gradients);
  const paramNorm = globalNorm(state.params);
  const scale = c.clip === 0 ? full({}, 1) : where(gradNorm.lt(c.clip), full({}, 1), full({}, c.clip).div(gradNorm));
  const rate = learningRate(state.step, c);
  const step = state.step.add(1);
  const t = step.cast("f32");
  const correction = (beta: number) => full({}, 1).div(full({}, beta).pow(t).neg().add(1));
  const shared = { rate, correction1: correction(c.beta1), correction2: correction(c.beta2) };

  const declarations = parameters(declared);
  const decays = declarations.map(([, p]: [string, Parameter]) => (c.decayAll || p.decay ? c.weightDecay : 0));
  const paths = declarations.map(([path]) => path);
  const unknown = Object.keys(updates).find((path) => !paths.includes(path));
  if (unknown !== undefined) throw tensorError(`report.update: the model has no parameter "${unknown}".`, []);
  const [ps, gs, mus, nus] = [state.params, gradients, state.optimizer.mu, state.optimizer.nu].map(leaves);
  const one = ({ p, g, mu, nu }: Slot, decay: number) =>
    adamWUpdate({ p, g: g.cast("f32").mul(scale), mu, nu }, { ...shared, decay }, c);
  const slots = ps!.map((p, i): Slot => ({ p, g: gs![i]!, mu: mus![i]!, nu: nus![i]! }));
  const updated = c.offload.optimizer
    ? throughHost(
        one,
        slots,
        decays,
        declarations.map(([, { stack }]) => stack),
      )
    : slots.map((slot, i) => one(slot, decays[i]!));
  const next = updated.map((u, i) => ({ ...u, p: (updates[paths[i]!] as Tensor | undefined) ?? u.p }));
  const tree = (pick: (u: (typeof next)[number]) => Tensor) =>
    withValues(
      state.params,
      next.map((u, i) => pick(u).ordered(ps![i]!.names).value),
    );
  return {
    state: {
      params: tree((u) => u.p),
      optimizer: { mu: tree((u) => u.mu), nu: tree((u) => u.nu) },
      step,
      key: state.key,
    },
    metrics: { loss, grad_norm: gradNorm, learning_rate: rate, param_norm: paramNorm, ...metrics },
  };
}

/** A parameter with its gradient and moments. */
interface Slot extends Moments {
  readonly g: Tensor;
}
interface Moments {
  readonly p: Tensor;
  readonly mu: Tensor;
  readonly nu: Tensor;
}

/**
 * Updates whose moments lie in the host's memory. Those of a stack's layers come and go layer by layer, in a scan, so that the device
 * never holds more than a few layers' of them; where its layers are split over devices, each has few of them, and they come at once.
 */
function throughHost(
  update: (slot: Slot, decay: number) => Moments,
  slots: readonly Slot[],
  decays: readonly number[],
  stacks: readonly (string | undefined)[],
): Moments[] {
  const moved = (slot: Slot, decay: number): Moments => {
    const { mu, nu } = slot;
    const next = update({ ...slot, mu: place(mu, "device"), nu: place(nu, "device") }, decay);
    const back = (x: Tensor) => place(x.ordered(mu.names), "pinned_host");
    return { p: next.p.ordered(slot.p.names), mu: back(next.mu), nu: back(next.nu) };
  };
  const out: Moments[] = [];
  const layered = new Map<string, number[]>();
  slots.forEach((slot, i) => {
    const axis = stacks[i];
    if (axis === undefined || splitOver("optimizer", axis) > 1) out[i] = moved(slot, decays[i]!);
    else {
      const layers = `${axis} ${slot.p.size(axis)}`;
      layered.set(layers, [...(layered.get(layers) ?? []), i]);
    }
  });
  for (const members of layered.values()) {
    const axis = stacks[members[0]!]!;
    const of = members.map((i) => slots[i]!);
    const layers = { g: of.map(({ g }) => g), layer: iota({ [axis]: of[0]!.p.size(axis) }) };
    // What a layer's moments were is written over, not beside: the stacks are carried.
    const [done] = scan(
      axis,
      of.map(({ p, mu, nu }): Moments => ({ p, mu, nu })),
      layers,
      (stacked, x) => {
        const { g, layer } = x as unknown as { readonly g: readonly Tensor[]; readonly layer: Scalar };
        const next = stacked.map(({ p, mu, nu }, k) => {
          const own = (t: Tensor) => t.at(axis, layer) as Tensor;
          const slot = { p: own(p), mu: own(mu), nu: own(nu), g: g[k]! };
          const updated = moved(slot, decays[members[k]!]!);
          const put = (t: Tensor, y: Tensor) => t.update(axis, layer, y.broadcast({ [axis]: 1 })) as Tensor;
          return { p: put(p, updated.p), mu: put(mu, updated.mu), nu: put(nu, updated.nu) };
        });
        return [next, []] as const;
      },
    );
    members.forEach((i, k) => {
      out[i] = done[k]!;
    });
  }
  return out;
}

/** What a micro-batch gives beside the gradient: its share of the loss, and what layers report. */
type Beside = { readonly loss: Scalar } & Pick<Reports, "metrics" | "updates">;

/** Loss and gradient added up over the micro-batches, in float32, and the means of what is reported; one micro-batch needs no loop. */
function accumulate<M>(
  share: (params: M, tokens: Tensor<"batch" | "window">, index: Scalar) => [readonly [Scalar, Beside], M],
  params: M,
  tokens: Batch,
): Beside & { readonly gradients: M } {
  const n = tokens.size("accumulation");
  // Gradients meet where the optimizer wants them: each device sums up its part, and nothing is whole anywhere.
  const placed: typeof share = (...given) => {
    const [value, gradients] = share(...given);
    return [value, mapLeaves(gradients, (leaf) => shard(leaf as Tensor, "optimizer"))];
  };
  if (n === 1) {
    const batch = tokens.at("accumulation", 0);
    const [[, beside], gradients] = placed(params, batch, full({}, 0, "i32"));
    return { ...beside, gradients };
  }
  const start = leaves(params).map((p) => zeros(p.sizes as Record<string, number>));
  const [[loss, sums], reported] = scan(
    "accumulation",
    [full({}, 0), start] as const,
    { tokens, index: iota({ accumulation: n }) },
    ([loss, sums], micro) => {
      const [[, { loss: more, ...reported }], gradients] = placed(params, micro.tokens, micro.index);
      const added = sums.map((s, i) => s.add(leaves(gradients)[i]!.cast("f32")));
      return [[loss.add(more), added] as never, reported] as const;
    },
  );
  const { metrics, updates } = mapLeaves(reported, (leaf) => (leaf as Tensor).mean("accumulation"));
  const gradients = withValues(
    params,
    sums.map((s, i) => s.ordered(leaves(params)[i]!.names).value),
  );
  return { loss, gradients, metrics, updates };
}

/** The Euclidean norm of all elements of a tree (f32). */
export function globalNorm(tree: unknown): Scalar {
  return oneCall(() => {
    const squares = leaves(tree).map((t) => t.cast("f32").square().sum(t.names) as unknown as Scalar);
    return squares.reduce((a, b) => a.add(b)).sqrt();
  });
}
