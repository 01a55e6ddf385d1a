/** The controller of values of the run: what a step is assessed by, what is set and learnt, and that the analyzer finds a planted bottleneck. */
import { systems } from "../../bench/systems.js";
import { leavesWithPaths, mapLeaves } from "../../compiler/tree.js";
import { analyzed, bottlenecks } from "../../models/control/analyzer.js";
import { asMetrics, assessing, assessmentOf, METRICS, observe, observed } from "../../models/control/assessment.js";
import { controlSchema } from "../../models/control/config.js";
import { Controller, type ControllerState } from "../../models/control/controller.js";
import { firstLearner } from "../../models/control/learner.js";
import { knobsOf, startOf, valuesOf } from "../../models/control/values.js";
import type { LanguageModel } from "../../models/language_model.js";
import { Router } from "../../models/layers/index.js";
import { replaced } from "../../models/train/update.js";
import { tensor as given } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import { constant, full, iota, scalar, stack } from "../../ops/functions.js";
import { foldIn, key, uniform } from "../../ops/random.js";
import { collect } from "../../ops/report.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { expectAllClose, jaxEval, normal, numbers, tokens } from "../oracle/oracle.js";
import { drawn, tokensOf } from "./drawn.js";
import { tiny as plain } from "./tiny.js";

const { definition, tiny, values } = systems.xenarcai_i2!;
const SLOW = 300_000;
const declared = (model: object = {}) =>
  definition.build(definition.schema.parse({ model: { ...tiny, ...model } })) as LanguageModel<object>;
const config = (c: object = {}) => controlSchema.parse(c);
const list = (x: Tensor): number[] => Array.from(x.data as ArrayLike<number>, Number);

