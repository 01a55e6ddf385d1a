/**
 * A run's folder as a training takes it: what is refused, what takes the place of what is there, and what comes back where the run does
 * not begin.
 */
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import { readManifest } from "../emit/artifact.js";
import { byKey } from "../emit/config.js";
import { HISTORY, readHistory } from "../emit/history.js";
import type { Manifest } from "../emit/manifest.js";
import { typed } from "../runtime-bridge/launch/plan.js";
import { asTyped, hashOf } from "./origin.js";
import { artifactAt, artifactOf, checkpoints } from "./project.js";

/** What is done about a run that is there already. */
export interface Existing {
  readonly resume?: boolean;
  readonly overwrite?: boolean;
}

/** Said before anything is compiled. */
export function refuseFolder(run: string, { resume, overwrite }: Existing): void {
  refuseForeign(run);
  const newest = checkpoints(run).at(-1);
  if (newest === undefined || overwrite) return;
  if (resume) {
    refuseUntrained(run);
    return;
  }
  throw new XenarcError(
    {
      what: `${run} has a trained model already, saved at step ${newest}.`,
      fix: "Go on from it with --resume, start anew with --overwrite, or name another folder with --run DIR.",
    },
    "usage",
  );
}

/** What is no training's, as of `xenarc prune-experts`, has weights alone. */
function refuseUntrained(run: string): void {
  if (existsSync(join(run, HISTORY))) return;
  throw new XenarcError(
    {
      what: `${run} cannot be resumed: no training has written it, so that its checkpoint has weights alone, and no optimizer's state.`,
      fix: `Begin a new run with its weights: ${asTyped(["train", "-c", join(run, "config.yaml"), "--from", run, "--run", "DIR"])}`,
    },
    "usage",
  );
}

/** A folder of runs or of one must be one, or be made. */
export function refuseFile(folder: string): void {
  const there = aboveThatIs(folder);
  if (statSync(there).isDirectory()) return;
  const what = there === resolve(folder) ? `${folder} is a file.` : `${folder} is in no folder: ${there} is a file.`;
  throw new XenarcError({ what, fix: "Name a folder: --run DIR" }, "usage");
}

/** A run writes into its folder, and deletes in it: a folder that has something and is no run's is left alone. */
export function refuseForeign(run: string): void {
  refuseFile(run);
  if (!existsSync(run)) return;
  const inside = readdirSync(run).filter((name) => !name.startsWith(".") && !name.startsWith("artifact."));
  if (inside.length === 0 || existsSync(join(run, HISTORY)) || artifactAt(run) || checkpoints(run).length > 0) return;
  const some = inside.slice(0, 3).join(", ") + (inside.length > 3 ? ` and ${inside.length - 3} more` : "");
  throw new XenarcError(
    {
      what: `${run} is no run's folder: it has ${some}. A run would write over what is there.`,
      fix: "Name a new folder, or an empty one: --run DIR",
    },
    "usage",
  );
}

/** The innermost folder or file of a path that is there. */
function aboveThatIs(path: string): string {
  let at = resolve(path);
  while (!existsSync(at)) at = dirname(at);
  return at;
}

/** Does work that makes and fills a run's folder. Where it fails before the run has begun, a folder that was not there is gone again. */
export async function inNewFolder<T>(run: string, work: () => Promise<T>): Promise<T> {
  const above = aboveThatIs(run);
  try {
    return await work();
  } catch (error) {
    settle(run);
    if (above !== resolve(run) && ![HISTORY, "stacks"].some((name) => existsSync(join(run, name)))) {
      rmSync(run, { recursive: true, force: true });
      for (let at = dirname(resolve(run)); at !== above; at = dirname(at)) {
        if (existsSync(at) && readdirSync(at).length === 0) rmdirSync(at);
      }
    }
    throw error;
  }
}

/** What a start puts in the place of another's, from what is needed last to what is needed first. */
const PUT = ["source", "artifact"];

const aside = (run: string, name: string): string => join(run, `${name}.before`);

/**
 * Puts an artifact in the place of the run's, which stays beside it, with its source, until {@link settle}.
 * @throws XenarcError when the run is to be resumed and its checkpoints do not fit.
 */
