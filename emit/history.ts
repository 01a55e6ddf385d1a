/** `run.json` in a run's folder: the starts that its state comes from, each with what it was made of. The runtime writes it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";
import { meshSchema, parseVersioned, sha256 } from "./manifest.js";

/** The file's name in a run's folder. */
export const HISTORY = "run.json";
/** The newest schema this version reads. */
const SCHEMA_VERSION = 1;

const count = z.int().nonnegative();

/** A source of data: its files, and what tells them from others. Names are from the folder that they share. */
export const sourceSchema = z.strictObject({
  path: z.string(),
  count,
  bytes: count,
  /** Of the names and the hashes of all files. */
  sha256,
  /** Absent: there are too many. A `sha256` is of all of a text, and of samples of a long file of another kind. */
  files: z.array(z.strictObject({ name: z.string(), bytes: count, sha256 })).optional(),
});

/** What the command line tells of itself. */
export const commandSchema = z.strictObject({
  /** As it would be typed. */
  line: z.string(),
  /** The working directory, from the run's folder. */
  directory: z.string(),
  /** Versions. */
  xenarc: z.string(),
  node: z.string(),
  /** SHA-256 of the lock of the Python packages. */
  lock: sha256,
  /** The repository that the model is in. */
  git: z.strictObject({ commit: z.string(), dirty: z.boolean() }).optional(),
  /** SHA-256 of each file in the folder `source`, the model first; absent: an artifact was trained. */
  source: z.record(z.string(), sha256).optional(),
});

/** A start of a run. Paths are from the run's folder, if they are not absolute. */
export const startSchema = z.strictObject({
  at: z.string(),
  /** 0, or that of the checkpoint that it went on from. */
  step: count,
  /** SHA-256 of the artifact's manifest, which has those of all files. */
  artifact: sha256,
  versions: z.record(z.string(), z.string()),
  devices: z.strictObject({ kind: z.string(), count }),
  processor: z.string(),
  processes: count,
  /** Variables of the environment that programs are compiled by. */
  environment: z.record(z.string(), z.string()),
  /** The resolved configuration, with the seed. */
  config: z.record(z.string(), z.json()),
  mesh: meshSchema.shape.axes.optional(),
  /** `paths`: of all sources; `sources`: those that have a weight. */
  data: z.strictObject({ paths: z.array(z.string()), sources: z.array(sourceSchema) }),
  /** What it began with: a checkpoint, or a folder of safetensors files. */
  weights: z.strictObject({ path: z.string(), sha256 }).optional(),
  /** Those of PEFT's that it put on the weights. */
  adapters: z.strictObject({ path: z.string(), sha256 }).optional(),
  command: commandSchema.optional(),
});

/** `run.json`. */
export const historySchema = z.strictObject({
  schema: z.literal(SCHEMA_VERSION),
  /** The first from the beginning, each of the others from a checkpoint of those before it. */
  starts: z.tuple([startSchema], startSchema),
});

/** A source of data: its files, and what tells them from others. */
export type Source = z.infer<typeof sourceSchema>;
/** What the command line tells of itself. */
export type Command = z.infer<typeof commandSchema>;
/** A start of a run. */
export type Start = z.infer<typeof startSchema>;
/** The contents of `run.json`. */
export type History = z.infer<typeof historySchema>;

/** The history of the run in a folder. @throws XenarcError where there is none, or it cannot be read. */
export function readHistory(run: string): History {
  const file = join(run, HISTORY);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === "ENOENT" || code === "ENOTDIR";
    throw new XenarcError(
      {
        what: missing ? `${run} is no run's folder: it has no ${HISTORY}.` : `${file} cannot be read (${code}).`,
        expected: "the folder of a run that xenarc train made, such as runs/NAME.",
      },
      "usage",
    );
  }
  const damaged = "Bring it back from a copy.";
  return parseVersioned(text, historySchema, { what: "history", whole: "run", newest: SCHEMA_VERSION, file, damaged });
}
