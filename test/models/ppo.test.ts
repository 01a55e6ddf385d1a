/** Proximal policy optimization: on given rollouts the values, gradients and parameters of plain JAX, and a problem whose optimum is known. */
import { leavesWithPaths, mapLeaves } from "../../compiler/tree.js";
import { firstLearner } from "../../models/control/learner.js";
import {
  ActorCritic,
  drawAction,
  improved,
  lessonsOf,
  logDensity,
  type PpoConfig,
  ppoLoss,
  type Rollout,
} from "../../models/control/ppo.js";
import { tensor as given } from "../../ops/array.js";
import { scan, valueAndGrad } from "../../ops/control.js";
import { constant, full, iota, ones } from "../../ops/functions.js";
import { foldIn, key, uniform } from "../../ops/random.js";
import type { Scalar, Sizes, Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { expectClose, jaxEval, numbers } from "../oracle/oracle.js";
import { draws } from "./drawn.js";

const SIZES = { observation: 5, action: 3, hidden: 8 };
const CONFIG: PpoConfig = {
  clip: 0.2,
  entropy: 0.01,
  valueWeight: 0.5,
  discount: 0.9,
  trace: 0.95,
  epochs: 4,
  learningRate: 3e-3,
  maxNorm: 0.5,
};

/** Numbers from -1 to 1. */
function random(seed: number) {
  const draw = draws(seed);
  return (sizes: Sizes<string>, scale = 1, shift = 0): Tensor =>
    given(
      sizes,
      Float32Array.from({ length: Object.values(sizes).reduce((a, b) => a * b, 1) }, () => shift + scale * draw()),
    );
}

describe("on a given rollout", () => {
  const some = random(3);
  const declared = new ActorCritic(SIZES, { deviation: 0.4 });
  const model = mapLeaves(declared, (leaf) => some((leaf as Tensor).sizes, 0.7));
  const time = 12;
  // Densities that are far from those of the policy, so that ratios are clipped on both sides.
  const rollout = {
    observation: some({ time, observation: SIZES.observation }, 2),
    action: some({ time, action: SIZES.action }, 1.5),
    epsilon: some({ time }, 0.3, 0.6),
    logDensity: some({ time }, 3, -4),
    value: some({ time }),
    reward: some({ time }, 2),
  } as unknown as Rollout;
  const last = some({}) as unknown as Scalar;

  test("loss, gradients and the parameters after all epochs are those of plain JAX", async () => {
    const [value, gradients, trained] = await evaluate(
      (params: ActorCritic, rollout: Rollout, last: Scalar) => {
        const lessons = lessonsOf(rollout, last, CONFIG);
        const [value, gradients] = valueAndGrad((p: ActorCritic) => ppoLoss(p, rollout, lessons, CONFIG))(params);
        const learner = { ...firstLearner(declared, key(0)), params };
        return [value, gradients, improved(declared, learner, rollout, last, CONFIG).params] as const;
      },
      model,
      rollout,
      last,
    );
    const weights = leavesWithPaths(model) as [string, Tensor][];
    const fields = leavesWithPaths(rollout) as [string, Tensor][];
    const wire = ([, x]: [string, Tensor]) => inOrder(x, x.names);
    // JAX gives dictionaries in the order of their keys.
    const named = [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
    const expected = await jaxEval(
      `lambda last, *x: reference("ppo").update(dict(zip(${JSON.stringify(named.map(([n]) => n))}, x)),
        dict(zip(${JSON.stringify(fields.map(([n]) => n))}, x[${named.length}:])), last, ${JSON.stringify(CONFIG)})`,
      [wire(["", last as unknown as Tensor]), ...named.map(wire), ...fields.map(wire)],
    );
    const ours = (tree: unknown) => {
      const all = Object.fromEntries(leavesWithPaths(tree)) as Record<string, Tensor>;
      return named.map(([name, w]) => inOrder(all[name]!, w.names));
    };
    const got = [inOrder(value as unknown as Tensor, []), ...ours(gradients), ...ours(trained)];
    expect(got.length).toBe(expected.length);
    got.forEach((x, i) => {
      expectClose(x, expected[i]!, { rtol: 2e-4, atol: 2e-6 });
    });
  });

  test("a ratio that is clipped has no gradient: a policy does not go further than the clip", async () => {
    // One step, better than expected, of which the policy is already more than 1.2 times as sure as it was.
    const certain = { ...rollout, logDensity: rollout.logDensity } as Rollout;
    const gradient = await evaluate(
      (params: ActorCritic, r: Rollout) => {
        const distribution = params.call<"time">(r.observation, r.epsilon);
        const before = logDensity<"time">(distribution, r.action).sub(Math.log(1.3));
        const lessons = { advantage: ones({ time }), returns: params.value<"time">(r.observation) };
        const [, g] = valueAndGrad((p: ActorCritic) =>
          ppoLoss(p, { ...r, logDensity: before }, lessons, { ...CONFIG, entropy: 0 }),
        )(params);
        return g.policy.last.weight.abs().sum(["inner", "action"]);
      },
      model,
      certain,
    );
    expect(gradient.data![0]).toBe(0);
  });
});

test("a policy comes to the action that is best for what it observes", async () => {
  // The reward is -(a - W s)^2: the best action for s is W s.
  const sizes = { observation: 2, action: 2, hidden: 32 };
  const declared = new ActorCritic(sizes, { deviation: 0.4 });
  const config = { ...CONFIG, discount: 0, entropy: 0, learningRate: 3e-3, epochs: 8 };
  const [updates, time] = [200, 64];
  const best = (s: Tensor): Tensor => {
    const w = constant({ observation: 2, action: 2 }, [0.5, -0.3, 0.2, 0.6]) as Tensor;
    return s.broadcast({ action: 2 }).mul(w).sum("observation") as Tensor;
  };
  const [regret, deviation] = await evaluate(
    (_: Tensor) => {
      const seen = (k: Parameters<typeof uniform>[0], time: number) =>
        uniform(k, { time, observation: 2 }, -1, 1) as Tensor<"time" | "observation">;
      const [learner, regret] = scan(
        "update",
        firstLearner(declared, key(1)),
        { n: iota({ update: updates }) },
        (now, { n }) => {
          const own = foldIn(key(2), n as Scalar);
          const observation = seen(foldIn(own, 0), time);
          const epsilon = ones({ time });
          const { mean, deviation } = now.params.call<"time">(observation, epsilon);
          const flat = (x: Tensor) => (x.has("time") ? x : x.broadcast({ time })).merge(["time", "action"], "action");
          const action = drawAction({ mean: flat(mean), deviation: flat(deviation) }, foldIn(own, 1)).split("action", {
            time,
            action: 2,
          }) as Tensor<"time" | "action">;
          const off = (a: Tensor) => a.sub(best(observation)).square().sum("action") as Tensor;
          const rollout = {
            observation,
            action,
            epsilon,
            logDensity: logDensity<"time">({ mean, deviation }, action),
            value: now.params.value<"time">(observation),
            reward: off(action).neg() as Tensor<"time">,
          };
          return [improved(declared, now, rollout, full({}, 0), config), off(mean).mean("time")] as const;
        },
      );
      return [regret, learner.params.logDeviation.exp()] as const;
    },
    given({}, [0]) as unknown as Tensor,
  );
  const regrets = numbers(inOrder(regret as Tensor, ["update"])) as number[];
  expect(regrets[0]).toBeGreaterThan(0.1);
  expect(Math.max(...regrets.slice(-20))).toBeLessThan(0.01);
  for (const x of deviation.data as Float32Array) expect(x).toBeLessThan(0.2);
});
