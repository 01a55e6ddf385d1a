/** What authors are told: every mistake's message with the code frame at their line. */
import { readFileSync } from "node:fs";
import { XenarcError } from "../../compiler/errors.js";
import { render } from "../../compiler/source/render.js";
import { traceProgram } from "../../compiler/trace.js";
import { dot } from "../../ops/functions.js";
import { zeros } from "../../ops/initializers.js";
import { Module, param, Stack, spec } from "../../ops/module.js";
import type { Tensor } from "../../ops/tensor.js";
import { mistakes, unfinished } from "./mistakes.js";

const source = readFileSync(new URL("mistakes.ts", import.meta.url), "utf8").split("\n");

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof XenarcError) return render(error, { colour: false });
    throw error;
  }
  throw new Error("nothing was wrong");
}

/** Lines counted from the mistake's own first, so that a change above it changes nothing here. */
function fromItsFirstLine(text: string, first: string): string {
  const start = source.findIndex((line) => line.includes(first)) + 1;
  const relative = (n: string) => String(Number(n) - start);
  return text
    .replaceAll(/(mistakes\.ts:)(\d+)/g, (_, file, n) => `${file}${relative(n)}`)
    .replaceAll(/^ {2}([> ]) *(\d+) \|/gm, (_, mark, n) => `  ${mark} ${relative(n).padStart(2)} |`)
    .replaceAll(/^ {2,} +\|/gm, "       |");
}

test.each(Object.keys(mistakes))("%s", (name) => {
  const text = message(() => traceProgram("test", {}, () => ({ result: mistakes[name]!() })));
  expect(`\n${fromItsFirstLine(text, `"${name}"`)}\n`).toMatchSnapshot();
});

test("a tensor operation outside of a program", () => {
  expect(`\n${fromItsFirstLine(message(unfinished), "unfinished")}\n`).toMatchSnapshot();
});

test("a parameter is shown where it was declared, in a scan too", () => {
  class Layer extends Module {
    readonly weight = param({ embed: 4, mlp: 8 }, zeros); // declared here
    call(x: Tensor<"embed">) {
      return dot(x, this.weight, "embed");
    }
  }
  const params = new Stack({ layers: 2 }, () => new Layer());
  const run = () =>
    traceProgram("test", { state: { params }, argument: { x: spec({ embed: 3 }) } }, ({ state, argument }) => ({
      result: state.params.scan(argument.x, (layer, h) => layer.call(h).rename("mlp", "embed")),
    }));
  expect(message(run)).toMatch(/> +\d+ \| .*param\(.* \/\/ declared here\n.*\^ \(embed 4, mlp 8\) f32/);
});

test("two inputs of one name", () => {
  const twice = { state: { x: param({ embed: 4 }, zeros) }, argument: { x: param({ embed: 4 }, zeros) } };
  const text = message(() => traceProgram("test", twice, () => ({})));
  expect(text).toContain('test: two inputs are named "x".');
  expect(text).toMatch(/> +\d+ \|.*const twice/);
});
