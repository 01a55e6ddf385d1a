/** Bad steps inside the program, and averages of the weights. */
import { compile } from "../../emit/compile.js";
import { trainSchema } from "../../models/train/config.js";
import { BAD_REASONS, type Health, healthState, judge } from "../../models/train/health.js";
import { tensor as host } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import { full, stack } from "../../ops/functions.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { encode, execute, expectClose, jaxEval, numbers } from "../oracle/oracle.js";
import { batches, PATHS, type State, tiny, trainByOptax, trainTiny, value } from "./tiny.js";

const train = { steps: 30, warmup: 0, schedule: "constant", learningRate: 0.01, weightDecay: 0, clip: 0 };
const optax = "optax.adam(0.01, b2=0.99)";

/** A step whose weights hold a NaN gives a loss and gradients that do. */
const poisoned = (state: State): State => {
  const head = state["params/head/weight"]!;
  const elements = numbers(head) as number[];
  return { ...state, "params/head/weight": encode("f32", head.shape, [Number.NaN, ...elements.slice(1)]) };
};

test.each(["skip", "rollback"])(
  "%s: a bad step leaves the state as it was, and the good ones are optax's",
  async (policy) => {
    const given = batches(12);
    const bad = [0, 4, 5];
    let first: State | undefined;
    const good: State[] = [];
    const { start, steps } = await trainTiny(
      { ...train, ema: { decay: 0.9 }, badSteps: { policy } },
      given,
      (state, step) => {
        first ??= state;
        const next = { ...(good.at(-1) ?? first), step: state.step! };
        return bad.includes(step) ? poisoned(next) : next;
      },
      (state, step) => {
        if (!bad.includes(step)) good.push(state);
      },
    );
    expect(steps.map((state) => value(state, "bad_step"))).toEqual(given.map((_, i) => Number(bad.includes(i))));
    expect(steps.map((state) => value(state, "bad_reason"))).toEqual(given.map((_, i) => Number(bad.includes(i))));
    expect(steps.map((state) => state.skipped !== undefined)).toEqual(given.map(() => policy === "skip"));
    expect(steps.map((state) => value(state, "step"))).toEqual(given.map((_, i) => i + 1));
    const before = poisoned(steps[3]!);
    for (const name of Object.keys(start).filter((name) => name !== "step")) {
      expect([name, Buffer.from(steps[4]![name]!.data)]).toEqual([name, Buffer.from(before[name]!.data)]);
    }
    const { params } = await trainByOptax(
      start,
      given.filter((_, i) => !bad.includes(i)),
      optax,
    );
    for (const path of PATHS) {
      const all = good.flatMap((state) => numbers(state[`params/${path}`]!) as number[]);
      expectClose(encode("f32", params[path]!.shape, all), params[path]!, { rtol: 1e-4, atol: 2e-6 });
      const [ema] = await jaxEval(
        "lambda all: (lambda tx: lax.scan(lambda s, p: tx.update(p, s)[::-1], tx.init(all[0]), all)[1])(optax.ema(0.9, debias=True))",
        [params[path]!],
      );
      const means = good.flatMap((state) => numbers(state[`ema/${path}`]!) as number[]);
      expectClose(encode("f32", ema!.shape, means), ema!, { rtol: 1e-4, atol: 2e-6 });
    }
  },
);

test("without a policy the program is as it was: it is the runtime that stops", async () => {
  const names = async (badSteps: object) => {
    const { program } = (await compile(tiny, { train: { badSteps } }, { only: ["train_step"] })).program("train_step");
    return program.outputs.map((port) => port.name).filter((name) => /bad|skipped|health/.test(name));
  };
  expect(await names({})).toEqual([]);
  expect(await names({ policy: "rollback" })).toEqual(["health/applied", "bad_step", "bad_reason"]);
  expect(await names({ spike: 6 })).toEqual([
    "health/applied",
    "health/running/loss/mean",
    "health/running/loss/variance",
    "health/running/grad_norm/mean",
    "health/running/grad_norm/variance",
    "bad_step",
    "bad_reason",
  ]);
});

