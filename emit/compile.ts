/** From a model and its configuration to the StableHLO of all its entry points. */

import type { z } from "zod";
import { lowerToStableHlo } from "../compiler/compile.js";
import type { Cost, Platform, Region } from "../compiler/ir.js";
import { deviceCount } from "../compiler/mesh.js";
import { peak } from "../compiler/plan/chips.js";
import { parseTarget } from "../compiler/plan/target.js";
import { mainOf, type Program, type Port as ProgramPort } from "../compiler/program.js";
import { type Frame, type Site, stack } from "../compiler/site.js";
import { type NameTable, namesFor } from "../compiler/source/names.js";
import { packageVersion } from "../compiler/source/package.js";
import { originalPosition, type Position } from "../compiler/source/position.js";
import { builderFor } from "../compiler/trace.js";
import { type ArtifactSource, writeArtifact } from "./artifact.js";
import { checksFile } from "./checks.js";
import type { XlaOptions } from "./compile_options.js";
import { resolveConfig } from "./config.js";
import type { Manifest, Port } from "./manifest.js";
import { stepFlops } from "./model_flops.js";
import { type AuthorName, printModule } from "./print.js";
import { readTokenizer, withTemplate } from "./tokenizer.js";
import { type FlagValue, flagsFor } from "./xla_flags.js";

/** What can be compiled: a model as `defineModel` makes it. */
export interface Compilable<C> {
  readonly name: string;
  readonly schema: z.ZodType<C>;
  programs(config: C, only?: readonly string[]): Program[];
  parameters(config: C): number;
  /** How `transformers` knows the model. */
  huggingFace?(config: C): Manifest["huggingFace"];
}

/** What is compiled, and how the text names and locates values. */
export interface CompileOptions {
  /** Names of SSA values: the author's variables (default), or MLIR's numbering. */
  readonly names?: "author" | "canonical";
  /** Locations of the author's source. Default true. */
  readonly locations?: boolean;
  /** Only these entry points. Default all. */
  readonly only?: readonly string[];
  /** A YAML file with settings, which win over those that are given as values. */
  readonly yamlFile?: string;
}

/** One compiled entry point. */
export interface CompiledProgram {
  readonly name: string;
  readonly text: string;
  readonly program: Program;
}

/** A compiled model. */
export class Compiled {
  constructor(
    readonly name: string,
    /** The resolved configuration. */
    readonly config: Record<string, unknown>,
    readonly parameters: number,
    readonly programs: readonly CompiledProgram[],
    private readonly huggingFace?: Manifest["huggingFace"],
  ) {}

  /** All entry points' text, one after the other: what a golden file holds. */
  get text(): string {
    return this.programs.map((p) => p.text).join("\n");
  }

  /** An entry point by name. @throws Error when there is none. */
  program(name: string): CompiledProgram {
    const found = this.programs.find((p) => p.name === name);
    if (!found) throw new Error(`there is no entry point "${name}": ${this.programs.map((p) => p.name).join(", ")}`);
    return found;
  }

  /** What one run of an entry point costs. */
  cost(name: string): Cost {
    return this.program(name).program.cost;
  }

  /** What the speed of training is held against. */
  #speed(): Pick<ArtifactSource, "flopsPerStep" | "device"> {
    const [step, forward] = ["train_step", "eval_step"].map(
      (name) => this.programs.find((p) => p.name === name)?.program,
    );
    const { platform, chip } = parseTarget(String(this.config.target ?? "cpu"));
    return {
      ...(step && forward && { flopsPerStep: stepFlops(step, forward) }),
      ...(chip && platform !== "cpu" && { device: { platform, peak_flops: peak(chip, "bf16") } }),
    };
  }

  /** Writes the artifact's folder, with the tokenizer that the configuration names (`data.tokenizer`) unless another is given. */
  write(folder: string, tokenizer = this.#tokenizer()): Promise<Manifest> {
    const options = xlaOptions(this.config);
    const mesh = this.programs.find(({ program }) => program.mesh)?.program.mesh;
    return writeArtifact(folder, {
      name: this.name,
      xenarc: packageVersion(),
      parameters: this.parameters,
      ...this.#speed(),
      config: this.config as Manifest["config"],
      ...(mesh && { mesh: { axes: mesh.axes.map((axis) => ({ ...axis })) } }),
      ...(this.huggingFace && { huggingFace: this.huggingFace }),
      kernels: kernelsIn(this.text),
      tokenizer,
      programs: this.programs.map(({ name, text, program }) => ({
        name,
        text,
        inputs: program.inputs.map(plain),
        outputs: program.outputs.map(plain),
        donated: program.donated,
        ...(program.checks && { checks: checksFile(program.checks) }),
        options: { ...options, ...(program.mesh && { partitions: deviceCount(program.mesh) }) },
      })),
    });
  }

  /** The tokenizer that `data.tokenizer` names. */
  #tokenizer() {
    const { tokenizer = "bytes", chatTemplate } = (this.config.data ?? {}) as {
      readonly tokenizer?: string;
      readonly chatTemplate?: string;
    };
    return withTemplate(readTokenizer(tokenizer), chatTemplate);
  }
}

