#!/usr/bin/env node
/**
 * The `xenarc` command. Each command parses, calls one function, renders; it is loaded when it is called, so that `--help` does
 * not wait for the compiler. Exit codes: cli/report.ts.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { packageVersion } from "../compiler/source/package.js";
import { byteCount, DTYPES, KINDS } from "../models/train/formats.js";
import { EXIT, report } from "./report.js";

const xenarc = new Command("xenarc")
  .description("Compiles language models written in TypeScript to StableHLO, trains them and runs them.")
  .version(packageVersion(), "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .helpCommand(false)
  .exitOverride()
  .configureHelp({ subcommandTerm: (command) => command.name() })
  .addHelpText(
    "after",
    `
A new project:
  xenarc init my-model && cd my-model
  xenarc train
  xenarc generate --prompt "The "

Exit codes: 0 fine, 1 the model, its configuration or its data is wrong, 2 the command is, 3 the machine lacks something,
130 ended by Ctrl-C.`,
  );

const SETTINGS = "a setting of the configuration, such as train.steps=100; it wins over the YAML file";
const MODEL = "a model file or a folder with model.ts (default: this folder)";
const CONFIG = ["-c, --config <file>", "the configuration (default: config.yaml beside the model)"] as const;
const DATA = [
  "-d, --data <path>",
  "a file, folder, quoted glob or URL of data (default: data.path or data.sources, else xenarc's own sources)",
  once,
] as const;
const TARGET = [
  "--target <target>",
  "what it will run on: cpu:8, tpu:v5p:4x4x4, tpu:v5e:16x16,slices=2, gpu:h100:8 (the setting `target`)",
] as const;
const JSON_FLAG = ["--json", "print JSON, for scripts"] as const;
const RUN = ["--run <dir>", "the run's folder (default: runs/NAME)"] as const;
const TRAINED = ["--run <dir>", "the run's folder (default: the newest in runs/)"] as const;

xenarc
  .command("init")
  .description("make a project: a model, its configuration, a golden test")
  .argument("<dir>", "a new or empty folder")
  .action(async (folder: string) => (await import("./commands/init.js")).initCommand(folder));

xenarc
  .command("compile")
  .description("compile a model to an artifact: StableHLO and a manifest")
  .usage("[MODEL.ts] [key=value ...] [options]")
  .argument("[words...]", `MODEL.ts: ${MODEL}; key=value: ${SETTINGS}`)
  .option(...CONFIG)
  .option("-o, --out <dir>", "the artifact's folder (default: artifacts/NAME)")
  .option(...TARGET)
  .option("--no-ahead", "write StableHLO alone: do not have XLA compile it for the target")
  .option("--only <entry...>", "compile only these entry points, such as train_step")
  .option("--canonical", "name values as MLIR does, not by the author's variables")
  .option("--no-locations", "leave out where in the source each operation is from")
  .option("--dump-hlo", "write XLA's optimized HLO to DIR-hlo: of every program, or of those judged for a target")
  .option(...JSON_FLAG)
  .action(async (words, options) => (await import("./commands/compile.js")).compileCommand(words, options));

xenarc
  .command("plan")
  .description("find the mesh, remat policy and micro-batch for a pod, before anything is paid for")
  .usage("[MODEL.ts] [key=value ...] --target TARGET [options]")
  .argument("[words...]", `MODEL.ts: ${MODEL}; key=value: ${SETTINGS}`)
  .option(...CONFIG)
  .option(...TARGET)
  .addOption(new Option("--mode <mode>", "what the pod is to do").choices(["train", "decode"]).default("train"))
  .option("--tokens <n>", "tokens to train on, such as 10T: how many days that takes", quantity)
  .option("--price <dollars>", "of one chip for an hour: what the tokens cost", number(0))
  .option("--scaling <from..to>", "the best of pods of so many chips, such as 32..2048", range)
  .option("--confirm <n>", "have the compiler judge the best so many", integer(0), 0)
  .option("--show <n>", "show the best so many", integer(1), 10)
  .option("--html <file>", "write a page with charts")
  .option(...JSON_FLAG)
  .action(async (words, options) => (await import("./commands/plan.js")).planCommand(words, options));

xenarc
  .command("train")
  .description("train a model, or an artifact that was compiled before")
  .usage("[MODEL.ts | ARTIFACT] [key=value ...] [options]")
  .argument("[words...]", `MODEL.ts: ${MODEL}; ARTIFACT: a folder, or with --resume a run's; key=value: ${SETTINGS}`)
  .option(...CONFIG)
  .option(...DATA)
  .option(...RUN)
  .option(
    "--from <path>",
    "begin with these weights: a run, RUN/checkpoints/N, a folder of safetensors or of adapters (default: train.from)",
  )
  .addOption(new Option("--resume", "go on from the run's newest checkpoint, if there is one").conflicts("overwrite"))
  .option("--overwrite", "delete what an earlier run left in the folder")
  .option(
    "--reproduce <run>",
    "repeat this run from its folder alone, bit for bit, in a folder of its own (default: RUN-again)",
  )
  .option("--processes <n>", "share the mesh's devices among so many processes", integer(1))
  .option("--watchdog <seconds>", "end it when nothing has happened for so long; 0: never", number(0), 600)
  .option("--anomaly", "when a step is not finite, name the operation that made it so, at its line of the model")
  .option("--profile <steps>", "trace these steps, such as 10:15: which part of the model takes how long", steps)
  .option("--restarts <n>", "how often to go on by itself when a process has died or hung", integer(0), 0)
  .option("--json", "print each event as a line of JSON")
  .action(async (words, options) => (await import("./commands/train.js")).trainCommand(words, options));

const data = xenarc
  .command("data")
  .helpCommand(false)
  .description("tokenize data ahead of training; see what data are");

/** What commands on data have in common. */
const onData = (name: string): Command =>
  data
    .command(name)
    .argument(
      "<sources...>",
      "files, folders, globs or URLs: text, JSON lines, Parquet, TFRecord, tar shards, HDF5, ...",
    )
    .option("--tokenizer <name>", "bytes, a tokenizer.json or its folder, or a name in the Hugging Face cache", "bytes")
    .addOption(new Option("--kind <kind>", "the format of the sources (default: told by their names)").choices(KINDS))
    .option("--field <name>", "which value of a record is the text (default: text, content, or the only one)")
    .option("--skip-bad", "leave out and count records that cannot be read");

