/** A sweep: every combination once, a failing one recorded, the best first; the same command again repeats nothing. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { valuesOf } from "../../cli/commands/sweep.js";
import { project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

test.each([
  ["a=1,2", ["a=1", "a=2"]],
  ["a=[1,2],[3]", ["a=[1,2]", "a=[3]"]],
  ['a="x,y",z', ['a="x,y"', "a=z"]],
  ["a=1", ["a=1"]],
])("the values of %s", (word, expected) => {
  expect(valuesOf(word)).toEqual(expected);
});

test(
  "combinations are trained once each, and compared",
  async () => {
    const cwd = project({ "text.txt": TEXT });
    const fixed = SMALL.filter((setting) => !setting.startsWith("model.heads"));
    const words = ["sweep", ...fixed, "model.heads=1,3", "--data", "text.txt", "--json"];
    const sweep = async () => {
      const { out, code } = await xenarc({ cwd }, ...words);
      expect(code).toBe(0);
      return JSON.parse(out.trim().split("\n").at(-1)!);
    };
    const first = await sweep();
    expect(first.results).toMatchObject([
      { settings: ["model.heads=1"], step: 6, validation: expect.any(Number) },
      { settings: ["model.heads=3"], failed: expect.any(String) },
    ]);
    expect(existsSync(join(cwd, first.picture))).toBe(true);
    const metrics = join(cwd, first.results[0].run, "metrics.jsonl");
    const written = statSync(metrics).mtimeMs;
    expect(await sweep()).toMatchObject({ results: [{ validation: first.results[0].validation }, {}] });
    expect(statSync(metrics).mtimeMs).toBe(written);
  },
  SLOW,
);
