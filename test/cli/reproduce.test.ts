/** A run's folder says what it was made of, and that is enough to repeat it. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readHistory } from "../../emit/history.js";
import { project, run, SLOW, SMALL, TEXT, xenarc } from "./command.js";

test(
  "a run is repeated from its folder alone, to the bit; changed data are named",
  async () => {
    const cwd = project();
    const file = (...path: string[]) => join(cwd, ...path);
    mkdirSync(file("corpus"));
    for (const name of ["a.txt", "b.txt"]) writeFileSync(file("corpus", name), TEXT);
    writeFileSync(file("width.ts"), "export const width = 8;\n");
    const model = readFileSync(file("model.ts"), "utf8");
    writeFileSync(file("model.ts"), `import { width } from "./width.js";\nconsole.assert(width === 8);\n${model}`);
    const git = (...words: string[]) => run({ cwd }, "git", "-c", "user.name=a", "-c", "user.email=a@b.c", ...words);
    await git("init", "-q");
    await git("add", "-A");
    await git("commit", "-qm", "first");
    appendFileSync(file("config.yaml"), "# not committed\n");

    const words = ["train", ...SMALL, "model.dropout=0.1", "--data", "corpus"];
    const trained = await xenarc({ cwd }, ...words);
    expect([trained.code, trained.err]).toEqual([0, ""]);
    const first = "runs/char-transformer";
    const [start, ...others] = readHistory(file(first)).starts;
    expect(others).toEqual([]);
    expect(start).toMatchObject({ step: 0, processes: 1, devices: { kind: "cpu", count: 1 } });
    expect(start.config).toMatchObject({ train: { seed: 1337, steps: 6 }, model: { dropout: 0.1 } });
    const sum = async (path: string) => (await run({ cwd }, "sha256sum", path)).out.split(" ")[0];
    expect(start.artifact).toBe(await sum(`${first}/artifact/manifest.json`));
    expect(start.command).toMatchObject({
      line: `xenarc ${words.join(" ")}`,
      directory: "../..",
      node: process.versions.node,
      git: { commit: (await git("rev-parse", "HEAD")).out.trim(), dirty: true },
    });
    const sources = ["model.ts", "width.ts", "config.yaml"];
    expect(Object.keys(start.command!.source!).sort()).toEqual([...sources].sort());
    for (const name of sources) {
      expect(start.command!.source![name]).toBe(await sum(name));
      expect(await sum(`${first}/source/${name}`)).toBe(await sum(name));
    }
    expect(start.data).toMatchObject({
      paths: ["../../corpus"],
      sources: [
        { count: 2, bytes: 2 * TEXT.length, files: [{ name: "a.txt", bytes: TEXT.length }, { name: "b.txt" }] },
      ],
    });

    for (const name of sources) rmSync(file(name));
    const again = await xenarc({ cwd }, "train", "--reproduce", first);
    expect([again.code, again.err]).toEqual([0, ""]);
    expect(again.out).not.toContain("Not as in");
    for (const name of ["metrics.jsonl", "source/model.ts", "artifact/manifest.json"]) {
      expect(readFileSync(file(`${first}-again`, name))).toEqual(readFileSync(file(first, name)));
    }
    expect(readHistory(file(`${first}-again`)).starts[0]).toMatchObject({ artifact: start.artifact, data: start.data });

    writeFileSync(file("corpus/b.txt"), TEXT.replace("question", "Question"));
    const refused = await xenarc({ cwd }, "train", "--reproduce", first, "--run", "other");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`not those of the run in ${first}: corpus/b.txt has other bytes than it had.`);
    expect(existsSync(file("other/run.json"))).toBe(false);
  },
  SLOW,
);

test(
  "what is no run, and what does not go together, is refused",
  async () => {
    const cwd = project({ "run.json": '{"schema": 2}' });
    const nothing = await xenarc({ cwd }, "train", "--reproduce", "nowhere");
    expect([nothing.code, nothing.err]).toEqual([2, expect.stringContaining("nowhere is no run's folder")]);
    const newer = await xenarc({ cwd }, "train", "--reproduce", ".");
    expect([newer.code, newer.err]).toEqual([1, expect.stringContaining("by a newer xenarc: its schema is 2")]);
    const both = await xenarc({ cwd }, "train", "train.steps=5", "--reproduce", ".");
    expect([both.code, both.err]).toEqual([2, expect.stringContaining("has its own model, configuration and weights")]);
  },
  SLOW,
);
