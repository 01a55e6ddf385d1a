import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensurePython, ensureTpuCompiler, findPython } from "../../runtime-bridge/environment.js";
import { problem, temporaryFolder } from "./support.js";

const folder = temporaryFolder();
const saved = { ...process.env };
afterEach(() => {
  for (const name of ["XENARC_PYTHON", "XDG_CACHE_HOME", "PATH", "FAKE_VENV", "FAKE_PIP"]) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
});

/**
 * A Python that makes environments by copying itself and installs by saying so; what it did is in `log`.
 * Real environments take half a minute: the other tests of this folder run in one.
 */
function fakePython(version: string, name = "python3"): { path: string; log: string } {
  const bin = join(folder, `bin-${version}-${name}`);
  mkdirSync(bin, { recursive: true });
  const path = join(bin, name);
  const log = join(bin, "log");
  const script = `#!/bin/sh
case "$1 $2" in
  "-c "*) echo "${path}"; echo "${version}" ;;
  "-m venv")
    [ -n "$FAKE_VENV" ] && { echo "$FAKE_VENV"; exit 1; }
    echo venv >> "${log}"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip")
    echo pip >> "${log}"
    [ -n "$FAKE_PIP" ] && { echo "$FAKE_PIP"; exit 1; }
    echo "Collecting jax==0.10.2 (from -r x)"; sleep 0.3; echo "Collecting orbax-checkpoint==1"
    echo "Installing collected packages: jax" ;;
esac
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return { path, log };
}

let caches = 0;
/** The environment that a fake Python makes in an empty cache. */
function use(python: { path: string }): string {
  process.env.XENARC_PYTHON = python.path;
  process.env.XDG_CACHE_HOME = join(folder, `cache-${caches++}`);
  return process.env.XDG_CACHE_HOME;
}

describe("finding Python", () => {
  test("passes over names that do not run and versions that are too old", async () => {
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "python3.13"), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
    const good = fakePython("3.12.4", "python3");
    process.env.PATH = `${broken}:${join(good.path, "..")}`;
    expect(await findPython()).toEqual({ path: good.path, version: "3.12.4" });
  });

  test("says that there is none, or what is too old", async () => {
    process.env.PATH = join(folder, "nothing");
    expect(await problem(findPython)).toMatchInlineSnapshot(`
"There is no Python on this machine's path.
Expected: Python 3.11 or newer.
Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), or set XENARC_PYTHON to its path."
`);
    process.env.XENARC_PYTHON = fakePython("3.9.2").path;
    expect((await problem(findPython)).replaceAll(folder, "…")).toMatchInlineSnapshot(`
"XENARC_PYTHON is …/bin-3.9.2-python3/python3, which is Python 3.9.2.
Expected: Python 3.11 or newer.
Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), or set XENARC_PYTHON to its path."
`);
    process.env.XENARC_PYTHON = "/nowhere/python";
    expect(await problem(findPython)).toMatch("XENARC_PYTHON is /nowhere/python, which does not run.");
  });
});

describe("the environment", () => {
  test("is made once, with progress, whoever asks at the same time", async () => {
    const fake = fakePython("3.12.7");
    const cache = use(fake);
    const said: string[] = [];
    const onProgress = (line: string) => void said.push(line);
    const all = await Promise.all([1, 2, 3].map(() => ensurePython({ onProgress })));
    expect(new Set(all.map(({ python }) => python)).size).toBe(1);
    expect(all[0]?.python).toMatch(/xenarc\/python-[0-9a-f]{16}\/bin\/python$/);
    expect(readFileSync(fake.log, "utf8")).toBe("venv\npip\n");
    await ensurePython();
    expect(readFileSync(fake.log, "utf8")).toBe("venv\npip\n");
    expect(said).toContain("making a Python 3.12.7 environment");
    expect(said.find((line) => line.includes("orbax"))).toMatch(
      /^installing Python packages 2\/\d\d orbax-checkpoint$/,
    );
    expect(readdirSync(join(cache, "xenarc"))).toEqual([expect.stringMatching(/^python-/)]);
  });

  test("is another for another Python or further locks", async () => {
    use(fakePython("3.12.1"));
    const first = (await ensurePython()).python;
    process.env.XENARC_PYTHON = fakePython("3.13.0").path;
    expect((await ensurePython()).python).not.toBe(first);
    const lock = join(folder, "more.lock");
    writeFileSync(lock, "optax==1 --hash=sha256:0\n");
    process.env.XENARC_PYTHON = fakePython("3.12.1").path;
    expect((await ensurePython({ extraLocks: [lock] })).python).not.toBe(first);
    expect((await ensurePython()).python).toBe(first);
  });

  test("is made anew when it is half-made", async () => {
    const fake = fakePython("3.12.8");
    use(fake);
    const { python } = await ensurePython();
    rmSync(join(python, "../../xenarc-ready"));
    writeFileSync(join(python, "../../left-over"), "");
    await ensurePython();
    expect(readFileSync(fake.log, "utf8")).toBe("venv\npip\nvenv\npip\n");
    expect(existsSync(join(python, "../../left-over"))).toBe(false);
  });

  test("the TPU compiler has a folder of its own, made once", async () => {
    const fake = fakePython("3.12.5");
    use(fake);
    const python = await ensurePython();
    const lines: string[] = [];
    const onProgress = (line: string) => lines.push(line);
    const [first, second] = await Promise.all([1, 2].map(() => ensureTpuCompiler(python, onProgress)));
    expect(first).toBe(second);
    expect(first).toMatch(/xenarc\/tpu-[0-9a-f]{16}$/);
    expect(readFileSync(fake.log, "utf8")).toBe("venv\npip\npip\n");
    // Either may come first.
    expect(lines.filter((line) => line === "installing the TPU compiler (libtpu, 213 MB)")).toHaveLength(1);
  });

  const failures: [name: string, env: Record<string, string>, expected: RegExp][] = [
    [
      "no venv",
      { FAKE_VENV: "Error: ensurepip is not available" },
      /lacks its `venv` module.*sudo apt install python3-venv/s,
    ],
    [
      "no network",
      { FAKE_PIP: "ERROR: NewConnectionError: Temporary failure in name resolution" },
      /could not be downloaded.*HTTPS_PROXY/s,
    ],
    [
      "a full disk",
      { FAKE_PIP: "ERROR: Could not install: [Errno 28] No space left on device" },
      /The disk is full.*XDG_CACHE_HOME/s,
    ],
    [
      "another package than was locked",
      { FAKE_PIP: "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" },
      /its hash differs/,
    ],
    [
      "anything else",
      { FAKE_PIP: "ERROR: No matching distribution found for jax" },
      /No matching distribution found for jax/,
    ],
  ];
  test.each(failures)("%s is said, and nothing half-made stays", async (_, env, expected) => {
    const cache = use(fakePython("3.12.9"));
    Object.assign(process.env, env);
    expect(await problem(() => ensurePython())).toMatch(expected);
    expect(readdirSync(join(cache, "xenarc"))).toEqual([]);
  });

  test("a cache that cannot be written is said", async () => {
    const fake = fakePython("3.12.9");
    use(fake);
    process.env.XDG_CACHE_HOME = fake.path; // a file where a folder is expected
    expect(await problem(() => ensurePython())).toMatch(/cache folder .* cannot be written \(ENOTDIR\)/);
  });
});
