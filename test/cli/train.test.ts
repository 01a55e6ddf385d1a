/** From a model to text: compile, train, interrupt, resume, generate, run, inspect. */
import type { ChildProcess } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { folder, project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

let cwd: string;
const call = (...args: string[]) => xenarc({ cwd }, ...args);
const file = (...path: string[]): string => join(cwd, ...path);
beforeAll(() => {
  cwd = project({ "text.txt": TEXT });
});

/** Sends the signal of Ctrl-C when what was written is as far as that. */
function interruptOnce(ready: (said: string) => boolean): (said: string, child: ChildProcess) => void {
  let sent = false;
  return (said, child) => {
    if (sent || !ready(said)) return;
    sent = true;
    child.kill("SIGINT");
  };
}

test(
  "compile shows a summary, the same for scripts, and writes the same bytes twice",
  async () => {
    const { code, out, err } = await call("compile", ...SMALL, "-o", "a");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^char-transformer compiled to a in \d/);
    for (const row of ["parameters ", "FLOPs a token", "program ", "init ", "train_step ", "decode_step ", "all "]) {
      expect(out).toContain(`\n  ${row}`);
    }
    const json = JSON.parse((await call("compile", ...SMALL, "-o", "b", "--json")).out);
    expect(json).toMatchObject({ name: "char-transformer", artifact: "b", config: { train: { steps: 6 } } });
    expect(json.parameters).toBeGreaterThan(1000);
    expect(json.programs.train_step.lines).toBeGreaterThan(100);
    expect(json.flopsPerToken.training).toBeGreaterThan(json.flopsPerToken.forward);
    for (const name of ["manifest.json", ...readdirSync(file("a/programs")).map((f) => `programs/${f}`)]) {
      expect(readFileSync(file("a", name)).equals(readFileSync(file("b", name)))).toBe(true);
    }
  },
  SLOW,
);

test(
  "compile --canonical --no-locations numbers the values and leaves the sources out",
  async () => {
    await call("compile", ...SMALL, "--canonical", "--no-locations", "-o", "c");
    const text = readFileSync(file("c/programs/forward.mlir"), "utf8");
    expect(text).toMatch(/%0 = stablehlo/);
    expect(text).not.toContain("loc(");
  },
  SLOW,
);