onData("tokenize")
  .description("write shards of token ids, which training need not tokenize; goes on with what was begun")
  .requiredOption("-o, --out <dir>", "the folder of the shards and of their index")
  .addOption(
    new Option("--format <format>", "of the shards").choices(["bin", "tfrecord", "hdf5", "arrayrecord"]).default("bin"),
  )
  .option("--workers <n>", "threads that tokenize (default: as many as there are processors)", integer(1))
  .option("--shard-tokens <n>", "a shard ends once it has so many tokens", quantity, 100_000_000)
  .option(...JSON_FLAG)
  .action(async (sources, options) => (await import("./commands/data.js")).tokenizeCommand(sources, options));

onData("stats")
  .description("show lengths, duplicates, and the entropies of tokens and of pairs of them")
  .addOption(
    new Option(
      "--dtype <type>",
      "what .bin files hold (default: what index.json says, else uint16 where it is enough)",
    ).choices(DTYPES),
  )
  .option(...JSON_FLAG)
  .action(async (sources, options) => (await import("./commands/data.js")).statsCommand(sources, options));

xenarc
  .command("sweep")
  .description("train with every combination of some settings' values, one after the other, and compare")
  .usage("[MODEL.ts] key=value,value ... [options]")
  .argument("[words...]", `MODEL.ts: ${MODEL}; key=a,b: values of a setting; [a,b],[c]: lists`)
  .option(...CONFIG)
  .option(...DATA)
  .option("--run <dir>", "the folder of the runs (default: runs/NAME-sweep)")
  .option("--json", "print each event as a line of JSON")
  .action(async (words, options) => (await import("./commands/sweep.js")).sweepCommand(words, options));

