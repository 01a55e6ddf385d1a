/** What a command works on: a model file with its configuration, an artifact, a run. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { didYouMean, XenarcError } from "../compiler/errors.js";
import type { Setting } from "../emit/config.js";
import type { Manifest } from "../emit/manifest.js";
import type { ModelDefinition } from "../models/define.js";

/** The words of a command line after its options: what to work on, and settings. */
export interface Words {
  readonly target: string | undefined;
  readonly overrides: readonly string[];
}

/** Tells `key=value` words from the one that names a file or a folder. */
export function sortWords(words: readonly string[]): Words {
  const isSetting = (word: string) => /^[\w$.-]+=/.test(word) && !existsSync(word);
  const targets = words.filter((word) => !isSetting(word));
  targets.forEach(refuseConfiguration);
  const bare = targets.find(
    (word) => /^[\w$]+(\.[\w$]+)+(?<!\.[cm]?[jt]s)$/.test(word) && !existsSync(word) && modelIn(word) === undefined,
  );
  if (bare !== undefined) {
    const what = targets.length > 1 ? `${bare} has no value.` : `There is no file or folder ${bare} here.`;
    throw new XenarcError({ what, fix: `Settings are written ${bare}=VALUE.` }, "usage");
  }
  const other = targets.find((word) => isFile(word) && !/\.[cm]?[jt]sx?$/.test(word));
  if (targets.length > 1 || other !== undefined) {
    throw new XenarcError(
      {
        what:
          targets.length > 1
            ? `There are ${targets.length} things to work on: ${targets.slice(0, 3).join(", ")}${targets.length > 3 ? ", ..." : ""}.`
            : `${other} is no model.`,
        expected: "one model, and settings as key=value.",
        fix: 'A pattern of data is quoted, or the shell makes words of it: --data "DIR/*.txt"',
      },
      "usage",
    );
  }
  return { target: targets[0], overrides: words.filter(isSetting) };
}

/** @throws XenarcError for a YAML file in the place of a model. */
function refuseConfiguration(word: string): void {
  if (!/\.ya?ml$/i.test(word)) return;
  throw new XenarcError(
    {
      what: `${word} is a configuration, not a model.`,
      expected: "a file such as model.ts, or its folder",
      fix: `A configuration is given to a model: --config ${word}`,
    },
    "usage",
  );
}

/** A model file's model and its resolved configuration. */
export interface Project {
  /** The model file. */
  readonly file: string;
  readonly model: ModelDefinition;
  readonly config: ReturnType<ModelDefinition["schema"]["parse"]>;
  readonly settings: readonly Setting[];
  /** The YAML file of the configuration. */
  readonly yamlFile?: string | undefined;
}

/** The model file that a folder's project has. */
export const modelIn = (folder: string): string | undefined =>
  ["model.ts", "model.js"].map((name) => join(folder, name)).find((file) => existsSync(file));

/** Loads a model file (default: `model.ts` here). */
export async function openModel(target = "."): Promise<Pick<Project, "file" | "model">> {
  refuseConfiguration(target);
  const file = isFolder(target) ? modelIn(target) : target;
  if (file === undefined) {
    throw new XenarcError(
      {
        what: `There is no model.ts in ${target === "." ? "this folder" : target}.`,
        fix: "Give the path of a model, or make a project: xenarc init DIR",
      },
      "usage",
    );
  }
  const { loadModule } = await import("../compiler/source/load.js");
  return { file, model: modelOf(await loadModule(file), file) };
}

/**
 * The model that a run was trained with, of its file, or of the one in this folder.
 * @throws XenarcError where there is none, which `missing` says, or it is another model.
 */
export async function modelOfRun(
  run: string,
  name: string,
  target: string | undefined,
  missing: XenarcError["parts"],
): Promise<Pick<Project, "file" | "model">> {
  const found = await openModel(target).catch((error: unknown) => {
    if (target !== undefined || !(error instanceof XenarcError) || error.fault !== "usage") throw error;
    throw new XenarcError(missing, "usage");
  });
  if (found.model.name === name) return found;
  throw foreign(found.file, run, `it defines ${found.model.name}, the run is of ${name}`);
}

/** A file is of another model than a run. */
export const foreign = (file: string, run: string, why: string): XenarcError =>
  new XenarcError(
    {
      what: `${file} is not the model that ${run} was trained with: ${why}.`,
      fix: "Name the model's file with --model.",
    },
    "usage",
  );

/** What is compared of a port. */
export interface Shape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** The first port that one side lacks or has in another form. */
export function differing(before: readonly Shape[], now: readonly Shape[]): string | undefined {
  const form = ({ name, shape, dtype }: Shape) => JSON.stringify([name, shape, dtype]);
  const alone = (ports: readonly Shape[], others: readonly Shape[]) => {
    const known = new Set(others.map(form));
    return ports.find((port) => !known.has(form(port)))?.name;
  };
  return alone(before, now) ?? alone(now, before);
}

/** A model with its resolved configuration: `config`, or `config.yaml` beside it if there is one, then the settings. */
export async function openProject(words: Words, config: string | undefined): Promise<Project> {
  const [{ file, model }, { explainConfig }] = await Promise.all([
    openModel(words.target),
    import("../emit/config.js"),
  ]);
  const beside = join(dirname(file), "config.yaml");
  const yamlFile = config ?? (existsSync(beside) ? beside : undefined);
  return { file, model, yamlFile, ...explainConfig(model.schema, { yamlFile, overrides: words.overrides }) };
}

