import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { XenarcError } from "../../compiler/errors.js";
import { loadModule } from "../../compiler/source/load.js";
import { originalPosition } from "../../compiler/source/position.js";
import { render } from "../../compiler/source/render.js";
import { toMatchGolden } from "../../emit/golden.js";

/** A folder of files, outside every package. */
function project(files: Record<string, string>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "xenarc-load-")));
  made.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}
const made: string[] = [];
afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});

/** The error of a load, as people see it, with the folder's name taken out. */
async function refusal(root: string, file = "model.ts"): Promise<string> {
  const error = await loadModule(join(root, file)).then(
    () => new Error("it loaded"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(XenarcError);
  return render(error as XenarcError, { colour: false, cwd: root })
    .replaceAll(root, "ROOT")
    .replace(/\S*xenarc-load-\w+/g, "ROOT");
}

test("types are stripped, relative imports followed, JSON read", async () => {
  const root = project({
    "model.ts":
      'import { width } from "./sizes.js";\nimport data from "./data.json";\nexport const size: number = width + data.extra;\n',
    "sizes.ts": "export const width = 4 as number;\n",
    "data.json": '{ "extra": 3 }',
  });
  expect((await loadModule(join(root, "model.ts"))).size).toBe(7);
});

test("xenarc is the running package, one instance, also outside any package", async () => {
  const root = project({ "model.ts": 'export { toMatchGolden } from "xenarc/jest";\n' });
  expect((await loadModule(join(root, "model.ts"))).toMatchGolden).toBe(toMatchGolden);
});

test("other packages are found from the file that imports them, zod also without any", async () => {
  const root = project({
    "package.json": "{}",
    "node_modules/dep/package.json": '{ "name": "dep", "type": "module", "exports": { "import": "./m.js" } }',
    "node_modules/dep/m.js": "export const where = import.meta.url;",
    "model.ts":
      'import { z } from "zod";\nimport { basename } from "node:path";\nexport { where } from "dep";\nexport const ok = z.number().parse(basename("3").length);\n',
  });
  const loaded = await loadModule(join(root, "model.ts"));
  expect(loaded.ok).toBe(1);
  expect(loaded.where).toBe(pathToFileURL(join(root, "node_modules/dep/m.js")).href);
});

test("import.meta.url is each file's own", async () => {
  const root = project({
    "model.ts": 'import { there } from "./lib/other.js";\nexport const urls = [import.meta.url, there];\n',
    "lib/other.ts": "export const there: string = import.meta.url;\n",
  });
  const urls = ["model.ts", "lib/other.ts"].map((file) => pathToFileURL(join(root, file)).href);
  expect((await loadModule(join(root, "model.ts"))).urls).toEqual(urls);
});

test("positions in the bundle map back to the author's files", async () => {
  const root = project({
    "package.json": "{}",
    "models/model.ts":
      'import { site } from "./site.js";\n\ninterface Unused { a: 1 }\nexport const here = () => {\n  return   site() as unknown;\n};\n',
    "models/site.ts": RAW_SITE,
  });
  const { here } = (await loadModule(join(root, "models/model.ts"))) as { here: () => [string, number, number] };
  const file = join(root, "models/model.ts");
  expect(originalPosition(...here())).toEqual({ file, path: "models/model.ts", line: 5, column: 12 });
});
/** The caller's position as the engine reports it, which is what the tracer sees. */
const RAW_SITE = `export function site(): [string, number, number] {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const caller = (new Error().stack as any)[1];
  Error.prepareStackTrace = before;
  return [caller.getFileName(), caller.getLineNumber(), caller.getColumnNumber()];
}
`;

test("a warm load neither bundles nor writes; a change of any input is seen, the old bundle removed", async () => {
  const root = project({
    "package.json": "{}",
    "model.ts": 'export { a } from "./a.js";\n',
    "a.ts": "export const a = 1;\n",
  });
  const model = join(root, "model.ts");
  const folder = join(root, ".xenarc/cache/modules");
  const times = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mtimeMs]);
  expect((await loadModule(model)).a).toBe(1);
  const before = times();
  expect(before).toHaveLength(3);
  expect(await loadModule(model)).toHaveProperty("a", 1);
  expect(times()).toEqual(before);
  writeFileSync(join(root, "a.ts"), "export const a = 2;\n");
  expect((await loadModule(model)).a).toBe(2);
  expect(times()).toHaveLength(3);
  expect(readFileSync(join(root, ".xenarc/cache/.gitignore"), "utf8")).toBe("*\n");
});

describe("as a process, the package run from its sources", () => {
  /** Loads a model in a process of its own and gives what it exports. */
  function load(path: string): unknown {
    const script = `
      import { loadModule } from ${JSON.stringify(resolve("compiler/source/load.ts"))};
      import { originalPosition } from ${JSON.stringify(resolve("compiler/source/position.ts"))};
      const loaded = await loadModule(${JSON.stringify(path)});
      const at = loaded.here && originalPosition(...loaded.here());
      process.stdout.write(JSON.stringify({ ...loaded, at }));`;
    const result = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(result.stderr).toBe("");
    return JSON.parse(result.stdout);
  }

  test("a package that moved since the bundle was made is found again", () => {
    const dep = (path: string, value: number) => ({
      [`${path}/package.json`]: '{ "name": "dep", "type": "module", "main": "m.js" }',
      [`${path}/m.js`]: `export const value = ${value};`,
    });
    const files = { "app/model.ts": 'export { value } from "dep";\n', "app/package.json": "{}" };
    const root = project({ ...files, ...dep("app/node_modules/dep", 1), ...dep("node_modules/dep", 2) });
    expect(load(join(root, "app/model.ts"))).toEqual({ value: 1 });
    rmSync(join(root, "app/node_modules"), { recursive: true });
    expect(load(join(root, "app/model.ts"))).toEqual({ value: 2 });
  });

  test("positions map back through the bundle's own map", () => {
    const root = project({ "package.json": "{}", "model.ts": `${RAW_SITE}export const here = () => site();\n` });
    const at = { file: join(root, "model.ts"), path: "model.ts", line: 8, column: 27 };
    expect(load(join(root, "model.ts"))).toEqual({ at });
  });
});

