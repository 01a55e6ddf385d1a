/** Errors of the traced program, from sites that the tracer really captures. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { inspect } from "node:util";
import { XenarcError } from "../../compiler/errors.js";
import { captureSite, inScope, type Site } from "../../compiler/site.js";
import { render } from "../../compiler/source/render.js";

const plain = { colour: false };

test("an author's line, marked, with expected and fix", () => {
  const site = captureSite();
  const error = new XenarcError({
    what: 'The axis "headDim" has size 64 on one side and 128 on the other.',
    where: [{ site: site!, note: "captured here" }],
    expected: "one size.",
    fix: "Split both by the same number of heads.",
  });
  expect(render(error, plain)).toMatchInlineSnapshot(`
"The axis "headDim" has size 64 on one side and 128 on the other.

  test/source/render.test.ts:13:16
    11 |
    12 | test("an author's line, marked, with expected and fix", () => {
  > 13 |   const site = captureSite();
       |                ^ captured here
    14 |   const error = new XenarcError({
    15 |     what: 'The axis "headDim" has size 64 on one side and 128 on the other.',

Expected: one size.
Split both by the same number of heads."
`);
});

test("an error that a script does not catch is shown with the author's line", () => {
  const error = new XenarcError({ what: "No.", where: [{ site: captureSite()! }] });
  expect(inspect(error)).toMatch(
    /^XenarcError: No\.\n\n {2}test\/source\/render\.test\.ts:\d+:\d+\n[\s\S]*\^\n[\s\S]*\n {4}at /,
  );
  expect(Object.keys(error)).toEqual([]);
});

test("a line of the library comes with the author's, which is the place to change", () => {
  const layer = { file: resolve("models/layers/attention.ts"), line: 1, column: 1, function: "call" };
  const [own] = captureSite()!.frames;
  const site: Site = { frames: [layer], scope: "attention", caller: { frames: [own!], scope: "", caller: undefined } };
  const text = render(new XenarcError({ what: "No.", where: [{ site }] }), plain);
  expect(text).toMatch(/^ {2}test\/source\/render\.test\.ts:\d+:17$/m);
  expect(text).toContain("through xenarc/models/layers/attention.ts:1:1");
});

test("frames within a module call belong to it, those outside to its caller", () => {
  const [inner, outer] = inScope("block/mlp", () => {
    const site = captureSite()!;
    return [site, site.caller!];
  });
  expect(inner.scope).toBe("block/mlp");
  expect(inner.frames.length).toBeGreaterThan(0);
  expect(outer.frames.length).toBeGreaterThan(0);
});

describe("places in other files", () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "xenarc-render-")));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const file = join(root, "config.yaml");
  writeFileSync(file, "layers: 4\nheds: 4\n");
  const shown = (where: object) =>
    render(new XenarcError({ what: "Wrong.", where: [where as { file: string }] }), { ...plain, cwd: root });

  test("with line and column", () => {
    expect(shown({ file, line: 2, column: 1, note: 'unknown key; did you mean "heads"?' })).toMatchInlineSnapshot(`
"Wrong.

  config.yaml:2:1
    1 | layers: 4
  > 2 | heds: 4
      | ^ unknown key; did you mean "heads"?"
`);
  });
  test("by the path that opens them from where the command runs", () => {
    const from = (cwd: string) =>
      /^ {2}(.*):2:1$/m.exec(
        render(new XenarcError({ what: "Wrong.", where: [{ file, line: 2, column: 1 }] }), { ...plain, cwd }),
      )![1];
    expect(from(root)).toBe("config.yaml");
    expect(from(join(root, "runs"))).toBe("../config.yaml");
    expect(from(dirname(root))).toBe(`${basename(root)}/config.yaml`);
    // No shorter than it is as it stands.
    expect(from("/somewhere/else/and/further/down/still")).toBe(file);
  });
  test("with the line alone", () => {
    expect(shown({ file, line: 2 })).toMatchInlineSnapshot(`
"Wrong.

  config.yaml:2
    1 | layers: 4
  > 2 | heds: 4"
`);
  });
  test("with neither, or where the file is gone, the note stands beside the path", () => {
    expect(shown({ file, note: "is empty" })).toBe("Wrong.\n\n  config.yaml: is empty");
    expect(shown({ file: join(root, "gone.yaml"), line: 3, note: "was here" })).toBe(
      "Wrong.\n\n  gone.yaml:3: was here",
    );
  });
});
