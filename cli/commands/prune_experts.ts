/** `xenarc prune-experts`: a run with fewer experts in each mixture, chosen by how held-out data use them. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { readManifest } from "../../emit/artifact.js";
import { compile } from "../../emit/compile.js";
import { resolveConfig } from "../../emit/config.js";
import type { Manifest, Port } from "../../emit/manifest.js";
import { BYTES, readTokenizerFile } from "../../emit/tokenizer.js";
import { pruneExperts } from "../../runtime-bridge/bridge.js";
import type { EventOf, RuntimeEvent } from "../../runtime-bridge/events.js";
import { interruptible } from "../interrupt.js";
import { asTyped } from "../origin.js";
import {
  artifactOf,
  differing,
  foreign,
  modelOfRun,
  namesData,
  requireArtifact,
  requireRun,
  type Shape,
} from "../project.js";
import { showWarning } from "../report.js";
import { setUpPython } from "../setup.js";
import { bar, count, loss, paint, percent, StatusLine, table } from "../terminal.js";

export interface PruneExpertsCommandOptions {
  readonly keep: number;
  readonly merge?: boolean;
  readonly out?: string;
  readonly data?: string;
  readonly step?: number;
  readonly batches?: number;
  readonly model?: string;
  readonly json?: boolean;
}

export async function pruneExpertsCommand(
  given: string | undefined,
  { keep, merge, out, data, step, batches, model, json }: PruneExpertsCommandOptions,
): Promise<void> {
  const run = requireRun(given);
  const artifact = requireArtifact(artifactOf(run));
  const manifest = await readManifest(artifact);
  const target = out ?? `${run.replace(/[/\\]+$/, "")}-${keep}-experts`;
  refuseExisting(target);
  checkNumber(run, manifest, keep);
  try {
    const lowered = await compileSmaller(run, artifact, manifest, artifactOf(target), keep, model);
    await setUpPython();
    const line = new StatusLine(process.stderr);
    const done = await interruptible(() =>
      pruneExperts(
        {
          ...{ artifact, run, out: target, merge: merge ?? false },
          ...(step !== undefined && { step }),
          ...(data !== undefined && { data }),
          ...(batches !== undefined && { batches }),
        },
        (event) => show(event, line),
      ),
    ).finally(() => line.clear());
    const words = [...(model === undefined ? [] : [model]), ...(namesData(manifest) ? [] : ["--data", done.data])];
    process.stdout.write(`${json ? JSON.stringify({ ...done, event: undefined }) : report(done, lowered, words)}\n`);
  } catch (error) {
    rmSync(target, { recursive: true, force: true });
    throw error;
  }
}

function refuseExisting(target: string): void {
  if (!existsSync(target) || readdirSync(target).length === 0) return;
  throw new XenarcError({ what: `${target} is there already.`, fix: "Name a new folder with --out DIR." }, "usage");
}

/** @throws XenarcError where there are no experts to prune, or none would go. */
function checkNumber(run: string, { config, name, programs }: Manifest, keep: number): void {
  const experts = parametersOf(programs)
    .map(({ axes, shape }) => shape[axes.indexOf("expert")])
    .find((n) => n !== undefined);
  if (experts === undefined) {
    throw new XenarcError({ what: `${name}, the model of ${run}, has no mixture of experts.` }, "usage");
  }
  if (keep >= experts) {
    throw new XenarcError(
      {
        what: `Each mixture of ${run} has ${experts} experts: --keep ${keep} leaves none to be pruned.`,
        expected: `from 1 to ${experts - 1}`,
      },
      "usage",
    );
  }
  if ((config.model as { experts?: unknown }).experts !== experts) {
    throw new XenarcError({
      what: `The ${experts} experts of ${name} do not come from its setting model.experts, so that fewer cannot be asked for.`,
      expected: "a key `experts` in the model's schema, the number of experts of every mixture",
    });
  }
  if (programs.eval_step?.outputs.some((port) => port.role === "metric" && port.name.endsWith("router/utilization")))
    return;
  throw new XenarcError({
    what: `The program eval_step of ${artifactOf(run)} does not say how experts are used.`,
    fix: `An earlier xenarc compiled it. Compile it again: xenarc compile MODEL.ts -c ${join(run, "config.yaml")} -o ${artifactOf(run)}`,
  });
}