xenarc
  .command("launch")
  .description("train an artifact on other machines: TPU VMs, GKE, SLURM")
  .argument("[artifact]", "the folder of an artifact (default: the only one in artifacts/)")
  .option("--tpu <name>", "on a Cloud TPU VM or pod slice, through gcloud; needs --zone")
  .option("--gke", "on a Kubernetes cluster, as a JobSet through kubectl; needs --bucket")
  .option("--slurm", "on a SLURM cluster, through sbatch")
  .option("--xpk <cluster>", "on a cluster made by xpk; needs --zone")
  .option("--zone <zone>", "of the TPU, of the cluster")
  .option("--project <id>", "of Google Cloud (default: gcloud's)")
  .option("--bucket <name>", "the Cloud Storage bucket for the artifact, the package and the run")
  .option("--namespace <name>", "of the Kubernetes cluster")
  .option("--service-account <name>", "of the Kubernetes cluster; it may use the bucket")
  .option("--image <image>", "a container image with Python 3.11 or newer (default: python:3.12-slim-bookworm)")
  .option("--nodes <n>", "of the SLURM cluster, a process on each (default: 1)", integer(1))
  .option("--partition <name>", "of the SLURM cluster")
  .option("--account <name>", "of the SLURM cluster")
  .option("--time <limit>", "of the SLURM job: 8:00:00")
  .option("--name <name>", "of the job (default: the model's)")
  .option("-d, --data <path>", "a text here that is sent along (default: data.path, as the hosts see it)", once)
  .option("--run <dir>", "the run's folder as the hosts see it; one that all of them see")
  .option("--watchdog <seconds>", "end it when nothing has happened for so long; 0: never", number(0), 600)
  .option("--restarts <n>", "how often to go on by itself when a process has died or hung", integer(0), 3)
  .option("-o, --out <file>", "only write the JobSet or the batch script to a file (-: standard output)")
  .option("--dry-run", "print what would be sent, written and run")
  .action(async (artifact, options) => (await import("./commands/launch.js")).launchCommand(artifact, options));

xenarc
  .command("generate")
  .description("write text with a trained model")
  .option("-p, --prompt <text>", "the beginning of the text")
  .option("-n, --max-tokens <n>", "how many tokens to write", integer(1), 256)
  .option("--temperature <t>", "0 takes the likeliest token, 1 the model's own chances", number(0), 0.8)
  .option("--top-k <k>", "choose among the k likeliest tokens; 0 is off", integer(0), 0)
  .option("--top-p <p>", "choose among the likeliest tokens that make up p; 1 is off", number(0, 1), 1)
  .option("--greedy", "the same as --temperature 0")
  .option("--seed <n>", "of the random choices", integer(0), 0)
  .option("--stop <text...>", "texts that end the writing")
  .option(...TRAINED)
  .option("--step <n>", "which checkpoint (default: the newest)", integer(0))
  .option("--session <file>", "what a model with a memory remembers: read, if it is there, and written at the end")
  .option("--embeddings <file...>", "vectors that stand in the prompt: .npy, or safetensors with one tensor")
  .option("--at <n...>", "behind so many of the prompt's tokens, for each file (default: in front)", integers(0))
  .option("--trace <file>", "write what the model saw at each token: FILE.jsonl, or FILE.html with pictures")
  .option("--top <n>", "with --trace: name the n likeliest tokens (default: 5)", integer(1))
  .option("--look <pattern...>", "with --trace: look into these modules, such as blocks/attention (default: all)")
  .option("--model <file>", "with --trace: the model file (default: model.ts here)")
  .option(...JSON_FLAG)
  .action(async (options) => (await import("./commands/generate.js")).generateCommand(options));

