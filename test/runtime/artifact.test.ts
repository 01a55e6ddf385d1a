import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readManifest, readProgram, writeArtifact } from "../../emit/artifact.js";
import { compileOptionsBytes } from "../../emit/compile_options.js";
import { inspect } from "../../runtime-bridge/bridge.js";
import { doubling, problem, python, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
let count = 0;

/** A fresh artifact, altered; its path. */
async function altered(change: (path: string) => void): Promise<string> {
  const path = join(folder, `altered-${count++}`);
  await writeArtifact(path, doubling);
  change(path);
  return path;
}

const edit = (change: (manifest: any) => void) => (path: string) => {
  const file = join(path, "manifest.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  change(manifest);
  writeFileSync(file, JSON.stringify(manifest));
};

describe("writing", () => {
  test("gives the same bytes whatever the order of the configuration's keys", async () => {
    const [a, b] = [join(folder, "a"), join(folder, "b")];
    await writeArtifact(a, doubling);
    await writeArtifact(b, { ...doubling, config: { model: { a: [2, null], z: 1 } } });
    for (const file of ["manifest.json", "programs/forward.mlir", "programs/forward.options.pb"]) {
      expect(readFileSync(join(a, file))).toEqual(readFileSync(join(b, file)));
    }
  });

  test("can be read back", async () => {
    const path = join(folder, "read");
    const written = await writeArtifact(path, doubling);
    expect(await readManifest(path)).toEqual(written);
    expect(await readProgram(path, written, "forward")).toBe(doubling.programs[0]?.text);
    await expect(readProgram(path, written, "backward")).rejects.toThrow("no entry point `backward`");
  });

  test("replaces an artifact, leaves nothing beside it, and refuses a folder that holds something else", async () => {
    const path = join(folder, "sub", "again");
    mkdirSync(join(folder, "sub"));
    await writeArtifact(path, doubling);
    await writeArtifact(path, { ...doubling, name: "other" });
    expect((await readManifest(path)).name).toBe("other");
    expect(readdirSync(join(folder, "sub"))).toEqual(["again"]);
    const precious = join(folder, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "thesis.txt"), "");
    expect(await problem(() => writeArtifact(precious, doubling))).toMatch("not an artifact and not empty");
    expect(readdirSync(precious)).toEqual(["thesis.txt"]);
  });

  test("refuses a file in the folder's place, or above it", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const path of [file, join(file, "in", "it")]) {
      await expect(writeArtifact(path, doubling)).rejects.toMatchObject({
        message: expect.stringContaining("it is not a folder"),
        fault: "usage",
      });
    }
  });

  // /proc answers as if it were not there itself.
  (existsSync("/proc/self") ? test : test.skip)("says at once that no folder can be made", async () => {
    await expect(writeArtifact("/proc/x", doubling)).rejects.toMatchObject({
      message: expect.stringMatching(/^The artifact cannot be written to \/proc\/x: the system says "ENOENT/),
      fault: "environment",
    });
  });
});

describe("an artifact that is wrong is refused by TypeScript and by Python, in words", () => {
  const escape = (file: string) => edit((manifest) => Object.assign(manifest.programs.forward, { file }));
  const cases: [name: string, change: (path: string) => void, typescript: RegExp | undefined, python: RegExp][] = [
    ["no manifest", (p) => renameSync(join(p, "manifest.json"), join(p, "m")), /not an artifact/, /not an artifact/],
    ["no JSON", (p) => writeFileSync(join(p, "manifest.json"), "{"), /not JSON/, /is damaged/],
    ["a newer schema", edit((m) => Object.assign(m, { schema: 2 })), /newer xenarc/, /schema 2/],
    ["a lacking key", edit((m) => delete m.programs.forward.sha256), /programs.forward.sha256/, /lacks 'sha256'/],
    [
      "an altered file",
      (p) => writeFileSync(join(p, "programs/forward.mlir"), "x"),
      /SHA-256 differs/,
      /SHA-256 differs/,
    ],
    ["a path upwards", escape("../secret"), /inside the artifact/, /not a path inside/],
    ["a hidden path upwards", escape("programs/../../secret"), /inside the artifact/, /not a path inside/],
    ["an absolute path", escape("/etc/passwd"), /inside the artifact/, /not a path inside/],
    ["a missing file", escape("programs/none.mlir"), /lacks its file/, /lacks its file/],
    [
      "a symbolic link",
      (p) => {
        renameSync(join(p, "programs"), join(p, "elsewhere"));
        symlinkSync(join(p, "elsewhere"), join(p, "programs"));
      },
      /symbolic link/,
      /symbolic link/,
    ],
    [
      "ports that are not the program's",
      edit((m) => Object.assign(m.programs.forward.inputs[0], { shape: [4] })),
      undefined, // only MLIR can tell: it is the runtime that reads the program
      /inputs of `forward` are not those of its program/,
    ],
  ];
  let paths: string[];
  let refused: string[];
  beforeAll(async () => {
    paths = await Promise.all(cases.map(([, change]) => altered(change)));
    refused = JSON.parse(await python("load_artifacts.py", ...paths));
  });
  test.each(cases.map((each, index) => [each[0], index] as const))("%s", async (_, index) => {
    const [, , typescript, python] = cases[index] as (typeof cases)[number];
    if (typescript) expect(await problem(() => readManifest(paths[index] as string))).toMatch(typescript);
    expect(refused[index]).toMatch(python);
  });

  test("the whole one is not", async () => {
    const path = join(folder, "whole");
    await writeArtifact(path, doubling);
    const hlo = join(folder, "hlo");
    const compiled = await inspect({ artifact: path, hlo });
    expect(compiled).toMatchObject([{ program: "forward", memory: { arguments: 12, aliased: 0 } }]);
    expect(readFileSync(join(hlo, "forward.hlo.txt"), "utf8")).toMatch(/^HloModule/);
  });
});

describe("compile options", () => {
  const parsed = async (...args: Parameters<typeof compileOptionsBytes>) =>
    JSON.parse(await python("read_options.py", Buffer.from(compileOptionsBytes(...args)).toString("hex")));

  test("are what jaxlib reads", async () => {
    expect(await parsed()).toEqual({
      replicas: 1,
      partitions: 1,
      spmd: false,
      shardy: true,
      assignment: null,
      overrides: [],
    });
    const flags = { xla_c: "text", xla_b: 3, xla_a: true, xla_d: 0.5 };
    expect(
      await parsed({
        replicas: 2,
        partitions: 3,
        deviceAssignment: [
          [0, 1, 2],
          [5, 4, 3],
        ],
        flags,
      }),
    ).toEqual({
      replicas: 2,
      partitions: 3,
      spmd: true,
      shardy: true,
      assignment:
        "DeviceAssignment{replica_count=2, computation_count=3, Computation0{0 5} Computation1{1 4} Computation2{2 3}}",
      overrides: [
        ["xla_a", true],
        ["xla_b", 3],
        ["xla_c", "text"],
        ["xla_d", 0.5],
      ],
    });
  });

  test("have the same bytes for flags in any order", () => {
    const bytes = (flags: Record<string, number>) => compileOptionsBytes({ flags });
    expect(bytes({ xla_a: 1, xla_b: 2 })).toEqual(bytes({ xla_b: 2, xla_a: 1 }));
  });

  test("refuse an assignment of another size", () => {
    expect(() => compileOptionsBytes({ partitions: 2, deviceAssignment: [[0]] })).toThrow("1 x 2");
  });
});