export async function put(run: string, draft: string, { resume }: Existing): Promise<void> {
  const folder = artifactOf(run);
  try {
    if (resume && existsSync(folder)) compareStates(await readManifest(folder), await readManifest(draft), folder);
    for (const name of PUT) if (existsSync(join(run, name))) renameSync(join(run, name), aside(run, name));
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What was {@link put} there stays if the run has begun with it; otherwise what was there before comes back. */
export function settle(run: string): void {
  const replaced = existsSync(aside(run, "artifact"));
  const begun = replaced && beganWith(run);
  for (const name of [...PUT].reverse()) {
    const [now, before] = [join(run, name), aside(run, name)];
    if (begun) rmSync(before, { recursive: true, force: true });
    else if (replaced || existsSync(before)) {
      rmSync(now, { recursive: true, force: true });
      if (existsSync(before)) renameSync(before, now);
    }
  }
}

/** Whether the run's history says that it was last started with the artifact that it has. */
function beganWith(run: string): boolean {
  try {
    return readHistory(run).starts.at(-1)!.artifact === hashOf(join(artifactOf(run), "manifest.json"));
  } catch {
    return false;
  }
}

/** A checkpoint can be resumed by a program whose state is the same, with the same ids for the same text. */
function compareStates(before: Manifest, now: Manifest, folder: string): void {
  if (JSON.stringify(before.tokenizer) !== JSON.stringify(now.tokenizer)) {
    throw new XenarcError({
      what: `The tokenizer is not the one that the model in ${folder} was trained with.`,
      fix: "Resume with that one, on a text with the same characters if it is made of them; or train from the beginning: --run DIR.",
    });
  }
  refuseOtherAdapters(before, now, folder);
  const states = (manifest: Manifest) =>
    new Map(
      (manifest.programs.train_step?.inputs ?? [])
        .filter((port) => port.role === "state")
        .map((port) => [port.name, `${port.dtype}[${port.shape.join(", ")}]`]),
    );
  const [old, current] = [states(before), states(now)];
  const names = new Set([...old.keys(), ...current.keys()]);
  const changed = [...names].filter((name) => old.get(name) !== current.get(name));
  if (changed.length === 0) return;
  const [name] = changed as [string];
  const more = changed.length > 1 ? `, and ${changed.length - 1} more` : "";
  const settings = changedSettings(before, now);
  const anew = "from the beginning: give another folder with --run DIR, or --overwrite this one.";
  throw new XenarcError({
    what: `The model is not the one that was trained: \`${name}\` is ${old.get(name) ?? "absent"} in ${folder}, and ${current.get(name) ?? "absent"} now${more}.`,
    fix:
      settings.length === 0
        ? `Train it ${anew}`
        : `Resume with the settings that it was trained with (--config FILE; ${settings.join(", ")}), or train ${anew}`,
  });
}

/** How many settings are named that differ. */
const NAMED = 4;

/** The settings that a run had and that are others now: the model's and its controller's, or else those of training. */
function changedSettings(before: Manifest, now: Manifest): string[] {
  const ofSections = (...sections: string[]) => {
    const of = ({ config }: Manifest) => byKey(Object.fromEntries(sections.map((name) => [name, config[name]])));
    const text = (value: unknown) => JSON.stringify(value) ?? "absent";
    const current = of(now);
    return [...of(before)]
      .map(([key, value]) => [key, text(value)] as const)
      .filter(([key, value]) => !current.has(key) || text(current.get(key)) !== value);
  };
  const ofModel = ofSections("model", "control");
  const changed = ofModel.length > 0 ? ofModel : ofSections("train");
  const more = changed.length > NAMED ? [`and ${changed.length - NAMED} more`] : [];
  return [...changed.slice(0, NAMED).map(([key, value]) => `${key}=${value}`), ...more];
}

/** Adapters are no part of the model's file: who resumes must say again what they are. */
function refuseOtherAdapters(before: Manifest, now: Manifest, folder: string): void {
  const settings = ({ config }: Manifest) =>
    Object.entries((config.lora ?? {}) as Record<string, unknown>).map(
      ([key, value]) => `lora.${key}=${JSON.stringify(value)}`,
    );
  const [old, current] = [settings(before), settings(now)];
  if (old.length > 0 && current.length === 0) {
    throw new XenarcError({
      what: `The model in ${folder} was trained with adapters, and the configuration has none now.`,
      fix: `Say what they are, here or in the YAML file: ${typed(old)}`,
    });
  }
  if (old.length === 0 && current.length > 0) {
    throw new XenarcError({
      what: `The model in ${folder} was trained without adapters, and the configuration has some now.`,
      fix: "Train them beside its weights, in a folder of their own: --from RUN --run DIR; or leave lora out.",
    });
  }
}
