/** The manifest of an artifact: the one schema, read by the compiler, the runtime and whoever serves the model. */
import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";

/** The newest schema this version writes and reads. */
export const SCHEMA_VERSION = 1;

/** A SHA-256 in lower-case hexadecimal. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in lower-case hexadecimal");

/** A path inside the artifact: relative, with `/`, never upwards. */
const insidePath = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/, "must be a path inside the artifact");

const name = z.string().min(1);
const index = z.int().nonnegative();

const fileSchema = z.strictObject({ file: insidePath, sha256 });

/**
 * An argument or a result of a program. `state` and `cache` are threaded from the output of a name to the input of that
 * name; `batch` is fed from the data; `argument` is given by the caller; `metric` and `result` are read by the caller. A
 * `print` is shown, and an `assert` that is not all true stops the run; both count only if the `.../when` beside them is true.
 */
export const portSchema = z.strictObject({
  name,
  role: z.enum(["state", "batch", "cache", "argument", "metric", "result", "print", "assert"]),
  /** Names of the axes, outermost first; empty for a scalar. */
  axes: z.array(name),
  shape: z.array(index),
  /** MLIR's name of the element type: `f32`, `bf16`, `i32`, `ui32`, ... */
  dtype: name,
  /** The mesh axes that each dimension is split over, outermost first; absent without a mesh. */
  sharding: z.array(z.array(name)).optional(),
  /** The memory that it lies in; absent: the device's own. */
  memory: z.literal("pinned_host").optional(),
  /** Of an output: it is the input of its name, as it was given. */
  frozen: z.literal(true).optional(),
  /** What to print (`{}` stands for the value), or to say when the assertion failed: of `print` and `assert`. */
  message: z.string().optional(),
});

/** A program as XLA compiled it ahead of time; only such devices under such versions can load it. */
export const executableSchema = z.strictObject({
  ...fileSchema.shape,
  /** XLA's name of the kind of device: `TPU v4`. */
  device: name,
  devices: z.int().positive(),
  /** Of jaxlib and libtpu. */
  versions: z.record(z.string(), name),
});

/** One entry point. */
export const programSchema = z.strictObject({
  ...fileSchema.shape,
  options: fileSchema,
  inputs: z.array(portSchema),
  outputs: z.array(portSchema),
  /** Pairs of an input and the output that takes over its memory. */
  donated: z.array(z.tuple([index, index])),
  executable: executableSchema.optional(),
  /** What the numbers of an anomaly program's result mean: see emit/checks.ts. */
  checks: fileSchema.optional(),
});

/** The devices that the programs run on: a grid with named axes, the first outermost. */
export const meshSchema = z.strictObject({
  axes: z.array(
    z.strictObject({
      name,
      size: z.int().positive(),
      /** How many of `size` lie across slices. Default 1. */
      slices: z.int().positive().optional(),
    }),
  ),
});

/** How `transformers` knows the model: see models/hugging_face.ts. */
export const huggingFaceSchema = z.strictObject({
  /** The fields of config.json. */
  config: z.record(z.string(), z.json()),
  /** Keys of it, at any depth, whose numbers are floating ones. */
  floats: z.array(name),
  /**
   * By a parameter's path. In `name`, axes in braces stand for the number along them, as one where there are several; `dimensions` are the
   * tensor's there, each of an axis or of several as one.
   */
  tensors: z.record(z.string(), z.strictObject({ name, dimensions: z.array(z.array(name).min(1)) })),
});

/** `manifest.json`. */
export const manifestSchema = z.strictObject({
  schema: z.literal(SCHEMA_VERSION),
  name,
  /** The version of xenarc that wrote the artifact. */
  xenarc: name,
  model: z.strictObject({
    parameters: index,
    /** Operations of the model in a step of training, on all devices, however often the program computes them. */
    flops_per_step: z.number().nonnegative().optional(),
  }),
  /** What a device of the target can do at most, in operations/s (bf16); absent where that is not known. */
  device: z.strictObject({ platform: z.enum(["tpu", "gpu"]), peak_flops: z.number().positive() }).optional(),
  /** The resolved configuration (`model`, `train`, `data`, ...): what the programs were compiled from. */
  config: z.record(z.string(), z.json()),
  /** Absent: one device. */
  mesh: meshSchema.optional(),
  /** How text becomes tokens; but for `bytes` by the library `tokenizers`, from the `tokenizer.json` among the files. */
  tokenizer: z.strictObject({
    kind: z.enum(["bytes", "characters", "json"]),
    files: z.array(fileSchema).optional(),
  }),
  /** Absent: weights are exported under xenarc's names. */
  huggingFace: huggingFaceSchema.optional(),
  /** Kernels that the programs need from the runtime, by name. */
  kernels: z.array(name),
  programs: z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), programSchema),
});

/** An argument or a result of a program. */
export type Port = z.infer<typeof portSchema>;
/** One entry point. */
export type Program = z.infer<typeof programSchema>;
/** A program as XLA compiled it ahead of time. */
export type Executable = z.infer<typeof executableSchema>;
/** The contents of `manifest.json`. */
export type Manifest = z.infer<typeof manifestSchema>;

/** How a JSON file with a schema's version is spoken of. */
export interface Versioned {
  /** What the file is, and what it is of: the `manifest` of an `artifact`. */
  readonly what: string;
  readonly whole: string;
  /** The newest version that is read. */
  readonly newest: number;
  readonly file: string;
  /** What to do where it is damaged, and, besides an update of xenarc, where it is newer. */
  readonly damaged: string;
  readonly newer?: string;
}

/** The contents of a JSON file. @throws XenarcError where it is none, of a newer schema, or damaged. */
export function parseVersioned<S extends z.ZodType>(text: string, schema: S, about: Versioned): z.output<S> {
  const { what, whole, newest, file, damaged: fix, newer = "" } = about;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new XenarcError({ what: `The ${what} is not JSON: ${(error as Error).message}`, where: [{ file }], fix });
  }
  const version = typeof json === "object" && json !== null && "schema" in json ? json.schema : undefined;
  if (typeof version === "number" && version > newest) {
    throw new XenarcError({
      what: `The ${whole} was written by a newer xenarc: its schema is ${version}, this one reads up to ${newest}.`,
      where: [{ file }],
      fix: `Update xenarc${newer}.`,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") || what;
  throw new XenarcError({ what: `The ${what} is damaged: \`${where}\`: ${issue?.message}.`, where: [{ file }], fix });
}