describe("what a step is assessed by", () => {
  test("accuracy, recall and hallucination are those of plain JAX, at all positions that count", async () => {
    const [batch, seq, vocab, embed] = [2, 7, tiny.vocab as number, tiny.embed as number];
    const model = drawn(definition, tiny, values) as LanguageModel<object>;
    const [hidden, wanted] = [normal([batch, seq, embed], 3), tokens([batch, seq], vocab, 4)];
    const targets = (numbers(wanted) as number[]).map((t, i) => (i % 5 === 3 ? -1 : t));
    const found = await evaluate(
      (m: LanguageModel<object>, h: Tensor, t: Tensor) => {
        const [, reports] = collect(() => assessing(100)(m, h as never, t as never));
        return [reports.metrics, observed(reports)] as const;
      },
      model,
      given({ batch, seq, embed }, numbers(hidden) as number[]) as Tensor,
      given({ batch, seq }, targets, "i32") as Tensor,
    );
    const head = (leavesWithPaths(model) as [string, Tensor][]).find(([path]) => path === "head/weight")![1];
    const expected = await jaxEval(
      `lambda h, w, t: (lambda c, best: (lambda mean, cos: [
        mean(best == t), mean(cos(h, w.T[t])), mean(1 - cos(w.T[best], w.T[t])),
        jnp.concatenate([
          (h * c[..., None]).sum((0, 1)) / c.sum(),
          (h ** 2 * c[..., None]).sum((0, 1)) / c.sum() - ((h * c[..., None]).sum((0, 1)) / c.sum()) ** 2])])(
        lambda x: (x * c).sum() / c.sum(),
        lambda a, b: (a * b).sum(-1) / jnp.linalg.norm(a, axis=-1) / jnp.linalg.norm(b, axis=-1)))(
        (t >= 0).astype(jnp.float32), jnp.argmax(h @ w, -1))`,
      [
        hidden,
        inOrder(head, ["embed", "vocab"]),
        inOrder(given({ batch, seq }, targets, "i32") as Tensor, ["batch", "seq"]),
      ],
    );
    const [metrics, seen] = found as unknown as [Record<string, Tensor>, Tensor];
    const ours = ["accuracy", "context_recall", "hallucination"].map((n) => inOrder(metrics[`assessment/${n}`]!, []));
    expectAllClose([...ours, inOrder(seen, ["observation"])], expected, { rtol: 1e-4, atol: 1e-5 });
  });

  test("what layers report comes together: worked by hand", async () => {
    const all = await evaluate(
      (skip: Tensor, attended: Tensor, share: Tensor) =>
        asMetrics(
          assessmentOf(scalar(2), {
            "blocks/skip_rate": skip,
            "blocks/attended": attended,
            "blocks/moe/router/utilization": share,
            "blocks/moe/router/type_distance": skip,
            "assessment/accuracy": scalar(0.5),
          }),
        ),
      given({ layers: 2 }, [0.25, 0.75]) as Tensor,
      given({ layers: 2 }, [0.2, 0.4]) as Tensor,
      given({ layers: 2, expert: 2 }, [0.5, 0.5, 1, 0]) as Tensor,
    );
    const found = Object.fromEntries(Object.entries(all).map(([name, x]) => [name, list(x as unknown as Tensor)[0]]));
    const close = (name: string, x: number) => expect(found[`assessment/${name}`]).toBeCloseTo(x, 5);
    close("loss", 2);
    close("accuracy", 0.5);
    close("skip_rate", 0.5);
    close("attention_efficiency", 0.7);
    // Shares of an even share: 1, 1 (variance 0) and 2, 0 (variance 1).
    close("expert_usage_variance", 0.5);
    close("question_type_balance", 0.5);
  });

  test("how far types' shares of experts are from those of all: worked by hand", async () => {
    const router = mapLeaves(new Router(2, { experts: 2, perToken: 1 }), (leaf) =>
      given((leaf as Tensor).sizes, [10, 0, 0, 10]),
    );
    // Of the first type three tokens for one expert and one for the other, of the second one for the other, of the third none.
    const found = await evaluate(
      (r: Router, x: Tensor, types: Tensor) => collect(() => r.call(x as never, { types: types as never }))[1].metrics,
      router,
      given({ token: 5, embed: 2 }, [1, 0, 1, 0, 1, 0, 0, 1, 0, 1]) as Tensor,
      given({ token: 5, type: 3 }, [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0]) as Tensor,
    );
    expect(list((found as unknown as Record<string, Tensor>).type_distance!)[0]).toBeCloseTo((0.15 + 0.6) / 2, 5);
  });

  test("padding is not observed", async () => {
    const rows = [1, 2, 100, 3, 100, 100].map((x) => [x, -x]);
    const found = await evaluate(
      (h: Tensor, c: Tensor) => observed(collect(() => observe(h as never, c as never))[1]),
      given({ batch: 2, seq: 3, embed: 2 }, rows.flat()) as Tensor,
      given({ batch: 2, seq: 3 }, [1, 1, 0, 1, 0, 0]) as Tensor,
    );
    [2, -2, 2 / 3, 2 / 3].forEach((x, i) => {
      expect(list(found)[i]).toBeCloseTo(x, 4);
    });
  });
});