/** The operations of a program that a platform's kernel may replace. */
const kernelsIn = (text: string): string[] =>
  [...new Set([...text.matchAll(/stablehlo\.composite "([^"]+)"/g)].map(([, name]) => name!))].sort();

/** What the configuration says to XLA: its flags, and those that are right for the target. */
function xlaOptions({ target, xla }: Readonly<Record<string, unknown>>): XlaOptions {
  const own = (xla as { flags?: Record<string, FlagValue> } | undefined)?.flags ?? {};
  const flags = typeof target === "string" && target !== "cpu" ? flagsFor(parseTarget(target), own) : own;
  return Object.keys(flags).length > 0 ? { flags } : {};
}

const plain = ({ axes, shape, sharding, ...rest }: ProgramPort): Port => ({
  ...rest,
  axes: [...axes],
  shape: [...shape],
  ...(sharding && { sharding: sharding.map((over) => [...(over ?? [])]) }),
});

/**
 * Compiles a model: traces its entry points, lowers them, prints them.
 * @throws XenarcError at the author's line; or naming every setting that is wrong.
 */
export async function compile<C>(
  model: Compilable<C>,
  config: unknown = {},
  options: CompileOptions = {},
): Promise<Compiled> {
  const resolved = resolveConfig(model.schema, { values: config, yamlFile: options.yamlFile });
  const traced = model.programs(resolved, options.only);
  const programs = [];
  const { target = "cpu" } = resolved as { readonly target?: string };
  const { platform } = parseTarget(target);
  for (const program of traced)
    programs.push({ name: program.name, program, text: await print(program, { platform, ...options }) });
  const huggingFace = model.huggingFace?.(resolved);
  return new Compiled(
    model.name,
    resolved as Record<string, unknown>,
    model.parameters(resolved),
    programs,
    huggingFace,
  );
}

/** Lowers and prints a traced program. */
export async function print(
  program: Program,
  { names = "author", locations = true, platform = "cpu" }: CompileOptions & { readonly platform?: Platform } = {},
): Promise<string> {
  const body = lowerToStableHlo(builderFor(program.region), program.region, {
    partitioned: program.mesh !== undefined,
    platform,
  });
  const nameOf = names === "author" ? await authorNames(body) : undefined;
  return printModule(
    { name: program.name, funcs: [mainOf(program, body)], ...(program.mesh && { mesh: program.mesh }) },
    { names, ...(nameOf && { nameOf }), ...(locations && { locate }) },
  );
}

/** A frame's place in the author's file. */
const locate = ({ file, line, column }: Frame): Position => originalPosition(file, line, column);

/** The variables that values end up in, by the site of the call that made them. */
async function authorNames(body: Region): Promise<(site: Site) => AuthorName | undefined> {
  const files = new Set<string>();
  const seen = new Set<Site>();
  const collect = (region: Region): void => {
    for (const op of region.ops) {
      for (let site = op.site; site && !seen.has(site); site = site.caller) {
        seen.add(site);
        for (const frame of site.frames) files.add(locate(frame).file);
      }
      op.regions.forEach(collect);
    }
  };
  collect(body);
  const tables = new Map<string, NameTable>();
  for (const file of files) tables.set(file, await namesFor(file));
  return (site) => {
    for (const frame of stack(site)) {
      const { file, line, column } = locate(frame);
      const table = tables.get(file);
      // What a function returns directly is better named by its caller.
      if (table?.isReturned(line, column)) continue;
      const name = table?.at(line, column);
      if (name === undefined) return undefined;
      const text = typeof name === "string" ? name : (name.find(Boolean) ?? "_");
      return { name: text, call: `${file}:${table?.expression(line, column)}` };
    }
    return undefined;
  };
}
