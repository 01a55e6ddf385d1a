/** `xenarc data tokenize` and `xenarc data stats`: what data become before training, and what they are. */
import { availableParallelism } from "node:os";
import { XenarcError } from "../../compiler/errors.js";
import { findTokenizer } from "../../emit/tokenizer.js";
import { type SourceOptions, stats, type TokenizeOptions, tokenize } from "../../runtime-bridge/bridge.js";
import type { EventOf, RuntimeEvent } from "../../runtime-bridge/events.js";
import { interruptible } from "../interrupt.js";
import { setUpPython } from "../setup.js";
import { bar, bytes, columns, count, duration, paint, percent, StatusLine, short, table } from "../terminal.js";

interface DataCommandOptions {
  readonly tokenizer: string;
  readonly kind?: string;
  readonly field?: string;
  readonly dtype?: string;
  readonly skipBad?: boolean;
  readonly json?: boolean;
}

export interface TokenizeCommandOptions extends DataCommandOptions {
  readonly out: string;
  readonly format: NonNullable<TokenizeOptions["format"]>;
  readonly shardTokens: number;
  readonly workers?: number;
}

export async function tokenizeCommand(sources: readonly string[], options: TokenizeCommandOptions): Promise<void> {
  const { out: output, format, shardTokens, workers = availableParallelism() } = options;
  const given = { ...sourcesOf(sources, options), output, format, shardTokens, workers };
  const done = await shown(options.json, (onEvent) => tokenize(given, onEvent));
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...done, event: undefined })}\n`);
    return;
  }
  const { bold } = paint(process.stdout);
  const shards = `${count(done.shards)} shard${done.shards === 1 ? "" : "s"} (${done.format}, ${done.dtype})`;
  const rows = [
    ["tokens", count(done.tokens)],
    [
      "documents",
      `${count(done.documents)}${done.bad > 0 ? `, ${count(done.bad)} more left out: they are broken` : ""}`,
    ],
    ["written", `${shards} and index.json in ${done.path}, in ${duration(done.seconds)}`],
  ];
  const settings = `data.path=${done.path} data.tokenizer=${options.tokenizer}`;
  process.stdout.write(`${table(rows).join("\n")}\n\nTrain on it with: ${bold(settings)}\n`);
}

export async function statsCommand(sources: readonly string[], options: DataCommandOptions): Promise<void> {
  const given = sourcesOf(sources, options);
  const found = await shown(options.json, (onEvent) => stats(given, onEvent));
  const text = options.json ? JSON.stringify({ ...found, event: undefined }, undefined, 2) : report(found).join("\n");
  process.stdout.write(`${text}\n`);
}

function sourcesOf(sources: readonly string[], options: DataCommandOptions): SourceOptions {
  const { tokenizer, kind, field, dtype, skipBad } = options;
  if (tokenizer === "characters") {
    throw new XenarcError(
      {
        what: "The vocabulary of `characters` is made when a model is compiled, from its training text.",
        fix: "Give another tokenizer: bytes, or that of an artifact (artifacts/NAME/tokenizer).",
      },
      "usage",
    );
  }
  return {
    sources,
    tokenizer: tokenizer === "bytes" ? tokenizer : findTokenizer(tokenizer),
    tokenizerName: tokenizer,
    ...(kind !== undefined && { kind }),
    ...(field !== undefined && { field }),
    ...(dtype !== undefined && { dtype }),
    ...(skipBad && { skipBad }),
  };
}

/** Shows how far the work is: a bar on a terminal; elsewhere nothing but what is worth saying. */
async function shown<T>(quiet: boolean | undefined, work: (onEvent: (event: RuntimeEvent) => void) => Promise<T>) {
  await setUpPython();
  const line = new StatusLine(process.stderr);
  const { dim, yellow } = paint(process.stderr);
  const started = performance.now();
  const working = ({ done, tokens }: EventOf<"working">) => {
    const seconds = (performance.now() - started) / 1000;
    const texts = [
      percent(done),
      `${short(tokens)} tokens`,
      done > 0 ? `${duration(seconds / done - seconds)} left` : "",
    ];
    return [bar(process.stderr, done, texts), ...texts].join("  ");
  };
  line.show(dim("reading"));
  return interruptible(() =>
    work((event) => {
      if (event.event === "working") line.show(working(event));
      if (event.event !== "log" || quiet) return;
      line.clear();
      process.stderr.write(`${event.level === "warning" ? yellow(event.message) : event.message}\n`);
    }),
  ).finally(() => line.clear());
}

/** Statistics on one screen. */
function report(found: EventOf<"statistics">): string[] {
  const { bold, dim, blue } = paint(process.stdout);
  const { unit, duplicates, sources, lengths, unigram, bigram, tokens_per_byte: perByte } = found;
  const [heading, ...rows] = table(
    [
      ["source", "kind", "files", "records", unit, "shortest", "median", "longest"],
      ...sources.map((source) => [
        source.path,
        source.kind,
        ...[source.files, source.records, source.tokens, source.shortest, source.median, source.longest].map(count),
      ]),
    ],
    "llrrrrrr",
  );
  const most = Math.max(1, ...lengths.map(({ records }) => records));
  const widest = Math.max(10, Math.min(40, columns(process.stdout) - 40));
  const bars = table(
    lengths.map(({ from, to, records }) => [
      from === to ? count(from) : `${count(from)} to ${count(to)}`,
      count(records),
      blue("█".repeat(Math.ceil((records / most) * widest))),
    ]),
    "rr",
  );
  const bad = sources.reduce((sum, source) => sum + source.bad, 0);
  const compared =
    duplicates.compared + duplicates.exact < duplicates.records
      ? ` (the first ${count(duplicates.compared)} compared)`
      : "";
  const size = sources.reduce((sum, source) => sum + (source.bytes ?? 0), 0);
  const entropy = (nats: number | null) =>
    nats === null
      ? "no token has another before it"
      : [
          `${nats.toFixed(3)} nats a ${unit === "bytes" ? "byte" : "token"}`,
          ...(perByte === null || unit === "bytes" ? [] : [`${(nats * perByte).toFixed(3)} a byte`]),
        ].join(", ");
  return [
    dim(heading!),
    ...rows,
    "",
    bold(`records by ${unit}`),
    ...bars,
    "",
    ...table([
      ["text", size > 0 ? bytes(size) : "token ids"],
      ["vocabulary", `${count(found.used)} of ${count(found.vocabulary)} ids of ${found.tokenizer}`],
      ["duplicates", `${count(duplicates.exact)} exact, ${count(duplicates.near)} near${compared}`],
      ...(bad > 0 ? [["broken", count(bad)]] : []),
      ["unigram", entropy(unigram)],
      ["bigram", entropy(bigram)],
    ]),
  ];
}
