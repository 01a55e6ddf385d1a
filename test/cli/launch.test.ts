/** Launching: what would be sent, written and run, word for word; that it is valid; that it is what is run. */
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { folder, SLOW, TEXT, xenarc } from "./command.js";

const TARGETS = { chips: "tpu:v5e:2x2", pod: "tpu:v5p:4x4x4", slices: "tpu:v6e:4x4,slices=2", cpus: "cpu:8" };
const model = { layers: 1, heads: 2, embed: 64, context: 16 };

let cwd: string;
beforeAll(async () => {
  cwd = folder({ "text.txt": TEXT });
  for (const [name, target] of Object.entries(TARGETS)) {
    const config = { model, target, train: { batch: 128 } };
    await (await compile(charTransformer, config, { only: ["train_step"], locations: false })).write(join(cwd, name));
  }
}, SLOW);

const launch = (...args: string[]) => xenarc({ cwd }, "launch", ...args);

/** The text of a file in what `--dry-run` prints. */
const fileIn = (out: string, path: string): string => out.split(`# ${path}\n`)[1]!.split(/\n\n# (?:\.xenarc|then)/)[0]!;

/** Has bash read a script without running it; what it has against it. */
const syntaxErrors = async (script: string): Promise<string> =>
  (await execa("bash", ["-n"], { input: script, reject: false })).stderr;

const DATA = ["--data", "text.txt", "--dry-run"];
const PLACES: Readonly<Record<string, string[]>> = {
  "a TPU VM": ["chips", "--tpu", "my-tpu", "--zone", "us-west4-a", ...DATA],
  "a pod slice": [
    ...["pod", "--tpu", "my-pod", "--zone", "us-east5-a", "--project", "my-project"],
    ...["--run", "/mnt/runs/first one", "--restarts", "5", "--watchdog", "900", ...DATA],
  ],
  GKE: [
    "slices",
    "--gke",
    "--bucket",
    "gs://my-bucket",
    "--namespace",
    "research",
    "--service-account",
    "trainer",
    ...DATA,
  ],
  SLURM: ["cpus", "--slurm", "--nodes", "4", "--partition", "cpu", "--time", "8:00:00", "--name", "first", ...DATA],
  xpk: ["slices", "--xpk", "my-cluster", "--zone", "us-east5-b", "--run", "/mnt/runs/first", ...DATA],
};

test.each(Object.entries(PLACES))("--dry-run on %s", async (_, args) => {
  const { code, out, err } = await launch(...args);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatchSnapshot();
  const name = args.includes("first") && args.includes("--name") ? "first" : "char-transformer";
  expect(await syntaxErrors(fileIn(out, `.xenarc/launch/${name}/host.sh`))).toBe("");
  if (out.includes(".sbatch")) expect(await syntaxErrors(fileIn(out, `.xenarc/launch/${name}.sbatch`))).toBe("");
  expect(existsSync(join(cwd, ".xenarc/launch"))).toBe(false);
});

test("the JobSet has a job for each slice and a pod for each host", async () => {
  const { out } = await launch(...PLACES.GKE!);
  const { spec } = parse(fileIn(out, ".xenarc/launch/char-transformer.yaml"));
  const [slice] = spec.replicatedJobs;
  const { parallelism, completions, template } = slice.template.spec;
  // 2 slices of 4x4 = 16 chips, 4 to a host.
  expect([slice.replicas, parallelism, completions]).toEqual([2, 4, 4]);
  expect(template.spec.containers[0].resources.limits).toEqual({ "google.com/tpu": 4 });
  const { code, out: alone } = await launch(...PLACES.GKE!.filter((word) => word !== "--dry-run"), "--out", "-");
  expect([code, parse(alone).spec]).toEqual([0, spec]);
});

/** Programs of these names that write down how they are called, first on the path. */
function programs(names: readonly string[], script = ""): { bin: string; calls: () => string[] } {
  const bin = folder();
  for (const name of names) {
    const text = `#!/bin/bash\nprintf '%s\\n' "$(basename "$0") $*" >> "${bin}/calls"\n${script}\n`;
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
  const calls = () => readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
  return { bin, calls };
}

test("what is printed is what is run", async () => {
  const args = PLACES["a TPU VM"]!;
  const { out: plan } = await launch(...args);
  const { bin, calls } = programs(["gcloud"]);
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const { code, out, err } = await xenarc({ cwd, env }, "launch", ...args.filter((word) => word !== "--dry-run"));
  expect([code, err]).toEqual([0, ""]);
  const printed = plan.split("# then\n")[1]!.split("\n\n")[0]!.split("\n");
  expect(out.match(/^\$ .*$/gm)).toEqual(printed.map((line) => `$ ${line}`));
  const unquoted = (line: string) => line.replace(/'([^']*)'/g, "$1");
  expect(calls()).toEqual(printed.filter((line) => line.startsWith("gcloud")).map(unquoted));
  const { stdout } = await execa("tar", ["-tzf", join(cwd, ".xenarc/launch/char-transformer.tgz")]);
  const sent = stdout.split("\n");
  for (const file of [
    "host.sh",
    "artifact/manifest.json",
    "data/text.txt",
    "requirements.lock",
    "xenarc_runtime/train.py",
  ]) {
    expect(sent).toContain(`char-transformer/${file}`);
  }
  expect(stdout).not.toContain("__pycache__");
}, 60_000);

test("a host makes its environment once, trains, goes on after a crash, and not after a mistake", async () => {
  const { out } = await launch(...PLACES["a pod slice"]!, "--run", "run");
  const host = folder({ "host.sh": fileIn(out, ".xenarc/launch/char-transformer/host.sh") });
  for (const lock of ["requirements.lock", "requirements-hosts.lock", "requirements-tpu.lock"]) {
    writeFileSync(join(host, lock), lock);
  }
  // Makes copies of itself for environments; the trainings end with the codes of a list.
  const { bin, calls } = programs(
    ["python3.13"],
    `case "$*" in
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  *" train "*) code=$(head -n 1 "$CODES"); sed -i 1d "$CODES"; exit "$code" ;;
esac`,
  );
  const run = async (codes: string) => {
    writeFileSync(join(bin, "codes"), codes);
    writeFileSync(join(bin, "calls"), "");
    const env = {
      PATH: `${bin}:/usr/bin:/bin`,
      CODES: join(bin, "codes"),
      XDG_CACHE_HOME: join(host, "cache"),
      HOME: host,
    };
    const { exitCode } = await execa("bash", [join(host, "host.sh")], { env, extendEnv: false, reject: false });
    const said = calls();
    return {
      exitCode,
      made: said.filter((c) => / -m (venv|pip) /.test(c)),
      trained: said.filter((c) => / train /.test(c)),
    };
  };
  const first = await run("134\n3\n0\n");
  expect(first.exitCode).toBe(0);
  expect(
    first.made.map((call) => call.replaceAll(host, "HOST").replace(/host-\w{16}/, "host-HASH")),
  ).toMatchInlineSnapshot(`
[
  "python3.13 -m venv HOST/cache/xenarc/host-HASH",
  "python -m pip install --quiet --require-hashes --no-input --disable-pip-version-check --requirement=requirements.lock --requirement=requirements-hosts.lock --requirement=requirements-tpu.lock",
]
`);
  expect(first.trained).toEqual(
    Array(3).fill("python -m xenarc_runtime train artifact --run=run --resume --watchdog=900 --data=data/text.txt"),
  );
  expect(readdirSync(host)).toContain("run");
  const mistaken = await run("1\n0\n");
  expect([mistaken.exitCode, mistaken.made, mistaken.trained.length]).toEqual([1, [], 1]);
  const hopeless = await run("3\n".repeat(9));
  expect([hopeless.exitCode, hopeless.trained.length]).toEqual([3, 6]);
});

test("a host that is told to stop tells the training, waits for it, and does not start it again", async () => {
  const { out } = await launch(...PLACES.SLURM!, "--run", "run");
  const host = folder({ "host.sh": fileIn(out, ".xenarc/launch/first/host.sh"), "requirements.lock": "" });
  const { bin, calls } = programs(
    ["python3.13"],
    `case "$*" in
  "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  *" train "*) trap 'sleep 0.5; echo saved >> "$(dirname "$CALLS")/calls"; exit 0' TERM; touch "$CALLS"; while :; do sleep 0.1; done ;;
esac`,
  );
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    CALLS: join(bin, "started"),
    XDG_CACHE_HOME: join(host, "cache"),
    HOME: host,
  };
  const child = execa("bash", [join(host, "host.sh")], { env, extendEnv: false, reject: false });
  const began = performance.now();
  while (!existsSync(join(bin, "started")) && performance.now() - began < 20_000)
    await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGTERM");
  const { exitCode, stderr } = await child;
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(calls().at(-1)).toBe("saved");
});

