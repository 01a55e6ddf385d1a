/** The check of import directions, on small trees. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

function check(files: Record<string, string>): { status: number | null; text: string } {
  const root = mkdtempSync(join(tmpdir(), "xenarc-arrows-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const { status, stderr } = spawnSync(process.execPath, ["scripts/arrows.mjs", root], { encoding: "utf8" });
  return { status, text: stderr.trim() };
}

test("imports along the arrows pass", () => {
  const files = {
    "index.ts": 'export * from "./ops/tensor.js";\n',
    "compiler/ir.ts": "export const a = 1;\n",
    "ops/tensor.ts": 'import { a } from "../compiler/ir.js";\nexport const b = a;\n',
    "models/gpt.ts": 'import {\n  b,\n} from "../ops/tensor.js";\nexport const c = b;\n',
    "cli/main.ts": 'import "../models/gpt.js";\nawait import("../emit/print.js");\n',
    "emit/print.ts": 'import type { a } from "../compiler/ir.js";\nexport type A = typeof a;\n',
  };
  expect(check(files)).toEqual({ status: 0, text: "" });
});

test.each([
  ["import x", 'import { b } from "../ops/tensor.js";\n'],
  ["import type", '\nimport type { b } from "../ops/tensor.js";\n'],
  ["export from", 'export { b } from "../ops/tensor.js";\n'],
  ["import for effect", 'import "../ops/tensor.js";\n'],
  ["import()", 'export const b = await import("../ops/tensor.js");\n'],
])("%s against the arrows is refused", (_, source) => {
  const { status, text } = check({ "compiler/ir.ts": source, "ops/tensor.ts": "export const b = 1;\n" });
  expect(status).toBe(1);
  expect(text).toMatch(/^compiler\/ir\.ts:[12]: compiler must not import ops \(ops\/tensor\.ts\)/);
});

test("files that import each other are refused, as they run and by their types", () => {
  const cycle = (kind: string) => ({
    "ops/a.ts": `import ${kind} { b } from "./b.js";\nexport const a = 1;\n`,
    "ops/b.ts": `import ${kind} { a } from "./a.js";\nexport const b = 1;\n`,
  });
  expect(check(cycle("")).text).toContain("These files import each other: ops/a.ts -> ops/b.ts -> ops/a.ts");
  expect(check(cycle("type")).text).toBe("These files depend on each other's types: ops/a.ts -> ops/b.ts -> ops/a.ts");
});

test("operations and their list may refer to each other's types", () => {
  const files = {
    "ops/hlo/add.ts": 'import type { List } from "./index.js";\nexport const add: List = 1 as never;\n',
    "ops/hlo/index.ts": 'import { add } from "./add.js";\nexport type List = typeof add;\n',
  };
  expect(check(files)).toEqual({ status: 0, text: "" });
});
