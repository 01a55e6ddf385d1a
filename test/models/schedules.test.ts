/** Learning rates against optax's schedules, at every step. */
import { trainSchema } from "../../models/train/config.js";
import { learningRate } from "../../models/train/schedule.js";
import { tensor } from "../../ops/array.js";
import { scan } from "../../ops/control.js";
import type { Scalar } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { encode, expectClose, jaxEval } from "../oracle/oracle.js";

const [peak, low, steps, warmup] = [3e-3, 2e-4, 120, 15];
const warm = (after: string) =>
  `optax.join_schedules([optax.linear_schedule(0.0, ${peak}, ${warmup}), ${after}], [${warmup}])`;
const decay = (steps: number) => `optax.linear_schedule(${peak}, ${low}, ${steps})`;
const stable = (steps: number, after: string) =>
  `optax.join_schedules([optax.constant_schedule(${peak}), ${after}], [${steps}])`;

test.each<[what: string, settings: object, schedule: string]>([
  ["cosine", {}, `optax.warmup_cosine_decay_schedule(0.0, ${peak}, ${warmup}, ${steps}, ${low})`],
  ["cosine without a warm-up", { warmup: 0 }, `optax.cosine_decay_schedule(${peak}, ${steps}, alpha=${low / peak})`],
  ["linear", { schedule: "linear" }, warm(decay(steps - warmup))],
  ["constant", { schedule: "constant" }, `optax.warmup_constant_schedule(0.0, ${peak}, ${warmup})`],
  ["wsd", { schedule: "wsd" }, warm(stable(120 - 15 - 12, decay(12)))],
  ["wsd of given steps", { schedule: "wsd", wsd: { steps: 40 } }, warm(stable(120 - 15 - 40, decay(40)))],
  ["wsd without a stable part", { schedule: "wsd", wsd: { share: 1 } }, warm(decay(steps - warmup))],
  [
    "wsd by cosine",
    { schedule: "wsd", wsd: { share: 0.25, shape: "cosine" } },
    warm(stable(120 - 15 - 30, `optax.cosine_decay_schedule(${peak}, 30, alpha=${low / peak})`)),
  ],
  [
    // Haegele et al. 2024, equation 1, which optax has not.
    "wsd by 1 - sqrt",
    { schedule: "wsd", wsd: { share: 0.25, shape: "sqrt" } },
    warm(stable(120 - 15 - 30, `(lambda n: ${low} + (${peak} - ${low}) * (1 - jnp.sqrt(jnp.clip(n / 30, 0, 1))))`)),
  ],
  [
    // Vaswani et al. 2017, equation 3, which optax has not: up to its factor, the smaller of two lines in log-log paper.
    "inverse square root",
    { schedule: "inverse_sqrt", minLearningRate: 0 },
    `(lambda n: ${peak} * ${warmup} ** 0.5 * jnp.minimum(jnp.maximum(n, 1e-9) ** -0.5, n * ${warmup} ** -1.5))`,
  ],
  [
    "inverse square root with a floor, without a warm-up",
    { schedule: "inverse_sqrt", warmup: 0, minLearningRate: 5e-4 },
    `(lambda n: jnp.maximum(${peak} / jnp.sqrt(jnp.maximum(n, 1)), 5e-4))`,
  ],
])("%s", async (_, settings, schedule) => {
  const c = trainSchema.parse({ learningRate: peak, minLearningRate: low, steps, warmup, ...settings });
  // Beyond the last step, too: a run may be told to go on.
  const count = steps + 10;
  const all = tensor({ at: count }, [...Array(count).keys()], "i32");
  const ours = await evaluate((all) => scan("at", {}, all, (_, step) => [{}, learningRate(step as Scalar, c)])[1], all);
  const [expected] = await jaxEval(`lambda n: jax.vmap(${schedule})(n).astype(jnp.float32)`, [
    encode("i32", [count], [...Array(count).keys()]),
  ]);
  expectClose(encode("f32", [count], [...(ours.data as Float32Array)]), expected!, { rtol: 2e-6, atol: 1e-9 });
});

test("a rate cannot come down to a higher one", () => {
  const found = trainSchema.safeParse({ learningRate: 1e-5 });
  expect(found.error?.issues).toMatchObject([{ path: ["minLearningRate"] }]);
  expect(trainSchema.safeParse({ learningRate: 1e-5, schedule: "constant" }).success).toBe(true);
});
