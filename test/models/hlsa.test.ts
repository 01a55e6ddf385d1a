/** The layer of hierarchical long-sequence attention: against plain JAX, and token by token. */
import { leavesWithPaths, mapLeaves } from "../../compiler/tree.js";
import { Hlsa, type HlsaValues, RecurrentState, rotary, WEIGHTS } from "../../models/layers/index.js";
import { initialize } from "../../models/train/initialize.js";
import { tensor as given } from "../../ops/array.js";
import { scan, vjp } from "../../ops/control.js";
import { gather, iota } from "../../ops/functions.js";
import type { Key } from "../../ops/random.js";
import type { Tensor } from "../../ops/tensor.js";
import { evaluate } from "../../runtime-bridge/evaluate.js";
import { agrees, f32, i32, inOrder } from "../language/harness.js";
import { expectAllClose, expectClose, jaxVjp, numbers } from "../oracle/oracle.js";
import { draws } from "./drawn.js";

const SLOW = 300_000;
const [batch, length, embed] = [3, 21, 12];
const hierarchy = { sinks: 2, maxGlobals: 5, unit: 3, blockSize: 4 };
const yarn = { factor: 4, original: 64 };
const sizes = { embed, heads: 4, headDim: 4, kvHeads: 2, latent: 8, rank: 6 };
const layerOf = (selector: number, state: number) =>
  new Hlsa({ ...sizes, selector, state }, { ...hierarchy, theta: 100, yarn });

/** Values of the run that differ from input to input. */
const values = (latent: readonly number[]): HlsaValues => {
  const each = (data: readonly number[], dtype: "i32" | "f32" = "i32") => given({ batch }, data, dtype) as Tensor;
  return {
    window: each([6, 9, 3]),
    dilation: each([1, 2, 3]),
    globals: each([3, 5, 0]),
    chunk: each([3, 6, 4]),
    sparsity: each([0.9, 1, 0.7], "f32"),
    latent: each(latent),
    weights: given({ batch, path: WEIGHTS.length }, [
      ...[1, 1, 1, 1, 1, 1],
      ...[0.5, 2, 1, 0.25, 1, 3],
      ...[1, 1, 0.5, 0, 1, 0],
    ]) as Tensor,
  };
};

function drawnLayer(selector: number, state: number): Hlsa {
  const draw = draws(3);
  return mapLeaves(layerOf(selector, state), (leaf) => {
    const { sizes } = leaf as Tensor;
    const n = Object.values<number>(sizes).reduce((a, b) => a * b, 1);
    return given(
      sizes,
      Float32Array.from({ length: n }, () => 0.5 * draw()),
    );
  });
}
type Input = Tensor<"batch" | "seq" | "embed">;
const AXES = ["batch", "seq", "embed"];
const input = (seed: number) =>
  given({ batch, seq: length, embed }, Float32Array.from({ length: batch * length * embed }, draws(seed))) as Input;
const wire = (x: Tensor) => inOrder(x, x.names);

test(
  "is the dense layer in plain JAX, with its gradients",
  async () => {
    const [layer, x, v] = [drawnLayer(3, 5), input(1), values([8, 3, 5])];
    const weights = leavesWithPaths(layer) as [string, Tensor][];
    const ct = input(2) as Tensor;
    const [out, gradients] = await evaluate(
      (layer: Hlsa, x: Input, values: HlsaValues, ct: Tensor) => {
        const [y, pull] = vjp(
          (layer: Hlsa, x: Tensor) => layer.call(x as Input, { values })[0] as Tensor,
          layer,
          x as Tensor,
        );
        return [y, pull(ct)] as const;
      },
      layer,
      x,
      v,
      ct,
    );
    const list = (names: readonly string[]) => `[${names.map((n) => `"${n}"`).join(", ")}]`;
    const paths = list(weights.map(([path]) => `layer/${path}`));
    const n = weights.length;
    const block = Math.ceil(length / Math.ceil(length / hierarchy.blockSize));
    const config = `{"theta": 100, "yarn": {"factor": 4, "original": 64}, "hierarchy": {"sinks": 2, "maxGlobals": 5, "unit": 3, "block": ${block}}}`;
    const wanted = await jaxVjp(
      `lambda *a: reference("hierarchical").layer(dict(zip(${paths}, a)), "layer", a[${n}], dict(zip(${list(Object.keys(v))}, a[${n + 1}:])), None, ${config})`,
      [...weights.map(([, w]) => w), x as Tensor, ...(Object.values(v) as Tensor[])].map(wire),
      [wire(ct)],
      { argnums: Array.from({ length: n + 1 }, (_, i) => i) },
    );
    expectAllClose([inOrder(out as Tensor, AXES)], wanted.outputs, { rtol: 1e-4, atol: 1e-5 });
    const [ofLayer, ofX] = gradients as unknown as [Hlsa, Tensor];
    const given = leavesWithPaths(ofLayer) as [string, Tensor][];
    const ours = [...given.map(([, g], i) => inOrder(g, weights[i]![1].names)), inOrder(ofX, AXES)];
    expectAllClose(ours, wanted.grads, { rtol: 2e-4, atol: 2e-5 });
  },
  SLOW,
);