const parametersOf = (programs: Manifest["programs"]): Port[] =>
  Object.values(programs)
    .flatMap(({ inputs, outputs }) => [...inputs, ...outputs])
    .filter(({ role, name }) => role === "state" && name.startsWith("params/"));

/** How many experts a token is given at the most and at the least, where there are not so many any more. */
type Lowered = { readonly perToken?: number; readonly least?: number };

/** Compiles the run's model with fewer experts. */
async function compileSmaller(
  run: string,
  artifact: string,
  manifest: Manifest,
  folder: string,
  experts: number,
  target: string | undefined,
): Promise<Lowered> {
  const { file, model } = await modelOfRun(run, manifest.name, target, {
    what: "The model with fewer experts is compiled anew, and there is no model.ts in this folder.",
    fix: "Name the model's file with --model.",
  });
  const before = manifest.config.model as Lowered;
  const most = (key: keyof Lowered): Lowered =>
    before[key] !== undefined && before[key] > experts ? { [key]: experts } : {};
  const lowered = { ...most("perToken"), ...most("least") };
  // A controller's networks know the experts that there were.
  const { control: _, ...config } = manifest.config;
  const values = { ...config, model: { ...before, experts, ...lowered } };
  const compiled = await compile(model, resolveConfig(model.schema, { values }));
  const now = compiled.program("train_step").program.inputs.filter(({ name }) => name.startsWith("params/"));
  const was = manifest.programs.train_step!.inputs.filter(({ name }) => name.startsWith("params/"));
  const other = differing(was.map(withoutExperts), now.map(withoutExperts));
  if (other !== undefined)
    throw foreign(file, run, `of its parameters, ${other} differs in more than the number of experts`);
  const { kind, files } = manifest.tokenizer;
  const main = files?.find(({ file }) => file.endsWith("tokenizer.json"));
  await compiled.write(folder, kind === "bytes" ? BYTES : readTokenizerFile(kind, join(artifact, main!.file)));
  return lowered;
}

/** A parameter, of whatever number of experts. */
const withoutExperts = ({ name, axes, shape, dtype }: Shape & { readonly axes: readonly string[] }) => ({
  name,
  dtype,
  shape: shape.map((n, d) => (axes[d] === "expert" ? 0 : n)),
});

const DOING = {
  measuring: "measuring how experts are used",
  choosing: "choosing",
  writing: "making the new weights",
  judging: "measuring the new loss",
};

function show(event: RuntimeEvent, line: StatusLine): void {
  if (event.event !== "pruning") {
    if (event.event === "log") line.clear();
    showWarning(event);
    return;
  }
  const texts = [DOING[event.what]];
  line.show([bar(process.stderr, event.done, texts), ...texts].join("  "));
}

/** `words`: of the command that trains on from it, what the pruned run does not say. */
function report(done: EventOf<"pruned">, { perToken, least }: Lowered, words: readonly string[]): string {
  const { bold } = paint(process.stdout);
  const { experts, kept, merged, others, path } = done;
  const rest = merged ? "merged into the nearest" : "gone";
  const rows = [
    [
      "experts",
      `${kept} of ${experts} kept in each mixture; the others, with ${percent(others)} of the choices, are ${rest}`,
    ],
    ...(perToken === undefined ? [] : [["perToken", `a token takes at most ${perToken}: there are no more`]]),
    ...(least === undefined ? [] : [["least", `a token takes at least ${least}: there are no more`]]),
    ["loss before", `${loss(done.loss_before)} nats a token`],
    ["loss after", `${loss(done.loss_after)} nats a token`],
    ["measured on", `${count(done.tokens)} tokens of ${done.data}`],
    ["run", `${path}, step ${count(done.step)}; pruning.json has the experts by layer`],
  ];
  const given = ["train", ...words, "-c", join(path, "config.yaml"), "--from", path, "--run", `${path}-trained`];
  return `${table(rows).join("\n")}\n\nTrain on from it with: ${bold(asTyped(given))}`;
}