describe("values of the run", () => {
  const model = declared();
  const knobs = knobsOf(model, config());
  const all = knobs.reduce((n, k) => n + k.size, 0);
  const set = async (actions: number[], lack = 0) => {
    const found = await evaluate(
      (a: Tensor, l: Tensor) => valuesOf(knobs, a as never, l as unknown as Scalar),
      given({ action: all }, actions) as Tensor,
      given({}, [lack]) as unknown as Tensor,
    );
    return Object.fromEntries(
      Object.entries(found as Record<string, Tensor>).map(([path, x]) => [path.split("/").at(-1)!, list(x)]),
    );
  };

  test("begin as they are configured, and are clamped to the least and the most", async () => {
    const begun = await set(startOf(knobs));
    expect(begun).toMatchObject({ window: [5, 3], dilation: [1, 2], globals: [2, 3], chunk: [2, 4], latent: [8, 5] });
    expect(begun.weights!.every((x) => x === 1)).toBe(true);
    expect(begun.router!.every((x) => x === 0)).toBe(true);
    expect(await set(Array(all).fill(-7))).toMatchObject({ window: [5, 3], globals: [2, 3], dilation: [1, 2] });
    const most = await set(Array(all).fill(7));
    expect(most).toMatchObject({
      window: [10, 6],
      globals: [4, 4],
      dilation: [2, 4],
      latent: [8, 8],
      sparsity: [1, 1],
    });
    expect(most.weights!.every((x) => x === 2) && most.router!.every((x) => x === 1)).toBe(true);
    // Multiples of the unit.
    for (const x of most.chunk!) expect(x % 2).toBe(0);
  });

  test("there are more global tokens when recall is low, and nothing else changes", async () => {
    const [enough, lacking] = [await set(startOf(knobs)), await set(startOf(knobs), 0.6)];
    expect(lacking.globals).toEqual([3, 4]);
    expect({ ...lacking, globals: 0 }).toEqual({ ...enough, globals: 0 });
  });

  test("bounds are the configuration's where it has some", () => {
    const [window] = knobsOf(model, config({ bounds: { window: [2, 9] } }));
    expect([window!.name, window!.least, window!.most]).toEqual(["window", 2, 9]);
    expect(() => knobsOf(model, config({ bounds: { windows: [2, 9] } }))).toThrow(/no value of the run "windows"/);
    expect(() => knobsOf(model, config({ bounds: { window: [9, 2] } }))).toThrow(/control.bounds.window/);
    const { context, maxGlobals, maxLatent, unit } = tiny as Record<
      "context" | "maxGlobals" | "maxLatent" | "unit",
      number
    >;
    for (const [name, lowest, highest] of [
      ["window", 1, context],
      ["globals", 0, maxGlobals],
      ["latent", 1, maxLatent],
      ["chunk", unit, context],
      ["sparsity", 0, 1],
    ] as const) {
      const said = (least: number, most: number) => () => knobsOf(model, config({ bounds: { [name]: [least, most] } }));
      expect(said(lowest, highest)).not.toThrow();
      for (const beyond of [said(lowest - 1, highest), said(lowest, highest + 1)]) {
        expect(beyond).toThrow(`room for ${lowest} to ${highest}`);
      }
    }
    const without = plain.build(plain.schema.parse({}));
    expect(() => knobsOf(without, config())).toThrow(/no values of the run/);
  });
});