test("a project that cannot be written to is loaded all the same", async () => {
  const root = project({ "package.json": "{}", "model.ts": "export const a = 1;\n" });
  writeFileSync(join(root, ".xenarc"), "a file where the folder would be");
  chmodSync(root, 0o555);
  expect((await loadModule(join(root, "model.ts"))).a).toBe(1);
  chmodSync(root, 0o755);
  expect(existsSync(join(root, ".xenarc/cache"))).toBe(false);
});

describe("errors", () => {
  test("a file that is not there", async () => {
    expect(await refusal(project({}))).toMatchInlineSnapshot(`
"There is no file ROOT/model.ts.

Give the path of a model, such as model.ts."
`);
  });
  test("a syntax error", async () => {
    expect(await refusal(project({ "model.ts": "const a = 1;\nconst b = ;\nconst c = 3;\n" }))).toMatchInlineSnapshot(`
"Unexpected ";".

  model.ts:2:11
    1 | const a = 1;
  > 2 | const b = ;
      |           ^
    3 | const c = 3;"
`);
  });
  test("a relative file that is missing", async () => {
    expect(
      await refusal(project({ "model.ts": 'import { a } from "./nope.js";\nexport { a };\n' })),
    ).toMatchInlineSnapshot(`
"Could not resolve "./nope.js".

  model.ts:1:19
  > 1 | import { a } from "./nope.js";
      |                   ^
    2 | export { a };

Check the path; it is relative to the importing file."
`);
  });
  test("a package that is not installed", async () => {
    expect(
      await refusal(project({ "model.ts": 'import { a } from "@some/thing/part";\nexport { a };\n' })),
    ).toMatchInlineSnapshot(`
"Cannot find package "@some/thing/part".

  model.ts:1:19
  > 1 | import { a } from "@some/thing/part";
      |                   ^
    2 | export { a };

Install it where the file is: npm install @some/thing"
`);
  });
  test("a path alias", async () => {
    expect(
      await refusal(project({ "model.ts": 'import { a } from "@/layers";\nexport { a };\n' })),
    ).toMatchInlineSnapshot(`
"Cannot find package "@/layers".

  model.ts:1:19
  > 1 | import { a } from "@/layers";
      |                   ^
    2 | export { a };

Path aliases are not followed: import by a relative path."
`);
  });
  test("an entry that xenarc does not have", async () => {
    expect(
      await refusal(project({ "model.ts": 'import { a } from "xenarc/model";\nexport { a };\n' })),
    ).toMatchInlineSnapshot(`
"xenarc has no entry "xenarc/model". Did you mean "xenarc/models"?

  model.ts:1:19
  > 1 | import { a } from "xenarc/model";
      |                   ^
    2 | export { a };"
`);
  });
  test("a name that an own file does not export", async () => {
    expect(
      await refusal(
        project({
          "model.ts": 'import { heads } from "./sizes.js";\nexport const n = heads;\n',
          "sizes.ts": "export const head = 1;\n",
        }),
      ),
    ).toMatchInlineSnapshot(`
"No matching export in "sizes.ts" for import "heads".

  model.ts:1:10
  > 1 | import { heads } from "./sizes.js";
      |          ^
    2 | export const n = heads;"
`);
  });
  test("a name that xenarc does not export", async () => {
    expect(
      await refusal(
        project({ "model.ts": 'import {\n  toMatchGoldn,\n} from "xenarc/jest";\n\nexport const f = toMatchGoldn;\n' }),
      ),
    ).toMatchInlineSnapshot(`
""toMatchGoldn" is not exported by xenarc/jest. Did you mean "toMatchGolden"?

  model.ts:2:3
    1 | import {
  > 2 |   toMatchGoldn,
      |   ^
    3 | } from "xenarc/jest";
    4 |"
`);
  });
  test("an error thrown as the file runs", async () => {
    expect(
      await refusal(
        project({
          "model.ts": 'import { check } from "./check.js";\n\nexport const size: number = check(3);\n',
          "check.ts":
            "export function check(n: number): number {\n  if (n % 2 === 1) throw new RangeError('odd');\n  return n;\n}\n",
        }),
      ),
    ).toMatchInlineSnapshot(`
"ROOT/model.ts failed as it was loaded. RangeError: odd.

  check.ts:2:26
    1 | export function check(n: number): number {
  > 2 |   if (n % 2 === 1) throw new RangeError('odd');
      |                          ^
    3 |   return n;
    4 | }

  model.ts:3:29
    1 | import { check } from "./check.js";
    2 |
  > 3 | export const size: number = check(3);
      |                             ^"
`);
  });
  test("something thrown that is no error", async () => {
    expect(await refusal(project({ "model.ts": 'throw "no";\n' }))).toMatchInlineSnapshot(
      `"ROOT/model.ts failed as it was loaded. Thrown: no."`,
    );
  });
});