test("spikes are told by the weighted mean and deviation of the good steps before", async () => {
  const [memory, spike, count] = [8, 3, 60];
  const c = trainSchema.parse({ badSteps: { policy: "skip", spike, memory } });
  let random = 1;
  const draw = () => {
    random = (random * 48271) % 2147483647;
    return random / 2147483647;
  };
  const losses = Array.from({ length: count }, (_, i) => 3 - i / 100 + 0.1 * draw());
  const norms = Array.from({ length: count }, () => 1 + 0.2 * draw());
  // Too early, a loss, a norm, both, downward, and what is not finite.
  Object.assign(losses, { 3: 3.5, 20: 4, 22: 40, 30: -5, 40: Number.NaN, 50: Number.POSITIVE_INFINITY });
  Object.assign(norms, { 21: 2, 22: 50, 41: Number.POSITIVE_INFINITY, 42: Number.NaN });

  const out = await evaluate(
    (loss, grad_norm) => {
      const start = healthState(c, (dtype) => full({}, 0, dtype))!;
      return scan("at", start, { loss, grad_norm }, (health, seen) => {
        const verdict = judge(health as Health, seen as { loss: Scalar; grad_norm: Scalar }, c);
        const { bad_reason: reason, bad_step, skipped } = verdict.metrics;
        return [verdict.health as typeof start, stack([reason, bad_step, skipped] as unknown as Tensor[], "metric")];
      })[1];
    },
    host({ at: count }, losses),
    host({ at: count }, norms),
  );
  const reasons = (out.toArray() as number[][]).map(([reason]) => reason!);

  /** Mean and deviation of values that weigh 1 / n each at first, and then by 1 / memory the more the newer they are. */
  const weighted = (values: readonly number[]) => {
    const weights = values.reduce<number[]>((all, _, n) => {
      const newest = Math.max(1 / (n + 1), 1 / memory);
      return [...all.map((w) => w * (1 - newest)), newest];
    }, []);
    const mean = values.reduce((sum, x, i) => sum + weights[i]! * x, 0);
    return { mean, deviation: Math.sqrt(values.reduce((sum, x, i) => sum + weights[i]! * (x - mean) ** 2, 0)) };
  };
  const good: [number, number][] = [];
  const expected = losses.map((loss, i) => {
    const norm = norms[i]!;
    const above = [loss, norm].some((x, k) => {
      const { mean, deviation } = weighted(good.map((seen) => seen[k]!));
      return x > mean + spike * deviation;
    });
    const reason = !Number.isFinite(loss)
      ? BAD_REASONS.loss_not_finite
      : !Number.isFinite(norm)
        ? BAD_REASONS.gradient_not_finite
        : good.length >= memory && above
          ? BAD_REASONS.spike
          : BAD_REASONS.none;
    if (reason === BAD_REASONS.none) good.push([loss, norm]);
    return reason;
  });
  expect(reasons).toEqual(expected);
  expect([3, 20, 21, 22, 40, 41, 42, 50].map((i) => reasons[i])).toEqual([0, 3, 3, 3, 1, 2, 2, 1]);
  expect(
    (out.toArray() as number[][]).every(([reason, bad, skipped]) => bad === Number(reason! > 0) && skipped === bad),
  ).toBe(true);
});

test("evaluation reads the averages, and of what is frozen the weights", async () => {
  const config = { ...train, batch: 4, ema: {}, parameters: [{ match: "tokens", freeze: true }] };
  const { steps } = await trainTiny(config, batches(3));
  const state = steps.at(-1)!;
  const evaluated = async (train: object, state: State) => {
    const compiled = await compile(tiny, { train }, { only: ["eval_step", "prefill"] });
    const { text, program } = compiled.program("eval_step");
    const [tokens] = batches(1);
    const inputs = { ...state, tokens: encode("i32", tokens!.shape.slice(1), numbers(tokens!) as number[]) };
    const out = await execute(
      text,
      program.inputs.map((port) => inputs[port.name as keyof typeof inputs]!),
    );
    const ports = compiled.program("prefill").program.inputs.filter(({ role }) => role === "state");
    return { loss: numbers(out[0]!), ports: ports.map(({ name }) => name) };
  };
  const averaged = await evaluated(config, state);
  const means = PATHS.map((path) => [`params/${path}`, state[`ema/${path}`] ?? state[`params/${path}`]!]);
  const plain = await evaluated({ ...config, ema: { evaluate: false } }, Object.fromEntries(means));
  expect(averaged.loss).toEqual(plain.loss);
  expect(averaged.ports).toEqual([
    "params/tokens/weight",
    ...["blocks/up/weight", "blocks/up/bias", "blocks/down/weight", "head/weight"].map((path) => `ema/${path}`),
  ]);
  expect(plain.ports).toEqual(PATHS.map((path) => `params/${path}`));
  expect((await evaluated({ ...config, ema: { evaluate: false } }, state)).loss).not.toEqual(plain.loss);
});
