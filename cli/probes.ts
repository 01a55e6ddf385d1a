/** The programs with which `xenarc generate --trace` looks into a run's model. */
import { join } from "node:path";
import { flopsByModule } from "../compiler/plan/modules.js";
import { readManifest, readProgram } from "../emit/artifact.js";
import { compile } from "../emit/compile.js";
import { resolveConfig } from "../emit/config.js";
import { withoutLocations } from "../emit/print.js";
import { BYTES } from "../emit/tokenizer.js";
import { differing, foreign, modelOfRun } from "./project.js";
import { paint } from "./terminal.js";

const PROBES = ["probe_prefill", "probe_decode_step"];

/** Where to look, and the model to make the programs for it from. */
export interface LookOptions {
  /** Patterns of modules; undefined: those that the artifact was compiled for, or all. */
  readonly look?: readonly string[];
  /** A model file or its folder. */
  readonly model?: string;
}

/** An artifact that has the programs which look into a model, and what else is known of it. */
export interface Probes {
  /** The model's name. */
  readonly name: string;
  readonly folder: string;
  /** Operations of one run of `decode_step`, by module; only where the model's file was read. */
  readonly flops?: ReadonlyMap<string, number>;
}

/**
 * An artifact that has the programs which look into a run's model: the run's own, where it was compiled with some (`generate.trace`), or one that
 * is made of the model file here, in the run's folder. Throws {@link XenarcError} where there is no such file, or it is of another model.
 */
export async function probesFor(run: string, artifact: string, { look, model }: LookOptions): Promise<Probes> {
  const manifest = await readManifest(artifact);
  const { name } = manifest;
  if (look === undefined && PROBES.every((entry) => entry in manifest.programs)) return { name, folder: artifact };
  const { file, model: made } = await modelOfRun(run, name, model, {
    what: `${artifact} has no programs that look into the model, and there is no model.ts in this folder to make them from.`,
    fix: "Name the model's file with --model, or train with generate.trace='[\"**\"]'.",
  });
  const generate = { ...(manifest.config.generate as object), trace: look ?? ["**"] };
  const config = resolveConfig(made.schema, { values: { ...manifest.config, generate } });
  const compiled = await compile(made, config, { only: ["decode_step", ...PROBES] });
  const now = compiled.program("decode_step");
  const before = manifest.programs.decode_step!;
  const other = differing(before.inputs, now.program.inputs);
  if (other !== undefined) throw foreign(file, run, `of its parameters and caches, ${other} differs`);
  if (operations(now.text) !== operations(await readProgram(artifact, manifest, "decode_step"))) {
    const { yellow } = paint(process.stderr);
    process.stderr.write(
      `${yellow("warning:")} ${file} computes otherwise than when ${run} was trained: what is seen is the model as it is now.\n`,
    );
  }
  const folder = join(run, "trace");
  await compiled.write(folder, BYTES);
  return { name, folder, flops: flopsByModule(now.program) };
}

/** A program's text without the names of its values and where it is from. */
const operations = (text: string): string =>
  withoutLocations(text)
    .replaceAll(/%[\w.$#:-]+/g, "%")
    .trim();