test(
  "config prints what can be read again, and where each value came from",
  async () => {
    const { out } = await call("config", "train.steps=7");
    expect(out).toMatch(/^ {2}steps: 7 +# argument$/m);
    expect(out).toMatch(/^ {2}context: 64 +# config\.yaml:\d+$/m);
    expect(out).toMatch(/^ {2}keep: 2 +# default$/m);
    writeFileSync(file("printed.yaml"), out);
    const again = await call("config", "-c", "printed.yaml");
    expect(parse(again.out)).toEqual(parse(out));
  },
  SLOW,
);

test(
  "inspect shows entry points, operations and parameters; `| head` ends it in peace",
  async () => {
    const { code, out } = await call("inspect", "a");
    expect(code).toBe(0);
    expect(out).toMatch(/^train_step {2}[\d,]+ lines/m);
    expect(out).toMatch(/<- {2}tokens +i32\[accumulation=1, batch=2, window=17\] +batch/);
    expect(out).toMatch(/dot_general \d+/);
    expect(out).toMatch(/^ {2}tokens\/weight +f32\[vocab=256, embed=8\] +2,048 +8\.19 kB$/m);
    const json = JSON.parse((await call("inspect", "a", "--json")).out);
    const table = json.parameterTensors as { shape: number[] }[];
    expect(table.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(json.parameters);
    expect(json.programs.forward.ops.dot_general).toBeGreaterThan(1);
    const head = await xenarc({ cwd, watch: (_, child) => child.stdout!.destroy() }, "inspect", "a");
    expect([head.code, head.err]).toEqual([0, ""]);
  },
  SLOW,
);

test(
  "train, and all that follows from it",
  async () => {
    const { code, out, err } = await call("train", ...SMALL, "--data", "text.txt");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^char-transformer {2}[\d,]+ parameters, \d+ programs compiled in/);
    expect(out).toMatch(/^step 6\/6 {2}loss \d+\.\d{4}/m);
    expect(out).toMatch(/^step 3 {2}loss \d+\.\d{4} {2}validation \d+\.\d{4}$/m);
    expect(out).toContain("─ training  ● validation");
    expect(out).toMatch(/^ {2}checkpoint {2}runs\/char-transformer\/checkpoints\/6$/m);
    expect(out).toContain('Generate text with: xenarc generate --prompt "The "');
    expect(readFileSync(file("runs/char-transformer/loss.png")).subarray(1, 4).toString()).toBe("PNG");

    const twice = await call("train", ...SMALL, "--data", "text.txt");
    expect(twice.code).toBe(2);
    expect(twice.err).toContain("runs/char-transformer has a trained model already, saved at step 6.");

    const eventsOf = ({ out }: { out: string }) =>
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    // By its folder alone: where it lies, and not as another run of the same name.
    cpSync(file("runs/char-transformer"), file("runs/moved"), { recursive: true });
    const moved = eventsOf(await call("train", "runs/moved", "--resume", "--json"));
    expect(moved.find(({ event }) => event === "start")).toMatchObject({ step: 6, steps: 6, resumed: true });
    const history = JSON.parse(readFileSync(file("runs/moved/run.json"), "utf8")).starts;
    expect(history).toHaveLength(2);
    expect(history[1].command.source).toEqual(history[0].command.source);

    // On the data that it was trained on, though nothing is said of it.
    const longer = await call("train", ...SMALL, "train.steps=8", "--resume", "--json");
    const { starts } = JSON.parse(readFileSync(file("runs/char-transformer/run.json"), "utf8"));
    expect(starts).toHaveLength(2);
    expect(starts[1].data).toEqual(starts[0].data);
    const events = eventsOf(longer);
    expect(events.find(({ event }) => event === "start")).toMatchObject({ step: 6, steps: 8, resumed: true });
    expect(events.at(-1)).toMatchObject({ event: "done", step: 8, interrupted: false });

    const other = await call("train", ...SMALL, "model.embed=16", "--data", "text.txt", "--resume");
    expect(other.code).toBe(1);
    expect(other.err).toContain("The model is not the one that was trained: `params/tokens/weight` is f32[256, 8] in");
    expect(other.err).toContain("Resume with the settings that it was trained with (--config FILE; model.embed=8)");

    const kept = readFileSync(file("runs/char-transformer/artifact/manifest.json"), "utf8");
    for (const [from, said] of [
      ["runs/char-transformer", "runs/char-transformer/checkpoints/8 belongs to runs/char-transformer itself."],
      ["runs/char-transformers", "There is no file or folder runs/char-transformers."],
    ] as const) {
      const anew = await call("train", ...SMALL, "--data", "text.txt", "--overwrite", "--from", from);
      expect([anew.code, anew.err]).toEqual([1, expect.stringContaining(said)]);
    }
    expect(readFileSync(file("runs/char-transformer/artifact/manifest.json"), "utf8")).toBe(kept);

    const sample = ["-n", "12", "--prompt", "To be", "--seed", "3"];
    const text = await call("generate", ...sample);
    expect([text.code, text.err]).toEqual([0, ""]);
    expect(text.out.startsWith("To be")).toBe(true);
    const json = JSON.parse((await call("generate", ...sample, "--json")).out);
    expect(json).toMatchObject({ prompt: "To be", tokens: 12, reason: "length" });
    expect(text.out).toBe(`To be${json.text}\n`);

    const traced = await call(
      "generate",
      ...sample,
      "-n",
      "20",
      "--temperature",
      "1",
      "--trace",
      "t/o.jsonl",
      "--top",
      "3",
    );
    const plain = await call("generate", ...sample, "-n", "20", "--temperature", "1");
    expect([traced.code, traced.err, traced.out]).toEqual([0, "", plain.out]);
    const lines = readFileSync(file("t/o.jsonl"), "utf8").trim().split("\n");
    const tokens = lines.map((line) => JSON.parse(line));
    expect(`To be${tokens.map(({ text }) => text).join("")}\n`).toBe(plain.out);
    expect(tokens.map(({ position }) => position)).toEqual(Array.from({ length: 20 }, (_, i) => 5 + i));
    // The context of 16 is full after 16 tokens, and is filled anew with its last half and the new token.
    expect(tokens.map(({ first }) => first)).toEqual([...Array(12).fill(0), ...Array(8).fill(8)]);
    for (const { position, first, top, attention, activations } of tokens) {
      expect([top.length, activations["blocks/mlp"].rms.length]).toEqual([3, 1]);
      const [[{ keys }]] = attention["blocks/attention"];
      expect(keys.every(([key]: [number]) => key >= first && key < position)).toBe(true);
    }

    // safetensors: the header's length, the header, the data.
    const header = JSON.stringify({ tokens: { dtype: "I32", shape: [1, 16], data_offsets: [0, 64] } });
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(file("in.safetensors"), Buffer.concat([size, Buffer.from(header), Buffer.alloc(64)]));
    const run = await call(
      "run",
      "runs/char-transformer",
      "forward",
      "--in",
      "in.safetensors",
      "--out",
      "out.safetensors",
    );
    expect([run.code, run.out]).toEqual([0, "out.safetensors\n  logits  f32[1, 16, 256]\n"]);
    expect(statSync(file("out.safetensors")).size).toBeGreaterThan(16 * 256 * 4);
  },
  SLOW,
);

test(
  "Ctrl-C ends training with a checkpoint, and says how to go on",
  async () => {
    const long = ["train", ...SMALL, "train.steps=1000000", "--data", "text.txt", "--run", "runs/long"];
    const watch = interruptOnce((said) => /^step +\d+\/1,000,000/m.test(said));
    const { code, out, err } = await xenarc({ cwd, watch }, ...long);
    expect([code, err]).toEqual([130, ""]);
    const step = /Interrupted at step ([\d,]+) of 1,000,000; a checkpoint was saved\./.exec(out)?.[1];
    expect(step).toBeDefined();
    expect(out).toContain(`Go on with: xenarc ${long.join(" ")} --resume`);
    expect(existsSync(file("runs/long/checkpoints", step!.replaceAll(",", "")))).toBe(true);
  },
  SLOW,
);

test(
  "Ctrl-C ends generation",
  async () => {
    const args = ["generate", "--run", "runs/char-transformer", "-n", "100000"];
    const { code } = await xenarc({ cwd, watch: interruptOnce((said) => said.length > 20) }, ...args);
    expect(code).toBe(130);
  },
  SLOW,
);

test(
  "an artifact is trained as it is",
  async () => {
    const there = folder({ "text.txt": TEXT });
    cpSync(file("a"), join(there, "artifact"), { recursive: true });
    const { code, out } = await xenarc({ cwd: there }, "train", "artifact", "--data", "text.txt", "--run", "r");
    expect(code).toBe(0);
    expect(out).toContain('xenarc generate --run r --prompt "The "');
    const described = ["config.yaml", "parameters.txt", "run.json"];
    const told = ["goodput.json", "log.txt", "loss.png", "metrics.jsonl", "performance.jsonl", "tensorboard"];
    expect(readdirSync(join(there, "r")).sort()).toEqual(["artifact", "checkpoints", ...described, ...told].sort());
  },
  SLOW,
);

test(
  "a text named in a YAML file is meant from there",
  async () => {
    const there = folder({ "text.txt": "not this one" });
    cpSync(cwd, join(there, "sub"), { recursive: true, filter: (path) => !path.includes("runs") });
    appendFileSync(join(there, "sub/config.yaml"), "\ndata:\n  path: text.txt\n");
    const { code, out } = await xenarc({ cwd: there }, "train", "sub", ...SMALL, "--json");
    expect(code).toBe(0);
    const [start] = out
      .split("\n")
      .map((line) => line && JSON.parse(line))
      .filter(({ event }) => event === "start");
    expect(start).toMatchObject({ data: "sub/text.txt", files: 1 });
    expect(JSON.parse((await xenarc({ cwd: there }, "eval", "--json")).out)).toMatchObject({ data: "sub/text.txt" });
  },
  SLOW,
);

test(
  "the quickstart, shortened",
  async () => {
    const { code, out, err } = await call("quickstart", ...SMALL, "-n", "20");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ {2}[\d,]{6,} bytes of text, [\d,]+ more for validation/m);
    expect(out).toContain("What it writes:\n\nThe ");
    expect(out).toContain("Your own model: ");
    expect(existsSync(file("runs/quickstart/loss.png"))).toBe(true);
    // It may be run again.
    expect((await call("quickstart", ...SMALL, "-n", "20", "--data", "text.txt")).code).toBe(0);
  },
  SLOW,
);

test(
  "doctor finds everything",
  async () => {
    const { code, out } = await call("doctor", "--json");
    expect(code).toBe(0);
    const { fine, checks } = JSON.parse(out);
    expect(fine).toBe(true);
    expect(checks.map(({ name }: { name: string }) => name)).toEqual([
      "Node",
      "esbuild",
      "Python",
      "packages",
      "devices",
    ]);
  },
  SLOW,
);