test("a controller acts within its bounds at each step, learns after each rollout, and is left as it is by a step that is not finite", async () => {
  const model = declared();
  const c = config({ rollout: 4, history: 8 });
  const controller = new Controller(model, c);
  const observations = model.controlled()!.observations;
  const steps = 9;
  const [changed, windows, kept, drawnTwice] = await evaluate(
    (_: Tensor) => {
      const begin = controller.first(key(1));
      const outcome = (n: Scalar, loss: Scalar) => ({
        observed: uniform(foldIn(key(3), n), { observation: observations }) as Tensor<"observation">,
        assessment: Object.fromEntries(METRICS.map((m) => [m, m === "loss" ? loss : full({}, 0.5)])) as never,
      });
      const policy = (s: ControllerState) => s.agent.params.policy.last.weight;
      const [end, each] = scan("step", begin, { n: iota({ step: steps }) }, (state, { n }) => {
        const next = controller.step(state, outcome(n as Scalar, (n as Scalar).cast("f32")));
        const moved = policy(next.state).sub(policy(state)).abs().sum(["inner", "action"]).gt(0);
        return [next.state, { moved, window: next.values["blocks/values/window"]! }] as const;
      });
      const bad = controller.step(end, outcome(full({}, 99, "i32"), full({}, Number.NaN)));
      const differs = leavesWithPaths(bad.state).map(([, x], i) =>
        ((x as Tensor).ne(leavesWithPaths(end)[i]![1] as never) as Tensor).cast("i32").sum(x.names as never),
      );
      return [
        each.moved,
        each.window,
        differs.reduce((a, b) => a.add(b as never) as never),
        end.pending.action,
      ] as const;
    },
    given({}, [0]) as unknown as Tensor,
  );
  // The first step was taken with the values of the configuration: there are four actions after steps 4 and 8.
  expect(list(changed as Tensor)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const seen = list((windows as Tensor).ordered(["step", "layers"]) as Tensor);
  expect(new Set(seen).size).toBeGreaterThan(3);
  expect(list(kept as unknown as Tensor)).toEqual([0]);
  expect(new Set(list(drawnTwice as Tensor)).size).toBeGreaterThan(3);
});

describe("the analyzer finds what the loss hangs on", () => {
  const c = config();
  const steps = 256;
  const model = { skip: false, plan: 0, hyperRank: 0, summary: 0 };
  const knobs = knobsOf(declared(model), c);
  const size = knobs.reduce((n, k) => n + k.size, 0);

  test.each([
    ["attention", 0],
    ["attention", 1],
    ["experts", 0],
    ["experts", 1],
  ] as const)(
    "where all but the %s of layer %i give nothing",
    async (part, layer) => {
      const only = [0, 1].map((l) => (l === layer ? 1 : 0));
      const planted = mapLeaves(drawn(definition, { ...tiny, ...model }), (leaf, path) => {
        const through = { attention: /^blocks\/attention\/(output|read)\//, experts: /^blocks\/moe\/down\// };
        const own = through[part].test(path);
        const other = !own && (through.attention.test(path) || through.experts.test(path));
        if (!own && !other) return leaf;
        const each = list(leaf as Tensor);
        const inner = each.length / 2;
        return given(
          (leaf as Tensor).sizes,
          each.map((x, i) => (own ? 3 * x * only[Math.floor(i / inner)]! : 0)),
        );
      }) as LanguageModel<object>;
      const text = tokensOf(5, 4, (tiny.context as number) + 1, tiny.vocab as number);
      const analyzer = new Controller(declared(model), c).analyzer;
      const found = await evaluate(
        (m: LanguageModel<object>, tokens: Tensor<"batch" | "seq">) => {
          const [inputs, targets] = [tokens.slice("seq", 0, -1), tokens.slice("seq", 1)];
          const action = uniform(key(4), { step: steps, action: size });
          const [, losses] = scan("step", {}, { action }, (none, { action }) => {
            const set = valuesOf(knobs, action as never, full({}, 0));
            const { sum, count } = replaced(m, (path) => set[path]).loss(inputs, targets);
            return [none, sum.div(count)] as const;
          });
          const off = (losses as Tensor).sub((losses as Tensor).mean("step") as never) as Tensor;
          const outcome = off.neg().div(off.square().mean("step").sqrt() as never) as Tensor<"step">;
          const [learner] = scan("epoch", firstLearner(analyzer, key(6)), { e: iota({ epoch: 10 }) }, (now) => {
            const [next] = scan("step", now, { action, outcome }, (now, x) => [
              analyzed(analyzer, now, { action: x.action as never, outcome: x.outcome as Scalar }, c),
              [],
            ]);
            return [next, []] as const;
          });
          const middle = constant({ action: size }, Array(size).fill(0.5));
          const effects = bottlenecks(learner.params, knobs, middle);
          return stack([effects.attention!, effects.experts!] as Tensor[], "part") as Tensor;
        },
        planted,
        text.ours as never,
      );
      const effects = numbers(inOrder(found, ["part", "layers"])) as number[];
      const place = (part === "attention" ? 0 : 2) + layer;
      const others = effects.filter((_, i) => i !== place);
      expect(effects[place]).toBeGreaterThan(2 * Math.max(...others));
    },
    SLOW,
  );
});