test("a program that is not there is said before anything is done", async () => {
  const bin = folder();
  for (const name of ["which", "tar", "bash"]) symlinkSync((await execa("which", [name])).stdout, join(bin, name));
  const there = folder({ "text.txt": TEXT });
  const { code, err } = await xenarc(
    { cwd: there, env: { PATH: bin } },
    ...["launch", join(cwd, "chips"), "--tpu", "my-tpu", "--zone", "us-west4-a", "--data", "text.txt"],
  );
  expect(code).toBe(3);
  expect(err).toBe(
    "error: gcloud is not installed here.\n\n" +
      "Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install, then: gcloud auth login\n",
  );
  expect(existsSync(join(there, ".xenarc"))).toBe(false);
});

test("a command that fails ends the launch", async () => {
  const { bin } = programs(["gcloud"], "exit 4");
  const env = { PATH: `${bin}:${process.env.PATH}` };
  const { code, err } = await xenarc(
    { cwd, env },
    "launch",
    ...PLACES["a TPU VM"]!.filter((word) => word !== "--dry-run"),
  );
  expect(code).toBe(3);
  expect(err).toMatch(/^error: `gcloud compute tpus tpu-vm scp .*` ended with code 4\.\n/);
});

describe("mistakes", () => {
  const cases: [args: string[], message: string][] = [
    [["chips"], "There is no word of where to launch it."],
    [["chips", "--slurm", "--gke"], "--gke and --slurm are different places."],
    [["chips", "--tpu", "my-tpu", ...DATA], "--tpu needs --zone."],
    [["chips", "--tpu", "My_TPU", "--zone", "us-west4-a", ...DATA], "--tpu My_TPU: there can be no such name."],
    [["chips", "--tpu", "my-tpu", "--zone", "mars", ...DATA], "--zone mars: there can be no such name."],
    [
      ["pod", "--tpu", "my-tpu", "--zone", "us-west4-a", ...DATA],
      "The 16 hosts of tpu:v5p:4x4x4 need a folder that all",
    ],
    [
      ["slices", "--tpu", "my-tpu", "--zone", "us-west4-a", ...DATA],
      "tpu:v6e:4x4,slices=2 has 2 slices; a TPU VM is one.",
    ],
    [["cpus", "--gke", "--bucket", "b-1", ...DATA], "cpus was compiled for cpu:8, and the JobSet has TPUs."],
    [["cpus", "--slurm", "--nodes", "3", ...DATA], "The artifact is for 8 devices, which 3 nodes cannot share evenly."],
    [["slices", "--xpk", "c", "--zone", "us-east5-b", ...DATA], "The pods need a folder that all of them see"],
    [["chips", "--gke", "--bucket", "b-1", "--dry-run"], "There is no text to train on."],
    [["chips", "--gke", "--bucket", "b-1", "--data", "nowhere"], "There is no file or folder nowhere here."],
    [["nowhere", "--slurm", ...DATA], "There is no folder nowhere."],
    [["--slurm", ...DATA], "There is no artifact in artifacts/ here."],
  ];
  test.each(cases)("%j", async (args, message) => {
    const { code, out, err } = await launch(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

test("the hosts' lock file is what jax needs there, each package with its hashes", () => {
  const lock = readFileSync("runtime-bridge/python/requirements-hosts.lock", "utf8");
  const packages = [...lock.matchAll(/^([\w-]+)==\S+ \\$/gm)].map(([, name]) => name);
  expect(packages).toEqual(["certifi", "charset-normalizer", "idna", "requests", "urllib3"]);
  for (const block of lock.split(/^(?=[\w-]+==)/m).filter(Boolean)) expect(block).toContain("--hash=sha256:");
});
