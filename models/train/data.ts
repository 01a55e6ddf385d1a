/** The section `data` of the configuration: what a model is trained on. The runtime reads it (xenarc_runtime/data/settings.py). */
import { z } from "zod";
import { DTYPES, KINDS } from "./formats.js";

const count = z.int().positive();

const sourceFields = {
  /** The format; default: told by the names of the files, or by how they begin. */
  kind: z.enum(KINDS).optional(),
  /** Which value of a record is the text or the token ids; default: one of a usual name (`text`, `content`, `input_ids`, `tokens`), or the only text. */
  field: z.string().min(1).optional(),
  /** What a `bin` file holds; default: `uint16` where that is enough for the vocabulary. */
  dtype: z.enum(DTYPES).optional(),
};

/** Records that are not trained on. */
const filtersSchema = z.strictObject({
  /** Bounds of a document's number of tokens. */
  length: z
    .strictObject({
      /** The fewest tokens of a document. Default: any. */
      min: count.optional(),
      /** The most tokens of a document. Default: any. */
      max: count.optional(),
    })
    .optional(),
  /** The least share of a text's characters that are letters, or that `characters`, a regular expression, matches. */
  alphabet: z
    .strictObject({
      /** A regular expression (Python's) of the characters that count. Default: letters. */
      characters: z.string().min(1).optional(),
      /** Their least share of all characters, from 0 to 1. */
      share: z.number().min(0).max(1),
    })
    .optional(),
  /** A regular expression (Python's) that must be found in a text. */
  match: z.string().min(1).optional(),
  /** One that must not. */
  exclude: z.string().min(1).optional(),
  /** Of equal texts, or of those whose words are nearly the same, the first is kept. All data are read for it before training. */
  duplicates: z.enum(["exact", "near"]).optional(),
  /** How much of what two near duplicates say is the same, from 0 to 1: the Jaccard similarity of their runs of five words. */
  similarity: z.number().gt(0).max(1).default(0.8),
});

/** What a model is trained on. */
export const dataSchema = z
  .strictObject({
    /** A file, a folder, a glob, or a URL that fsspec reaches; none: given on the command line. */
    path: z.string().min(1).optional(),
    /** A mixture instead of one path: of every source the share of rows that its weight is of all weights. */
    sources: z
      .array(
        z.strictObject({
          /** A file, a folder, a glob, or a URL that fsspec reaches. */
          path: z.string().min(1),
          /** Its share of the rows is this, of all sources' weights. 0: it is left out. */
          weight: z.number().nonnegative().default(1),
          ...sourceFields,
        }),
      )
      .min(1)
      .optional(),
    ...sourceFields,
    /**
     * How text becomes tokens: `bytes`; `characters`, whose vocabulary is made from the training text; the path of a `tokenizer.json` or of
     * its folder; or a name in the local Hugging Face cache, such as Qwen/Qwen3-8B.
     */
    tokenizer: z.string().min(1).default("bytes"),
    /** A file with the Jinja template that makes text of conversations; default: the tokenizer's own. */
    chatTemplate: z.string().optional(),
    /** The share of the data that is kept for validation: the end of a text, of token ids or of numbered records; of streams a record here and there. */
    validation: z.number().min(0).lt(1).default(0.1),
    /** The most rows that are evaluated; default: all of a text or of token ids, 1024 of records. */
    validationRows: count.optional(),
    /** Seed of the order of the data; default: `train.seed`. */
    seed: z.int().nonnegative().max(0xffffffff).optional(),
    /** What a record is: a `text`, a `completion` (a prompt and its answer), or a `chat` (messages). */
    format: z.enum(["text", "completion", "chat"]).default("text"),
    /** Of completions and chats the answers alone are learnt; prompts are only read. */
    answersOnly: z.boolean().default(true),
    /** Documents share rows, and none sees another: positions begin anew with each. */
    packing: z.boolean().default(false),
    /**
     * Lengths of sequences that there is a train step of its own for, below `model.context`: a document goes to the shortest that it fits,
     * with others of about its length. The shorter, the more sequences: a step of each has about as many tokens.
     */
    buckets: z.array(count).default([]),
    /** How many documents of a stream are shuffled at a time; 0: none, and numbered records are not shuffled either. */
    shuffle: z.int().nonnegative().default(1024),
    /** Processes that read and tokenize ahead; 0: a thread. */
    workers: z.int().nonnegative().default(0),
    /** Batches that are made ahead, by each worker. */
    prefetch: count.default(2),
    /** What a broken record does: ends the run, or is left out and counted. */
    onBadRecord: z.enum(["abort", "skip"]).default("abort"),
    filters: filtersSchema.prefault({}),
    /** Of what type a record is: the value that says so, and what it may be. Records without such a value are of none. */
    types: z
      .strictObject({
        /** Which value of a record says it. */
        field: z.string().min(1),
        /** What it may be. */
        values: z.array(z.string().min(1)).min(2),
      })
      .optional(),
  })
  .refine(({ path, sources }) => path === undefined || sources === undefined, {
    path: ["sources"],
    message: "data are named by data.path or by data.sources, not by both",
  })
  .refine(({ packing, buckets }) => !packing || buckets.length === 0, {
    path: ["buckets"],
    message: "documents are packed into rows or batched by length, not both",
  });

/** A resolved section `data`. */
export type DataConfig = z.infer<typeof dataSchema>;
