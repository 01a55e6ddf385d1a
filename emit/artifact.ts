/** An artifact is a folder: programs, compile options, and a manifest with the hash of every file. */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { lstat, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import type { ChecksFile } from "./checks.js";
import { compileOptionsBytes, type XlaOptions } from "./compile_options.js";
import { makeFolder } from "./folder.js";
import {
  type Executable,
  type Manifest,
  manifestSchema,
  type Port,
  type Program,
  parseVersioned,
  SCHEMA_VERSION,
} from "./manifest.js";
import { withoutLocations } from "./print.js";
import { BYTES, type TokenizerSource } from "./tokenizer.js";

/** One entry point, as the compiler hands it over. */
export interface ProgramSource {
  /** `init`, `train_step`, ... */
  readonly name: string;
  /** StableHLO text. */
  readonly text: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Pairs of an input and the output that takes over its memory. */
  readonly donated?: readonly (readonly [input: number, output: number])[];
  readonly options?: XlaOptions;
  readonly checks?: ChecksFile;
}

/** What {@link writeArtifact} writes. */
export interface ArtifactSource {
  readonly name: string;
  /** The version of xenarc. */
  readonly xenarc: string;
  readonly parameters: number;
  readonly flopsPerStep?: number;
  readonly device?: Manifest["device"];
  readonly config: Manifest["config"];
  readonly mesh?: Manifest["mesh"];
  readonly huggingFace?: Manifest["huggingFace"];
  readonly kernels?: readonly string[];
  readonly programs: readonly ProgramSource[];
  /** Default: bytes. */
  readonly tokenizer?: TokenizerSource;
}

const MANIFEST = "manifest.json";

/**
 * Writes an artifact to `folder`, replacing an earlier one there. The same source gives the same bytes on any machine.
 * The folder appears whole or not at all. A folder that holds anything else is left alone, with an error.
 * Throws {@link XenarcError}: usage for such a folder, environment where the system does not let it be written.
 */
export async function writeArtifact(folder: string, source: ArtifactSource): Promise<Manifest> {
  const target = resolve(folder);
  const files = new Map<string, Uint8Array>();
  const add = (file: string, bytes: Uint8Array) => {
    files.set(file, bytes);
    return { file, sha256: sha256(bytes) };
  };
  const programs: Record<string, Program> = {};
  for (const program of source.programs) {
    programs[program.name] = {
      ...add(`programs/${program.name}.mlir`, new TextEncoder().encode(program.text)),
      options: add(`programs/${program.name}.options.pb`, compileOptionsBytes(program.options)),
      inputs: [...program.inputs],
      outputs: [...program.outputs],
      donated: (program.donated ?? []).map(([input, output]) => [input, output]),
      ...(program.checks && {
        checks: add(
          `programs/${program.name}.checks.json`,
          new TextEncoder().encode(`${stableJson(program.checks)}\n`),
        ),
      }),
    };
  }
  const { kind, files: tokenizer } = source.tokenizer ?? BYTES;
  const tokenizerFiles = [...tokenizer].map(([file, bytes]) => add(`tokenizer/${file}`, bytes));
  const manifest: Manifest = {
    schema: SCHEMA_VERSION,
    name: source.name,
    xenarc: source.xenarc,
    model: {
      parameters: source.parameters,
      ...(source.flopsPerStep !== undefined && { flops_per_step: source.flopsPerStep }),
    },
    ...(source.device && { device: source.device }),
    config: source.config,
    ...(source.mesh && { mesh: source.mesh }),
    tokenizer: { kind, ...(tokenizerFiles.length > 0 && { files: tokenizerFiles }) },
    ...(source.huggingFace && { huggingFace: source.huggingFace }),
    kernels: [...(source.kernels ?? [])],
    programs,
  };
  files.set(MANIFEST, new TextEncoder().encode(`${stableJson(manifest)}\n`));

  refuseForeign(target);
  const temporary = `${target}.${randomBytes(6).toString("hex")}`;
  // At once: a few files, which a short command would wait for longer if other threads wrote them.
  try {
    for (const [file, bytes] of files) {
      makeFolder(dirname(join(temporary, file)));
      writeFileSync(join(temporary, file), bytes);
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw unwritable(target, error as Error);
  }
  return manifest;
}

/** Adds the executable that XLA made of an entry point to an artifact; `file` is moved into it. */
export async function addExecutable(
  folder: string,
  entry: string,
  file: string,
  made: Pick<Executable, "device" | "devices" | "versions">,
): Promise<void> {
  const manifest = await readManifest(folder);
  const inside = `programs/${entry}.executable`;
  const bytes = await readFile(file);
  await writeFile(join(folder, inside), bytes);
  manifest.programs[entry]!.executable = { file: inside, sha256: sha256(bytes), ...made };
  const temporary = join(folder, `${MANIFEST}.${randomBytes(6).toString("hex")}`);
  await writeFile(temporary, `${stableJson(manifest)}\n`);
  await rename(temporary, join(folder, MANIFEST));
  await rm(file);
}

/**
 * The manifest of the artifact in `folder`, after every file it names has been found with its hash.
 * Throws {@link XenarcError} for a folder that is none, a newer schema, a file that is missing, altered or outside.
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = join(folder, MANIFEST);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new XenarcError({
      what:
        error.code === "ENOENT"
          ? `${folder} is not an artifact: it has no ${MANIFEST}.`
          : `${file} cannot be read (${error.code}).`,
      fix: `Make one with: xenarc compile MODEL.ts -o ${folder}`,
    });
  });
  const manifest = parseVersioned(text, manifestSchema, {
    what: "manifest",
    whole: "artifact",
    newest: SCHEMA_VERSION,
    file,
    damaged: "Compile the model again.",
    newer: ", or compile the model again with this version",
  });
  for (const file of manifest.tokenizer.files ?? []) await checkFile(folder, file);
  for (const program of Object.values(manifest.programs)) {
    await checkFile(folder, program);
    await checkFile(folder, program.options);
    if (program.executable) await checkFile(folder, program.executable);
    if (program.checks) await checkFile(folder, program.checks);
  }
  return manifest;
}

/** Sections of a configuration that make no other run of it. */
const BESIDES = ["checkpoint", "log"];

/**
 * What a training with an artifact computes, as a text that others' can be compared with: everything in it but where in the sources the
 * operations are from, and what is saved and told of a run. Throws as {@link readManifest} does.
 */
export async function essenceOf(folder: string): Promise<string> {
  const { xenarc: _, config, programs, ...manifest } = await readManifest(folder);
  const computed = await Promise.all(
    Object.entries(programs).map(async ([name, { checks: _, executable: __, ...program }]) => {
      const text = await readFile(join(folder, program.file), "utf8");
      return [name, { ...program, sha256: sha256(Buffer.from(withoutLocations(text))) }];
    }),
  );
  const settings = Object.fromEntries(Object.entries(config).filter(([section]) => !BESIDES.includes(section)));
  return stableJson({ ...manifest, config: settings, programs: Object.fromEntries(computed) });
}

/** The StableHLO text of an entry point. */
export async function readProgram(folder: string, manifest: Manifest, entry: string): Promise<string> {
  const program = manifest.programs[entry];
  if (program === undefined) {
    throw new XenarcError({
      what: `The artifact ${folder} has no entry point \`${entry}\`.`,
      expected: `one of ${Object.keys(manifest.programs).join(", ")}.`,
    });
  }
  return new TextDecoder().decode(await checkFile(folder, program));
}

/** Reads a file of the artifact; refuses a symbolic link on the way (it may lead anywhere) and other bytes than were hashed. */
async function checkFile(folder: string, entry: { file: string; sha256: string }): Promise<Uint8Array> {
  const path = join(folder, entry.file);
  if (!resolve(path).startsWith(resolve(folder) + sep)) {
    throw new XenarcError({ what: `The manifest names ${entry.file}, which is outside the artifact ${folder}.` });
  }
  let part = folder;
  for (const step of entry.file.split("/")) {
    part = join(part, step);
    const found = await lstat(part).catch(() => undefined);
    if (found === undefined) {
      throw new XenarcError({
        what: `The artifact ${folder} lacks its file ${entry.file}.`,
        fix: "Compile the model again.",
      });
    }
    if (found.isSymbolicLink()) {
      throw new XenarcError({
        what: `${part} is a symbolic link; an artifact holds its files itself.`,
        fix: "Compile the model again.",
      });
    }
  }
  const bytes = await readFile(path);
  if (sha256(bytes) !== entry.sha256) {
    throw new XenarcError({
      what: `${path} is not the file that the artifact was written with (its SHA-256 differs).`,
      fix: "Compile the model again; do not edit an artifact's files.",
    });
  }
  return bytes;
}

/** Only an artifact, an empty folder or nothing may be replaced. */
function refuseForeign(target: string): void {
  let entries: string[] = [];
  try {
    entries = readdirSync(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") {
      throw new XenarcError({ what: `${target} cannot be written: it is not a folder.` }, "usage");
    }
    if (code !== "ENOENT") throw unwritable(target, error as Error);
  }
  if (entries.length > 0 && !entries.includes(MANIFEST)) {
    throw new XenarcError(
      {
        what: `${target} is not an artifact and not empty; writing there would delete what it holds.`,
        fix: "Give another folder.",
      },
      "usage",
    );
  }
}

const unwritable = (target: string, { message }: Error): XenarcError =>
  new XenarcError(
    {
      // The system's reason without the path, which may be that of a file on its way.
      what: `The artifact cannot be written to ${target}: the system says "${message.replace(/, \w+ '.*$/s, "")}".`,
      fix: "Give a folder that can be written to.",
    },
    "environment",
  );

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** JSON with sorted keys, so that the order in which a configuration was put together does not show. */
function stableJson(value: unknown): string {
  const sorted = (_: string, item: unknown): unknown =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  return JSON.stringify(value, sorted, 2);
}
