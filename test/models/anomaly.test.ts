/** Anomaly mode: models with mistakes at known lines, each found there. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { anomalyProgram } from "../../compiler/passes/anomaly.js";
import { atTopLevel } from "../../compiler/site.js";
import { builderFor, traceProgram } from "../../compiler/trace.js";
import { checksFile } from "../../emit/checks.js";
import { print } from "../../emit/compile.js";
import { cond, grad, remat, whileLoop } from "../../ops/control.js";
import { full, scalar, where } from "../../ops/functions.js";
import { ones } from "../../ops/initializers.js";
import { Module, param, Stack, spec, withPaths } from "../../ops/module.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { execute, numbers, tensor } from "../oracle/oracle.js";

type X = Tensor<"n">;
const LAYERS = 4;

/** A layer that goes wrong where its weight says so. */
class Layer extends Module {
  readonly weight = param({ n: 3 }, ones) as X;
  call(x: X, wrong: (x: X, weight: X) => X): X {
    return wrong(x, this.weight);
  }
}
class Net extends Module {
  readonly blocks: Stack<Layer>;
  constructor(unroll = false) {
    super();
    this.blocks = new Stack({ layers: LAYERS }, () => new Layer(), { unroll });
  }
  run(x: X, wrong: (x: X, weight: X) => X): X {
    return this.blocks.scan(x, (layer, x) => layer.call(x, wrong));
  }
}

interface Case {
  readonly run: (net: Net, x: X) => unknown;
  /** The weight of a layer, all of its elements alike. Default 1. */
  readonly weights?: Readonly<Record<number, number>>;
  readonly unroll?: boolean;
  readonly nan?: Found;
  readonly inf?: Found;
}
interface Found {
  readonly operation: string;
  readonly backward?: boolean;
  readonly module?: string;
  /** Axis and step of each loop. */
  readonly loops?: readonly (readonly [axis: string | undefined, step: number])[];
}

const sum = (x: Tensor): Scalar => x.cast("f32").sum(x.names) as unknown as Scalar;
const inLayer = (layer: number) => ({ module: "blocks", loops: [["layers", layer]] }) as const;

/** What is wrong stands in the line that says `planted: NAME`. */
const CASES: Readonly<Record<string, Case>> = {
  nothing: { run: (net, x) => net.run(x, (x, w) => x.mul(w)) },
  "log of a negative number": {
    run: (net, x) => net.run(x, (x, w) => w.mul(2).sub(1).log().add(x)), // planted: log of a negative number
    weights: { 2: 0, 3: 0 },
    nan: { operation: "log", ...inLayer(2) },
  },
  "log of 0": {
    run: (net, x) => net.run(x, (x, w) => w.log().add(x)), // planted: log of 0
    weights: { 1: 0 },
    inf: { operation: "log", ...inLayer(1) },
  },
  "layers written out": {
    run: (net, x) => net.run(x, (x, w) => w.neg().sqrt().add(x)), // planted: layers written out
    weights: { 0: 0, 1: 0, 2: 0 },
    unroll: true,
    nan: { operation: "sqrt", ...inLayer(3) },
  },
  "0 / 0": {
    run: (_, x) => x.sub(x).div(x.sub(x).mul(2)), // planted: 0 / 0
    nan: { operation: "divide" },
  },
  "overflow in f16": {
    run: (_, x) => x.cast("f16").mul(30000).mul(2).cast("f32").mul(0), // planted: overflow in f16
    inf: { operation: "multiply" },
    nan: { operation: "multiply" },
  },
  "overflow in bf16": {
    run: (_, x) => x.cast("bf16").mul(3e38).mul(4).cast("f32"), // planted: overflow in bf16
    inf: { operation: "multiply" },
  },
  "too large for f16": {
    run: (_, x) => x.mul(70000).cast("f16"), // planted: too large for f16
    inf: { operation: "convert" },
  },
  "derivative of a root at 0": {
    run: (net, x) =>
      grad((net: Net) =>
        sum(
          net.run(x, (x, w) => {
            const root = w.sub(1).square().sqrt(); // planted: derivative of a root at 0
            return x.add(root);
          }),
        ),
      )(net),
    nan: { operation: "multiply", backward: true, ...inLayer(LAYERS - 1) },
    inf: { operation: "divide", backward: true, ...inLayer(LAYERS - 1) },
  },
  "computed again": {
    run: (net, x) => {
      const wrong = remat((x: X, w: X) => w.log().mul(x)); // planted: computed again
      return grad((net: Net) => sum(net.run(x, wrong)))(net);
    },
    weights: { 1: -1 },
    nan: { operation: "log", ...inLayer(1) },
  },
  "a branch": {
    run: (_, x) => {
      const wrong = () => x.neg().log(); // planted: a branch
      return cond(sum(x).gt(0), wrong, () => x);
    },
    nan: { operation: "log" },
  },
  "the branch that is not taken": {
    run: (_, x) => {
      const wrong = () => x.neg().log();
      return cond(sum(x).lt(0), wrong, () => x);
    },
  },
  "a loop of unknown length": {
    run: (_, x) =>
      whileLoop(
        { x, left: scalar(5) },
        ({ left }) => left.gt(0),
        ({ x, left }) => ({ x: x.sub(2).log(), left: left.sub(1) }), // planted: a loop of unknown length
      ),
    nan: { operation: "log", loops: [[undefined, 1]] },
  },
  "masks with infinity": {
    run: (_, x) => where(x.gt(2), x, full({}, Number.NEGATIVE_INFINITY)).exp(),
  },
};

