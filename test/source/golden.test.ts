/** The matcher's behaviour under jest's own flags, in child runs of jest with the preset that users get. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

// Inside the repository, so that the child's tests resolve the matcher and jest's globals as this one does.
mkdirSync(".xenarc", { recursive: true });
const root = mkdtempSync(resolve(".xenarc/golden-"));
const golden = join(root, "__golden__/toy.mlir");
afterAll(() => rmSync(root, { recursive: true, force: true }));

writeFileSync(join(root, "package.json"), '{ "type": "module" }');
writeFileSync(
  join(root, "jest.config.mjs"),
  `import preset from ${JSON.stringify(resolve(".xenarc/jest/jest-preset.js"))};
  export default { ...preset, setupFilesAfterEnv: [${JSON.stringify(resolve("emit/golden.ts"))}] };`,
);

/** Runs one test with this body; gives whether it passed and what jest printed. */
function jest(body: string, ...flags: string[]): { passed: boolean; text: string } {
  writeFileSync(join(root, "toy.test.ts"), `test("toy", async () => {\n${body}\n});\n`);
  const args = ["--experimental-vm-modules", "--no-warnings", resolve("node_modules/jest/bin/jest.js"), "--runInBand"];
  const env = { ...process.env, CI: "", NO_COLOR: "1", FORCE_COLOR: "0" };
  const { status, stderr } = spawnSync(process.execPath, [...args, "--ci=false", ...flags], {
    cwd: root,
    encoding: "utf8",
    env,
  });
  return { passed: status === 0, text: stderr };
}

const program = Array.from({ length: 20 }, (_, i) => `  %${i} = stablehlo.add %a, %b`).join("\n");

test("a missing file is written, then compared; a difference is shown with what to do; -u rewrites", () => {
  const first = jest(`expect(${JSON.stringify(program)}).toMatchGolden("toy")`);
  expect(first.passed).toBe(true);
  expect(first.text).toContain("1 snapshot written");
  expect(readFileSync(golden, "utf8")).toBe(`${program}\n`);

  expect(jest(`expect({ text: ${JSON.stringify(program)} }).toMatchGolden("toy")`, "--ci").passed).toBe(true);

  const changed = program.replace("%10 = stablehlo.add", "%10 = stablehlo.multiply");
  const differs = jest(`expect(${JSON.stringify(changed)}).toMatchGolden("toy")`);
  expect(differs.passed).toBe(false);
  expect(differs.text).toContain("The program differs from __golden__/toy.mlir");
  expect(differs.text).toContain("-   %10 = stablehlo.add %a, %b");
  expect(differs.text).toContain("+   %10 = stablehlo.multiply %a, %b");
  expect(differs.text).toContain("run jest with --updateSnapshot (-u)");
  expect(differs.text).toContain("@@ -7,9 +7,9 @@");
  expect(readFileSync(golden, "utf8")).toBe(`${program}\n`);

  const updated = jest(`expect(${JSON.stringify(changed)}).toMatchGolden("toy")`, "-u");
  expect(updated.passed).toBe(true);
  expect(updated.text).toContain("1 snapshot updated");
  expect(readFileSync(golden, "utf8")).toBe(`${changed}\n`);
});

test("under --ci nothing is written", () => {
  const result = jest('expect("module {}").toMatchGolden("absent")', "--ci");
  expect(result.passed).toBe(false);
  expect(result.text).toContain("__golden__/absent.mlir does not exist, and --ci writes none.");
  expect(existsSync(join(root, "__golden__/absent.mlir"))).toBe(false);
});

test("several programs are one file", () => {
  const body =
    'await expect(Promise.resolve({ programs: { init: "module {}", step: { text: "module {}\\n" } } })).resolves.toMatchGolden("two")';
  expect(jest(body).passed).toBe(true);
  expect(readFileSync(join(root, "__golden__/two.mlir"), "utf8")).toBe(
    "// init\nmodule {}\n\n// -----\n\n// step\nmodule {}\n",
  );
});

test("what cannot be meant is refused", () => {
  expect(jest('expect("x").not.toMatchGolden("toy")').text).toContain(".not says nothing");
  expect(jest('expect("x").toMatchGolden("../toy")').text).toContain("cannot be a file name");
  expect(jest('expect(Promise.resolve("x")).toMatchGolden("toy")').text).toContain("which holds no program");
});
