/** Axis names are types: what compiles, what does not and what tsc says of it, what the editor shows, what checking costs. */
import { readFileSync } from "node:fs";
import { caseFile, checkingCost, hovers, mistakes, service } from "./typescript.js";

const [right, wrong, hover] = ["right.ts", "wrong.ts", "hover.ts"].map(caseFile) as [string, string, string];
const cases = service([right, wrong, hover]);

const COMPILES = "this compiles";

test("right programs compile", () => {
  expect(mistakes(cases, right)).toEqual([]);
}, 60_000);

test("wrong programs do not, and tsc says why", () => {
  const lines = readFileSync(wrong, "utf8").split("\n");
  const found = new Map<number, string>();
  for (const { line, message } of mistakes(cases, wrong)) found.set(line, message);
  const shown = lines.flatMap((line, i) => {
    const label = /@ts-expect-error (.*)/.exec(line)?.[1];
    if (label === undefined) return [];
    const message = found.get(i + 1);
    found.delete(i + 1);
    return [`${label}\n  ${lines[i + 1]!.trim()}\n${(message ?? COMPILES).replaceAll(/^/gm, "    ")}\n`];
  });
  expect(found).toEqual(new Map());
  expect(shown.filter((s) => s.includes(COMPILES))).toEqual([]);
  expect(`\n${shown.join("\n")}`).toMatchSnapshot();
}, 60_000);

test("hovers are readable", () => {
  const all = hovers(cases, hover);
  expect(all.length).toBeGreaterThan(8);
  expect(all.map((h) => h.shown)).toEqual(all.map((h) => h.expected));
}, 60_000);

/** A model of about so many lines: layers in many sizes, attention, gates, a scan over each kind, a loss and its gradient. */
function model(lines: number): string {
  const header = `import { dot, grad, Linear, Module, named, param, RmsNorm, remat, type Scalar, softmax, Stack, silu, type Tensor, where, iota, initializers } from "xenarc";
type X = Tensor<"batch" | "seq" | "embed">;`;
  const layer = (i: number) => `
class Attention${i} extends Module {
  readonly query = new Linear({ embed: 64 }, { heads: 4, headDim: 16 });
  readonly key = new Linear({ embed: 64 }, { heads: 4, headDim: 16 });
  readonly value = new Linear({ embed: 64 }, { heads: 4, headDim: 16 });
  readonly output = new Linear({ heads: 4, headDim: 16 }, { embed: 64 });
  call(x: X): X {
    const q = this.query.call(x).mul(0.25);
    const k = this.key.call(x).rename("seq", "key");
    const v = this.value.call(x).rename("seq", "key");
    const seen = iota({ seq: 8 }).broadcast({ key: 8 }).ge(iota({ key: 8 }));
    const scores = dot(q, k, "headDim");
    const probs = softmax(where(seen, scores, -1e30), "key");
    return this.output.call(dot(probs, v, "key"));
  }
}
class Mlp${i} extends Module {
  readonly gate = new Linear({ embed: 64 }, { mlp: ${128 + i} });
  readonly up = new Linear({ embed: 64 }, { mlp: ${128 + i} });
  readonly down = new Linear({ mlp: ${128 + i} }, { embed: 64 });
  call(x: X): X {
    const gated = silu(this.gate.call(x)).mul(this.up.call(x));
    return this.down.call(named(gated, "gated"));
  }
}
class Block${i} extends Module {
  readonly norm = new RmsNorm({ embed: 64 });
  readonly attention = new Attention${i}();
  readonly second = new RmsNorm({ embed: 64 });
  readonly mlp = new Mlp${i}();
  readonly scale = param({ embed: 64 }, initializers.ones);
  call(x: X): X {
    const h = x.add(this.attention.call(this.norm.call(x)));
    return h.add(this.mlp.call(this.second.call(h)).mul(this.scale));
  }
}
class Model${i} extends Module {
  readonly blocks = new Stack({ layers: 4 }, () => new Block${i}());
  loss(x: X, target: Tensor<"batch" | "seq">): Scalar {
    const step = remat((h: X, block: Block${i}) => block.call(h), ["gated"]);
    const out = this.blocks.scan(x, (block, h) => step(h, block));
    return out.mean("embed").sub(target).square().mean(["batch", "seq"]);
  }
}
export const gradient${i} = (m: Model${i}, x: X, target: Tensor<"batch" | "seq">): Model${i} => grad((p: Model${i}) => p.loss(x, target))(m);
`;
  let text = header;
  for (let i = 0; text.split("\n").length < lines; i++) text += layer(i);
  return text;
}

test("a model of 1,000 lines is checked within budget", () => {
  const small = checkingCost("small.ts", model(10));
  const large = checkingCost("large.ts", model(1000));
  expect([...small.errors, ...large.errors]).toEqual([]);
  const each = (large.instantiations - small.instantiations) / 950;
  process.stdout.write(
    `1,000 lines of models: ${Math.round(large.milliseconds)} ms, ${large.instantiations} instantiations, ${large.types} types\n`,
  );
  expect(large.instantiations).toBeLessThan(30_000);
  expect(each).toBeLessThan(20);
}, 60_000);