const LINES = readFileSync(fileURLToPath(import.meta.url), "utf8").split("\n");
const X = [3, 4, 5];

test.each(Object.keys(CASES))("%s", async (name) => {
  const { run, weights = {}, unroll = false, nan, inf } = CASES[name]!;
  const net = withPaths(atTopLevel(() => new Net(unroll)));
  const traced = traceProgram("f", { state: { params: net }, argument: { x: spec({ n: 3 }) } }, (given) => ({
    result: run(given.state.params, given.argument.x),
  }));
  const program = anomalyProgram("anomaly", builderFor(traced.region), traced);
  const { checks, lines } = checksFile(program.checks!);
  const all = Array.from({ length: LAYERS * 3 }, (_, i) => weights[Math.floor(i / 3)] ?? 1);
  const [out] = await execute(await print(program), [tensor("f32", [LAYERS, 3], all), tensor("f32", [3], X)]);
  const [width, rows] = [out!.shape[1]!, numbers(out!) as number[]];
  const found = [0, 1].map((kind) => {
    const [number, ...steps] = rows.slice(kind * width, (kind + 1) * width) as [number, ...number[]];
    const check = checks[number];
    if (check === undefined || "input" in check) return check;
    const { operation, backward, module, loops, at } = check;
    const here = at.map((i) => lines[i]!).filter(({ path }) => path.endsWith("anomaly.test.ts"));
    return {
      ...{ operation, backward, module },
      loops: loops.map(({ axis, length, reverse }, i) => [axis, reverse ? length! - 1 - steps[i]! : steps[i]]),
      planted: LINES[here[0]!.line - 1]!.split("planted: ")[1],
    };
  });
  const expected = [nan, inf].map((f) => f && { backward: false, module: "", loops: [], planted: name, ...f });
  expect(found).toEqual(expected);
});

test("a parameter that was not finite before the step is named", async () => {
  const net = withPaths(atTopLevel(() => new Net()));
  const traced = traceProgram("f", { state: { params: net } }, ({ state: { params } }) => ({
    result: params.blocks.$each.weight.log(),
  }));
  const program = anomalyProgram("anomaly", builderFor(traced.region), traced);
  const weights = Array.from({ length: LAYERS * 3 }, (_, i) => (i === 7 ? Number.NaN : i === 2 ? Infinity : 1));
  const [out] = await execute(await print(program), [tensor("f32", [LAYERS, 3], weights)]);
  expect(numbers(out!)).toEqual([0, 0]);
  expect(checksFile(program.checks!).checks[0]).toEqual({ input: "params/blocks/weight" });
});