xenarc
  .command("export")
  .description("write a checkpoint's weights as safetensors files, for transformers and others")
  .argument("<checkpoint>", "a run's folder (its newest checkpoint), or RUN/checkpoints/N")
  .requiredOption("-o, --out <dir>", "a new or empty folder")
  .option("--shard-size <size>", "the most that the tensors of a file take, such as 500MB", size, 5e9)
  .addOption(new Option("--dtype <dtype>", "the element type (default: as stored)").choices(["f32", "bf16", "f16"]))
  .addOption(
    new Option("--names <whose>", "the tensors' names (default: huggingface, if the model has a map to them)").choices([
      "xenarc",
      "huggingface",
    ]),
  )
  .option("--ema", "the averages of the weights that training has kept (train.ema), not the last weights")
  .option("--adapters", "write the adapters alone, in PEFT's format (default: they are merged into the weights)")
  .option(...JSON_FLAG)
  .action(async (path, options) => (await import("./commands/export.js")).exportCommand(path, options));

xenarc
  .command("eval")
  .description("the loss of a trained model over held-out data: perplexity, bits a byte")
  .argument("[run]", "the run's folder (default: the newest in runs/)")
  .option("-d, --data <path>", "evaluate on all of this (default: what the run kept for validation)", once)
  .option("--step <n>", "which checkpoint (default: the newest)", integer(0))
  .option("--batches <n>", "read so many batches (default: all)", integer(1))
  .option(...JSON_FLAG)
  .action(async (run, options) => (await import("./commands/eval.js")).evalCommand(run, options));

xenarc
  .command("prune-experts")
  .description("write a run with fewer experts in each mixture: those that held-out data use most")
  .argument("[run]", "the run's folder (default: the newest in runs/)")
  .requiredOption("--keep <n>", "how many experts of each mixture stay", integer(1))
  .option("--merge", "merge each of the others into the one that is nearest to it, by their parts of the choices")
  .option("-o, --out <dir>", "the new run's folder (default: RUN-N-experts)")
  .option("-d, --data <path>", "measure on all of this (default: what the run kept for validation)", once)
  .option("--step <n>", "which checkpoint (default: the newest)", integer(0))
  .option("--batches <n>", "read so many batches (default: all)", integer(1))
  .option("--model <file>", "the model file (default: model.ts here)")
  .option(...JSON_FLAG)
  .action(async (run, options) => (await import("./commands/prune_experts.js")).pruneExpertsCommand(run, options));

xenarc
  .command("inspect")
  .description("show an artifact: entry points, operations, parameters")
  .argument("<artifact>", "the folder of an artifact, or of a run")
  .option("--memory", "compile the programs and show how much memory each takes")
  .option("--shardings", "show how every parameter lies on the mesh")
  .option(...JSON_FLAG)
  .action(async (path, options) => (await import("./commands/inspect.js")).inspectCommand(path, options));

xenarc
  .command("run")
  .description("run an entry point of an artifact on tensors from a file")
  .argument("<artifact>", "the folder of an artifact, or of a run")
  .argument("<entry>", "the entry point: forward, ...")
  .requiredOption("--in <file>", "a safetensors file with the arguments by name")
  .requiredOption("--out <file>", "the safetensors file to write")
  .option(
    "--run <dir>",
    "the run whose newest checkpoint has the parameters that the file lacks (default: the artifact's), or a folder of safetensors",
  )
  .option(...JSON_FLAG)
  .action(async (path, entry, options) => (await import("./commands/run.js")).runCommand(path, entry, options));

const config = xenarc
  .command("config")
  .description("print the configuration of a model, or the schema of it")
  .helpCommand(false);

config
  .command("show", { isDefault: true })
  .description("every setting, its value and where it came from (also without `show`)")
  .usage("[MODEL.ts] [key=value ...] [options]")
  .argument("[words...]", `MODEL.ts: ${MODEL}; key=value: ${SETTINGS}`)
  .option(...CONFIG)
  .option(...JSON_FLAG)
  .action(async (words, options) => (await import("./commands/config.js")).configCommand(words, options));

config
  .command("schema")
  .description("the JSON Schema of a configuration file, for editors")
  .argument("[model]", MODEL)
  .action(async (model) => (await import("./commands/config.js")).configSchemaCommand(model));

