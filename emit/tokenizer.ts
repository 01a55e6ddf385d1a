/** The tokenizer that `data.tokenizer` names, as files: read here, without Python, and part of the artifact from then on. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { nearest, XenarcError } from "../compiler/errors.js";
import type { Manifest } from "./manifest.js";

/** A tokenizer whose files are at hand. */
export interface TokenizerSource {
  /** `bytes`; `characters`, whose vocabulary was made from the training text; `json`: any other `tokenizer.json`. */
  readonly kind: Manifest["tokenizer"]["kind"];
  /** How many ids there are: one more than the largest. */
  readonly vocabulary: number;
  /** By their names, which are those of a tokenizer's folder in the Hugging Face world. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The bytes of UTF-8. */
export const BYTES: TokenizerSource = { kind: "bytes", vocabulary: 256, files: new Map() };

const MAIN = "tokenizer.json";
const TEMPLATE = "chat_template.jinja";
/** Special tokens and the chat template, where there are any. */
const BESIDE = ["tokenizer_config.json", "special_tokens_map.json", TEMPLATE];

const id = z.int().nonnegative();
/** What is read of a `tokenizer.json`: the ids. A vocabulary is a list of pieces in a Unigram model, and a mapping in all others. */
const tokenizerSchema = z.object({
  model: z.object({ vocab: z.union([z.record(z.string(), id), z.array(z.unknown())]) }),
  added_tokens: z.array(z.object({ id })).optional(),
});

/**
 * The tokenizer of a name: `bytes`, the path of a `tokenizer.json` or of the folder that has one, or the name of a repository in the local
 * Hugging Face cache. @throws XenarcError where there is none, or where it cannot be read. The network is not asked.
 */
export function readTokenizer(name: string): TokenizerSource {
  if (name === "bytes") return BYTES;
  if (name === "characters") {
    throw new XenarcError({
      what: "The vocabulary of `data.tokenizer: characters` is made from the training text, and there is none.",
      fix: "Name the text in the configuration (data.path) or with --data.",
    });
  }
  return readTokenizerFile("json", findTokenizer(name));
}

/** A `tokenizer.json`, and the files beside it. */
export function readTokenizerFile(kind: "characters" | "json", file: string): TokenizerSource {
  const files = new Map([[MAIN, readFileSync(file)]]);
  for (const beside of BESIDE) {
    const path = join(dirname(file), beside);
    if (existsSync(path)) files.set(beside, readFileSync(path));
  }
  return { kind, vocabulary: vocabularyOf(files.get(MAIN)!, file), files };
}

/** The tokenizer with the chat template in a file in place of its own. */
export function withTemplate(tokenizer: TokenizerSource, file: string | undefined): TokenizerSource {
  if (file === undefined) return tokenizer;
  if (!existsSync(file)) throw new XenarcError({ what: `There is no chat template ${file}: no such file.` }, "usage");
  return { ...tokenizer, files: new Map([...tokenizer.files, [TEMPLATE, readFileSync(file)]]) };
}

/** Whether a tokenizer makes text of conversations; the runtime tells it the same way (xenarc_runtime/tokenizer.py). */
export function hasTemplate({ files }: TokenizerSource): boolean {
  if (files.has(TEMPLATE)) return true;
  return BESIDE.some((name) => {
    const file = name.endsWith(".json") ? files.get(name) : undefined;
    const template = file && templateSchema.safeParse(parsed(file)).data?.chat_template;
    return typeof template === "string" || (template?.some((one) => one.name === "default") ?? false);
  });
}

const templateSchema = z.object({ chat_template: z.union([z.string(), z.array(z.object({ name: z.string() }))]) });

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function vocabularyOf(bytes: Uint8Array, file: string): number {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new XenarcError({
      what: `The tokenizer is not JSON: ${(error as Error).message}`,
      where: [{ file }],
      expected: `a ${MAIN} of the library "tokenizers", or the folder that has one.`,
    });
  }
  const parsed = tokenizerSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new XenarcError({
      what: `This is no tokenizer.json: \`${issue?.path.join(".")}\`: ${issue?.message}.`,
      where: [{ file }],
      expected: 'what the library "tokenizers" writes: {"model": {"vocab": ...}, "added_tokens": [...], ...}',
    });
  }
  const { model, added_tokens: added = [] } = parsed.data;
  let size = Array.isArray(model.vocab) ? model.vocab.length : 0;
  if (!Array.isArray(model.vocab)) for (const id of Object.values(model.vocab)) size = Math.max(size, id + 1);
  for (const { id } of added) size = Math.max(size, id + 1);
  return size;
}

/** The `tokenizer.json` that a path or a name in the cache leads to. @throws XenarcError where there is none. */
export function findTokenizer(name: string): string {
  const path = name.replace(/^~(?=\/|$)/, homedir());
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return path;
  if (found) return inFolder(path, name);
  if (isPath(name)) {
    throw new XenarcError({ what: `There is no tokenizer ${name}: no such file or folder.`, fix: GIVE }, "usage");
  }
  const hub = cacheFolder();
  const repository = join(hub, `models--${name.replaceAll("/", "--")}`);
  const reference = join(repository, "refs", "main");
  if (existsSync(reference)) {
    return inFolder(join(repository, "snapshots", readFileSync(reference, "utf8").trim()), name);
  }
  const meant = nearest(name, ["bytes", "characters"]);
  throw new XenarcError(
    {
      what: `There is no tokenizer ${name}: no file or folder of that name, and none in the local Hugging Face cache ${hub}.`,
      fix:
        meant === undefined
          ? `Download it once: hf download ${name} ${MAIN} ${BESIDE[0]}`
          : `Did you mean ${JSON.stringify(meant)}?`,
    },
    "usage",
  );
}

const GIVE = `Give the path of a ${MAIN}, a folder that has one, or a name such as Qwen/Qwen3-8B.`;

/** Whether a name can be that of a path alone, and of no repository. */
const isPath = (name: string): boolean => /^[./~]|\.json$/.test(name) || !/^[\w.-]+(\/[\w.-]+)?$/.test(name);

function inFolder(folder: string, name: string): string {
  const file = join(folder, MAIN);
  if (existsSync(file)) return file;
  const piece = existsSync(join(folder, "tokenizer.model")) ? " It has a tokenizer.model, of SentencePiece." : "";
  throw new XenarcError({
    what: `The tokenizer ${name} has no ${MAIN}: there is none in ${resolve(folder)}.${piece}`,
    fix:
      piece === ""
        ? isPath(name)
          ? GIVE
          : `Download it: hf download ${name} ${MAIN} ${BESIDE[0]}`
        : `transformers converts it: AutoTokenizer.from_pretrained(...).save_pretrained(...)`,
  });
}

/** Where `huggingface_hub` keeps what it downloaded, by its variables. */
function cacheFolder(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, "hub");
}