function modelOf(module: Record<string, unknown>, file: string): ModelDefinition {
  const isModel = (value: unknown): value is ModelDefinition =>
    typeof value === "object" && value !== null && "schema" in value && "programs" in value;
  const model = module.default;
  if (isModel(model)) return model;
  const named = Object.keys(module).find((name) => isModel(module[name]));
  throw new XenarcError({
    what:
      "default" in module
        ? `What ${file} exports by default is no model.`
        : `${file} has no default export.${named === undefined ? "" : ` It exports a model by the name ${named}.`}`,
    where: [{ file }],
    expected: "export default defineModel({ name, config, build })",
  });
}

/** What to train on as the configuration says: its path, or those of a mixture; undefined: it says nothing. */
export function configuredData({ config, settings }: Project): readonly string[] | undefined {
  const { path, sources } = config.data;
  const fromThere = (key: string, named: string) => (named.includes("://") ? named : fromHere(settings, key, named)!);
  if (path) return [fromThere("data.path", path)];
  return sources?.map((source) => fromThere("data.sources", source.path));
}

/** The file with the chat template as the configuration says. */
export const configuredTemplate = ({ config, settings }: Project): string | undefined =>
  fromHere(settings, "data.chatTemplate", config.data.chatTemplate);

/** The tokenizer as the configuration says: a path, or another name. */
export function configuredTokenizer({ config, settings }: Project): string {
  const { tokenizer } = config.data;
  const path = fromHere(settings, "data.tokenizer", tokenizer);
  return path !== undefined && existsSync(path) ? path : tokenizer;
}

/** The weights to begin with as the configuration says. */
export const configuredWeights = ({ config, settings }: Project): string | undefined =>
  fromHere(settings, "train.from", config.train.from);

/** A path in a YAML file is meant from there, one given as an argument from here. */
function fromHere(settings: readonly Setting[], key: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  const origin = settings.find((setting) => setting.key === key)?.origin;
  return typeof origin === "object" ? relative(".", resolve(dirname(origin.file), path)) || "." : path;
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Whether an artifact's configuration names what to train on. */
export const namesData = ({ config }: Manifest): boolean => {
  const { path, sources } = (config.data ?? {}) as { path?: string; sources?: unknown };
  return Boolean(path ?? sources);
};

/** The folder of a run's artifact. */
export const artifactOf = (run: string): string => join(run, "artifact");

/** The artifact at a path: the folder itself, or that of a run. */
export function artifactAt(path: string): string | undefined {
  return [path, artifactOf(path)].find((folder) => existsSync(join(folder, "manifest.json")));
}

/** The artifact at a path that must have one. */
export function requireArtifact(path: string): string {
  const found = artifactAt(path);
  if (found !== undefined) return found;
  throw new XenarcError(
    {
      what: existsSync(path) ? `${path} is not an artifact: it has no manifest.json.` : `There is no folder ${path}.`,
      fix: "Make an artifact with: xenarc compile MODEL.ts -o DIR",
    },
    "usage",
  );
}

/** The steps of a run's checkpoints, oldest first. */
export function checkpoints(run: string): number[] {
  const folder = join(run, "checkpoints");
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** The folder of runs, unless `--run` says otherwise. */
export const RUNS = "runs";

/** What a sweep leaves in the folder of each of its runs: how it ended. */
export const RESULT = "result.json";

/** The run to generate from: the one given, or the one below `runs` whose newest checkpoint is the newest. */
export function requireRun(given: string | undefined): string {
  if (given !== undefined) {
    if (checkpoints(given).length > 0) return given;
    const [best, ...others] = runsIn(given).sort((a, b) => judged(a) - judged(b));
    if (best !== undefined) {
      const lowest = others.length > 0 && judged(best) < Number.MAX_VALUE;
      throw new XenarcError(
        {
          what: `${given} is no run: it holds ${others.length === 0 ? "one" : `${others.length + 1} of them`}.`,
          fix: `Name the run itself${lowest ? "; this one has the lowest validation loss" : ""}: ${best}`,
        },
        "usage",
      );
    }
    const what = existsSync(given) ? `${given} has no checkpoint.` : `There is no folder ${given}.`;
    throw new XenarcError({ what, fix: `Train first: xenarc train --run ${given}` }, "usage");
  }
  const saved = (run: string) => statSync(join(run, "checkpoints", String(checkpoints(run).at(-1)))).mtimeMs;
  const [newest] = runsIn(RUNS).sort((a, b) => saved(b) - saved(a));
  if (newest !== undefined) return newest;
  throw new XenarcError(
    {
      what: `There is no trained model in ${RUNS}/ here.`,
      fix: "Train one with xenarc train, or name a run with --run DIR.",
    },
    "usage",
  );
}

/** The folders in one that have checkpoints. */
const runsIn = (folder: string): string[] =>
  (isFolder(folder) ? readdirSync(folder) : [])
    .map((name) => join(folder, name))
    .filter((run) => checkpoints(run).length > 0);

/** A run's validation loss, as a sweep has noted it. */
function judged(run: string): number {
  try {
    return JSON.parse(readFileSync(join(run, RESULT), "utf8")).validation ?? Number.MAX_VALUE;
  } catch {
    return Number.MAX_VALUE;
  }
}

/** An entry point's name among those of an artifact. */
export function requireEntry(entry: string, entries: readonly string[]): void {
  if (entries.includes(entry)) return;
  throw new XenarcError(
    {
      what: `The artifact has no entry point "${entry}".${didYouMean(entry, entries)}`,
      expected: `one of ${entries.join(", ")}.`,
    },
    "usage",
  );
}
