/** Attention of several resolutions against the same in plain JAX, dense, for values of the run that are drawn by input. */
import fc from "fast-check";
import { traceProgram } from "../../compiler/trace.js";
import { mapLeaves } from "../../compiler/tree.js";
import { hierarchical } from "../../models/layers/attention/hierarchical.js";
import {
  allOptions,
  attendedShare,
  meanVisits,
  PATHS,
  type Reach,
  type Reached,
} from "../../models/layers/attention/reach.js";
import { tensor as given } from "../../ops/array.js";
import { grad, vjp } from "../../ops/control.js";
import { full } from "../../ops/functions.js";
import { spec } from "../../ops/module.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate, programText } from "../../runtime-bridge/evaluate.js";
import { inOrder } from "../language/harness.js";
import { expectAllClose, jaxEval, jaxVjp, numbers } from "../oracle/oracle.js";
import { draws } from "./drawn.js";

const SLOW = 300_000;
const OUT = "batch seq kvHeads group headDim".split(" ");

interface Options {
  readonly sinks: number;
  readonly maxGlobals: number;
  readonly unit: number;
  readonly blockSize: number;
  readonly span?: number;
}

/** The values of one input. */
const reachOf = (length: number) =>
  fc.record({
    window: fc.integer({ min: 1, max: length + 3 }),
    dilation: fc.integer({ min: 1, max: 4 }),
    globals: fc.integer({ min: 0, max: 6 }),
    sparsity: fc.double({ min: 0, max: 1, noNaN: true }),
    chunk: fc.integer({ min: 1, max: length }),
  });
type Values = Readonly<Record<keyof Reach, number>>;

const python = ({ sinks, maxGlobals, unit, blockSize, span }: Options, length: number): string => {
  const block = Math.ceil(length / Math.ceil(length / blockSize));
  const all = { sinks, maxGlobals, unit, block, ...(span && { span }) };
  return `{${Object.entries(all)
    .map(([name, x]) => `"${name}": ${x}`)
    .join(", ")}}`;
};
const AT = '{"window": r[0], "dilation": r[1], "globals": r[2], "chunk": r[3], "sparsity": r[4]}';

/** Random operands for inputs with these values, for us. */
function operands(values: readonly Values[], length: number, seed: number, off: readonly number[] = []) {
  const batch = values.length;
  const draw = draws(seed);
  const some = (sizes: Record<string, number>) =>
    given(sizes, Float32Array.from({ length: Object.values(sizes).reduce((a, b) => a * b, 1) }, draw)) as Tensor;
  const keys = { batch, key: length, kvHeads: 2, headDim: 4 };
  const bias = Array.from({ length: batch * length * PATHS.length }, (_, i) =>
    off.includes(i % PATHS.length) ? -1e30 : draw(),
  );
  const xs = {
    q: some({ batch, seq: length, kvHeads: 2, group: 2, headDim: 4 }),
    k: some(keys),
    v: some(keys),
    bias: given({ batch, seq: length, path: PATHS.length }, bias) as Tensor,
    selection: some({ batch, key: length }),
  };
  const column = (name: keyof Reach, dtype: "i32" | "f32" = "i32") =>
    given(
      { batch },
      values.map((x) => x[name]),
      dtype,
    ) as Tensor;
  const reach: Reach = {
    window: column("window"),
    dilation: column("dilation"),
    globals: column("globals"),
    chunk: column("chunk"),
    sparsity: column("sparsity", "f32"),
  };
  return { xs, reach, ct: some({ batch, seq: length, kvHeads: 2, group: 2, headDim: 4 }) };
}

const wire = (x: Tensor) => inOrder(x, x.names);
const ofReach = (r: Reach) => [r.window, r.dilation, r.globals, r.chunk, r.sparsity].map((x) => wire(x as Tensor));

describe.each([
  ["blocks of 4, units of 3", 23, { sinks: 2, maxGlobals: 6, unit: 3, blockSize: 4 }, true],
  ["the first of each interval", 23, { sinks: 2, maxGlobals: 6, unit: 3, blockSize: 4 }, false],
  ["lengths that are multiples, no sinks", 32, { sinks: 0, maxGlobals: 6, unit: 4, blockSize: 8, span: 48 }, true],
  ["one block, one unit", 7, { sinks: 3, maxGlobals: 6, unit: 16, blockSize: 16 }, false],
] as const)("%s", (_, length, options, selects) => {
  test(
    "is dense attention under the same masks, with its gradients",
    async () => {
      const property = fc.asyncProperty(
        fc.array(reachOf(length), { minLength: 6, maxLength: 6 }),
        fc.nat(1000),
        fc.subarray([1, 3, 4]),
        async (values, seed, off) => {
          const { xs, reach, ct } = operands(values, length, seed, off);
          const [out, gradients] = await evaluate(
            ({ q, k, v, bias, selection }: typeof xs, reach: Reach, ct: Tensor) => {
              const [y, pull] = vjp(
                (q: Tensor, k: Tensor, v: Tensor, bias: Tensor, s: Tensor) =>
                  hierarchical(q, k, v, reach, bias, selects ? s : undefined, options),
                ...([q, k, v, bias, selection] as [Tensor, Tensor, Tensor, Tensor, Tensor]),
              );
              return [y, pull(ct)] as const;
            },
            xs,
            reach,
            ct,
          );
          const wanted = await jaxVjp(
            `lambda q, k, v, b, s, *r: reference("hierarchical").attention(q, k, v, b, ${selects ? "s" : "None"}, ${AT}, ${python(options, length)})`,
            [...Object.values(xs).map(wire), ...ofReach(reach)],
            [wire(ct)],
            { argnums: [0, 1, 2, 3, 4] },
          );
          const tolerance = { rtol: 1e-4, atol: 2e-5 };
          expectAllClose([inOrder(out, OUT)], wanted.outputs, tolerance);
          const ours = (gradients as Tensor[]).map((g, i) => inOrder(g, Object.values(xs)[i]!.names));
          expectAllClose(ours, wanted.grads, tolerance);
        },
      );
      await fc.assert(property, { numRuns: process.env.XENARC_FULL === "1" ? 20 : 3, seed: 5 });
    },
    SLOW,
  );
});