test.each([
  [0, 0],
  [3, 5],
])(
  "token by token it gives what it gives all at once, with a selector of %i and a state of %i",
  async (selector, state) => {
    const [from, steps, lengths] = [4, 12, [4, 3, 2]];
    const [all, found] = await evaluate(
      (layer: Hlsa, x: Input, values: HlsaValues, length: Tensor<"batch">) => {
        // Behind the prompts, which differ in length, there is something else than what comes.
        const prompt = x.slice("seq", 0, from).pad("seq", 0, x.size("seq") - from, 9);
        const [, cache] = layer.call(prompt, { values, length });
        const [, found] = scan("step", cache, { i: iota({ step: steps }) }, (cache, { i }) => {
          const position = length.add(i) as Tensor<"batch">;
          const at = position.broadcast({ seq: 1 }) as Tensor;
          const one = gather(x.rename("seq", "place") as Tensor, "place", at) as Tensor;
          const [y, next] = layer.call(one.ordered(AXES) as Input, { values, cache, position });
          return [next, (y as Tensor).at("seq", 0) as Tensor];
        });
        const places = (length.broadcast({ step: steps }) as Tensor).add(iota({ step: steps })) as Tensor;
        const whole = layer.call(x, { values })[0].rename("seq", "place") as Tensor;
        return [gather(whole, "place", places), found] as const;
      },
      drawnLayer(selector, state),
      input(1),
      values([8, 3, 5]),
      given({ batch }, lengths, "i32") as Tensor<"batch">,
    );
    const axes = ["batch", "step", "embed"];
    expectClose(inOrder(found as Tensor, axes), inOrder(all as Tensor, axes), { rtol: 1e-4, atol: 1e-5 });
  },
  SLOW,
);

test("a recurrent state begins by remembering over all lengths up to its horizon", async () => {
  const horizon = 1000;
  const layer = new RecurrentState({ embed, state: 400 }, { horizon });
  const bias = await evaluate(
    (k: Tensor) => initialize(layer, k as Key).gate.bias as Tensor,
    given({ threefry: 2 }, [0, 1], "ui32"),
  );
  // A gate keeps t / (t + 1): as many lengths t are below the root of the horizon as above.
  const lengths = (numbers(inOrder(bias, ["state"])) as number[]).map(Math.exp).sort((a, b) => a - b);
  expect(lengths[0]).toBeGreaterThanOrEqual(1);
  expect(lengths.at(-1)).toBeLessThanOrEqual(horizon);
  expect(Math.abs(Math.log(lengths[200]!) / Math.log(horizon) - 0.5)).toBeLessThan(0.1);
});

agrees("YaRN", {
  "positions that are stretched": {
    inputs: [f32("batch seq:5 heads headDim:8"), i32("seq:5", { min: 0, max: 200 })],
    run: (x, p) => rotary(x, p, "headDim", { theta: 1000, yarn: { factor: 8, original: 128, fast: 4, slow: 1 } }),
    jax: `lambda x, p: (lambda a: jnp.concatenate([x[..., :4] * jnp.cos(a) - x[..., 4:] * jnp.sin(a), x[..., 4:] * jnp.cos(a) + x[..., :4] * jnp.sin(a)], -1))(p[:, None, None] * reference("hierarchical").yarn(4, 1000, 8, 128, 4, 1))`,
    out: "batch seq heads headDim",
    tolerance: { rtol: 1e-3, atol: 1e-3 },
  },
});