xenarc
  .command("quickstart")
  .description("train the example, a character-level transformer, and let it write")
  .usage("[key=value ...] [options]")
  .argument("[words...]", `key=value: ${SETTINGS}`)
  .option("-d, --data <path>", "a UTF-8 text file or a folder of them (default: xenarc's own sources)", once)
  .option("--run <dir>", "the run's folder", "runs/quickstart")
  .option("-p, --prompt <text>", "the beginning of the text that it writes", "The ")
  .option("-n, --max-tokens <n>", "how many tokens it writes", integer(1), 400)
  .action(async (words, options) => (await import("./commands/quickstart.js")).quickstartCommand(words, options));

xenarc
  .command("doctor")
  .description("check what this machine has, and say what to do about what it lacks")
  .option(...JSON_FLAG)
  .action(async (options) => (await import("./commands/doctor.js")).doctorCommand(options));

for (const command of xenarc.commands.flatMap((c) => [c, ...c.commands]))
  command.helpOption("-h, --help", "print this help");

/** A parser of numbers in a range. */
function number(least: number, most = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= least && value <= most) return value;
    const range = most === Number.POSITIVE_INFINITY ? `${least} or more` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a number, ${range}.`);
  };
}

function integer(least: number): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= least && Number.isSafeInteger(Number(text))) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}

/** An option that takes several. */
function integers(least: number): (text: string, before?: readonly number[]) => readonly number[] {
  return (text, before = []) => [...before, integer(least)(text)];
}

/** An option that is given once. */
function once(text: string, before: string | undefined): string {
  if (before === undefined) return text;
  throw new InvalidArgumentError(
    "It is given twice. A folder or a quoted glob names several files; several sources are a mixture: data.sources.",
  );
}

/** `10:15`, `10` */
function steps(text: string): string {
  const [, first, last = first] = /^(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (Number(first) >= 1 && Number(last) >= Number(first)) return text;
  throw new InvalidArgumentError("It must be the first and the last step, counted from 1, such as 10:15.");
}

/** `10T`, `1.5B`, `200000` */
function quantity(text: string): number {
  const parts = /^([\d.]+)([KMBT]?)$/i.exec(text);
  const value = Number(parts?.[1]) * 1000 ** " KMBT".indexOf(parts?.[2]?.toUpperCase() || " ");
  if (value > 0) return value;
  throw new InvalidArgumentError("It must be a number above 0, such as 10T or 300B.");
}

/** `5GB`, `500MB`, `1.5TB`, `4096` */
function size(text: string): number {
  const bytes = byteCount(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError("It must be a size, such as 5GB or 500MB.");
}

/** `32..2048` */
function range(text: string): [number, number] {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (Number(from) >= 1 && Number(to) >= Number(from)) return [Number(from), Number(to)];
  throw new InvalidArgumentError("It must be two numbers of chips, such as 32..2048.");
}

/** The exit code of commander's own errors, which it has printed; settings written as options get a hint. */
function usage(error: CommanderError): number {
  if (error.exitCode === 0) return 0;
  const option = /unknown option '--?([\w.-]+(?:=[^']*)?)'/.exec(error.message)?.[1];
  if (option?.includes(".")) {
    process.stderr.write(`Settings have no dashes: ${option.includes("=") ? option : `${option}=VALUE`}\n`);
  } else if (option === "data" || option === "d") {
    process.stderr.write("This command takes them as the configuration has them: data.path=PATH\n");
  } else if (option !== undefined) {
    process.stderr.write(
      "Options stand behind the command; settings of the configuration have no dashes: train.steps=100\n",
    );
  }
  return EXIT.usage;
}

// Whoever read the output (`| head`) has seen enough.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

// The author's line may lie below many of the library's.
Error.stackTraceLimit = 50;

// Ended here, what the command has printed being out, or Node waits for V8 to finish machine code that nobody will run.
const end = () => process.stdout.write("", () => process.stderr.write("", () => process.exit()));

xenarc
  .parseAsync()
  .catch((error: unknown) => {
    process.exitCode = error instanceof CommanderError ? usage(error) : report(error, process.argv.includes("--json"));
  })
  .finally(end);