test("with a sparsity of 0.1 about a tenth of the pairs of a query and a position before it is attended to", async () => {
  const length = 1024;
  const options = { sinks: 4, maxGlobals: 16, unit: 16, blockSize: 16 };
  const values = { window: 64, dilation: 2, globals: 8, sparsity: 0.1, chunk: 16 };
  const { xs, reach } = operands([values], length, 1);
  const counted = await jaxEval(
    `lambda q, k, *r: reference("hierarchical").pairs(q[0], k[0], None, {n: x[0] for n, x in ${AT}.items()}, ${python(options, length)})`,
    [wire(xs.q), wire(xs.k), ...ofReach(reach)],
  );
  const byPath = numbers(counted[0]!) as number[];
  const positions = byPath.filter((_, i) => PATHS[i] !== "coarse").reduce((a, b) => a + b, 0);
  const part = positions / ((length * (length + 1)) / 2);
  expect(Math.abs(part - 0.1)).toBeLessThan(0.015);

  // What the values say without looking at keys counts a key twice that two paths lead to.
  const share = await evaluate((reach: Reach) => {
    const one = mapLeaves(reach, (x) => (x as Tensor).at("batch", 0)) as unknown as Reached;
    return attendedShare(full({ path: PATHS.length }, 1), length, one, options);
  }, reach);
  const said = Array.from(share.data as Float32Array, (x, p) => x * (p + 1)).reduce((a, b) => a + b, 0);
  expect(said / positions).toBeGreaterThanOrEqual(1);
  expect(said / positions).toBeLessThan(1.05);
});

test("the blocks of keys that a plan takes to be visited are those that queries see something of", async () => {
  const [length, draws] = [96, 40];
  const options = { sinks: 2, maxGlobals: 13, unit: 3, blockSize: 8 };
  // In 64ths what is left for chunks is exact in float32, too: half a chunk more is then half a chunk for both.
  const exact = (x: number) => Math.round(x * 64) / 64;
  const seen = reachOf(length).map((x) => ({ ...x, dilation: 1, sparsity: exact(x.sparsity) }));
  await fc.assert(
    fc.asyncProperty(fc.array(seen, { minLength: draws, maxLength: draws }), async (values) => {
      const { xs, reach } = operands(values, length, 1);
      const [counted] = await jaxEval(
        `lambda q, k, *r: jax.vmap(lambda *r: reference("hierarchical").visits(q[0], k[0], ${AT}, ${python(options, length)}))(*r)`,
        [wire(xs.q), wire(xs.k), ...ofReach(reach)],
      );
      const expected = values.map((x) => Object.values(meanVisits(x, length, allOptions(options, length))));
      const byDraw = (numbers(counted!) as number[]).map((n, i) => [n, expected.flat()[i]!] as const);
      expect(byDraw.filter(([theirs, ours]) => !(Math.abs(theirs - ours) < 1e-4))).toEqual([]);
    }),
    { numRuns: 1 },
  );
}, 60_000);

test("no array is as large as all queries times all keys, forward or backward", () => {
  const length = 2048;
  const options = { sinks: 16, maxGlobals: 16, unit: 128, blockSize: 128 };
  const one = { batch: 1 };
  const inputs = {
    q: spec({ ...one, seq: length, kvHeads: 1, headDim: 8 }),
    k: spec({ ...one, key: length, kvHeads: 1, headDim: 8 }),
    v: spec({ ...one, key: length, kvHeads: 1, headDim: 8 }),
    bias: spec({ ...one, seq: length, path: PATHS.length }),
    selection: spec({ ...one, key: length }),
  };
  const reach = {
    window: spec({}, "i32"),
    dilation: spec({}, "i32"),
    globals: spec({}, "i32"),
    chunk: spec({}, "i32"),
    sparsity: spec({}),
  };
  const program = traceProgram("gradient", { argument: { inputs, reach } }, ({ argument }) => ({
    result: grad(
      ({ q, k, v, bias, selection }: typeof inputs) =>
        hierarchical(
          q as Tensor,
          k as Tensor,
          v as Tensor,
          argument.reach as unknown as Reach,
          bias,
          selection,
          options,
        )
          .square()
          .sum(["batch", "seq", "kvHeads", "headDim"]) as unknown as Scalar,
    )(argument.inputs),
  }));
  const sizes = [...programText(program).matchAll(/tensor<([\dx]+)x\w+>/g)].map((m) =>
    m[1]!.split("x").reduce((n, d) => n * +d, 1),
  );
  // A block of queries and keys, or all positions times what one has.
  expect(Math.max(...sizes)).toBe(128 * 128);
});
