/** The command line itself: help, and what is said of what is no command. */
import { folder, type Outcome, xenarc } from "./command.js";

const cwd = folder({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
const call = (...args: string[]): Promise<Outcome> => xenarc({ cwd }, ...args);
const COMMANDS = [
  "init",
  "compile",
  "plan",
  "train",
  "data",
  "sweep",
  "launch",
  "generate",
  "export",
  "eval",
  "prune-experts",
  "inspect",
  "run",
  "config",
  "quickstart",
  "doctor",
];

test("--help names every command", async () => {
  const { code, out } = await call("--help");
  expect(code).toBe(0);
  expect([...out.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name)).toEqual(COMMANDS);
  expect(out).toContain("Exit codes: 0 fine, 1 the model, its configuration or its data is wrong, 2 the command is");
});

test("a command's --help tells its options, defaults and what a setting is", async () => {
  const { code, out } = await call("train", "--help");
  expect(code).toBe(0);
  expect(out).toMatchInlineSnapshot(`
"Usage: xenarc train [MODEL.ts | ARTIFACT] [key=value ...] [options]

train a model, or an artifact that was compiled before

Arguments:
  words                 MODEL.ts: a model file or a folder with model.ts
                        (default: this folder); ARTIFACT: a folder, or with
                        --resume a run's; key=value: a setting of the
                        configuration, such as train.steps=100; it wins over the
                        YAML file

Options:
  -c, --config <file>   the configuration (default: config.yaml beside the
                        model)
  -d, --data <path>     a file, folder, quoted glob or URL of data (default:
                        data.path or data.sources, else xenarc's own sources)
  --run <dir>           the run's folder (default: runs/NAME)
  --from <path>         begin with these weights: a run, RUN/checkpoints/N, a
                        folder of safetensors or of adapters (default:
                        train.from)
  --resume              go on from the run's newest checkpoint, if there is one
  --overwrite           delete what an earlier run left in the folder
  --reproduce <run>     repeat this run from its folder alone, bit for bit, in a
                        folder of its own (default: RUN-again)
  --processes <n>       share the mesh's devices among so many processes
  --watchdog <seconds>  end it when nothing has happened for so long; 0: never
                        (default: 600)
  --anomaly             when a step is not finite, name the operation that made
                        it so, at its line of the model
  --profile <steps>     trace these steps, such as 10:15: which part of the
                        model takes how long
  --restarts <n>        how often to go on by itself when a process has died or
                        hung (default: 0)
  --json                print each event as a line of JSON
  -h, --help            print this help
"
`);
});

test("--version", async () => {
  const { code, out } = await call("--version");
  expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});

test.each([
  [["trian"], "unknown command 'trian'\n(Did you mean train?)"],
  [["train", "--resmue"], "unknown option '--resmue'\n(Did you mean --resume?)"],
  [["train", "--train.steps=5"], "Settings have no dashes: train.steps=5"],
  [["train", "--train.steps", "5"], "Settings have no dashes: train.steps=VALUE"],
  [["train", "--steps", "5"], "settings of the configuration have no dashes: train.steps=100"],
  [["train", "train.steps"], "There is no file or folder train.steps here.\n\nSettings are written train.steps=VALUE."],
  [["train", ".", "train.steps"], "train.steps has no value.\n\nSettings are written train.steps=VALUE."],
  [["generate", "--top-p", "3"], "option '--top-p <p>' argument '3' is invalid. It must be a number, from 0 to 1."],
  [["generate", "-n", "0"], "It must be a whole number, 1 or more."],
  [["generate", "--temperature", "hot"], "It must be a number, 0 or more."],
  [["run", "a"], "required option '--in <file>' not specified"],
  [["inspect"], "missing required argument 'artifact'"],
  [["inspect", "a", "b"], "too many arguments"],
  [["train"], "There is no model.ts in this folder.\n\nGive the path of a model, or make a project: xenarc init DIR"],
  [["train", "a.ts", "b.ts"], "There are 2 things to work on: a.ts, b.ts."],
  [
    ["train", "--data", "a.txt", "b.txt"],
    "b.txt is no model.\n\nExpected: one model, and settings as key=value.\nA pattern of",
  ],
  [["train", "--data", "a.txt", "b.txt", "c.txt"], 'the shell makes words of it: --data "DIR/*.txt"'],
  [["train", "--data", "a.txt", "-d", "b.txt"], "It is given twice. A folder or a quoted glob names several files;"],
  [["eval", "--data", "a.txt", "--data", "b.txt"], "It is given twice."],
  [["compile", "nothing.ts"], "There is no file nothing.ts."],
  [["inspect", "nothing"], "There is no folder nothing."],
  [["generate"], "There is no trained model in runs/ here."],
  [["generate", "--trace", "o.txt"], "--trace cannot tell from the name o.txt what to write."],
  [["generate", "--top", "3"], "--top is for traces.\n\nAdd --trace FILE.html"],
  [["generate", "--run", "nothing"], "There is no folder nothing."],
])("%j", async (args, message) => {
  const { code, out, err } = await call(...args);
  expect(err).toContain(message);
  expect(err).toMatch(/^error: /);
  expect([code, out]).toEqual([2, ""]);
});

test("without a command, the help, as an error", async () => {
  const { code, out, err } = await call();
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("Usage: xenarc");
});
