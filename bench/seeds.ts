/**
 * `npm run seeds`: the figures of docs/models. Compiles the full sizes of the systems for their pods with the TPU compiler, one after the
 * other; with `--train` trains their small configurations, whole and without each component. What was measured is kept in
 * docs/models/seeds.json, and docs/models/seeds.md is written from it: systems can be run one at a time.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { execa } from "execa";
import { z } from "zod";
import { packageRoot } from "../compiler/source/package.js";
import { compile } from "../emit/compile.js";
import { resolveConfig } from "../emit/config.js";
import { train } from "../runtime-bridge/bridge.js";
import { ENTRIES, type FullSize, systems } from "./systems.js";

const judgementSchema = z.object({
  entry: z.string(),
  seconds: z.number(),
  verdict: z
    .object({
      memory: z.object({ total: z.number(), available: z.number() }),
      flops: z.number(),
      roofline: z.object({ step: z.number(), bound: z.string() }),
    })
    .optional(),
  outOfMemory: z.object({ needed: z.number().nullable(), available: z.number().nullable() }).optional(),
});
const compiledSchema = z.object({
  parameters: z.number(),
  target: z.string(),
  verdict: z.array(judgementSchema),
});
/** What was measured, by system, and by the name of a full size or of the component that was left out. */
const measuredSchema = z.object({
  full: z.record(z.string(), z.record(z.string(), compiledSchema)).default({}),
  small: z
    .record(z.string(), z.record(z.string(), z.object({ loss: z.number(), seconds: z.number().optional() })))
    .default({}),
});
type Measured = z.infer<typeof measuredSchema>;

const docs = join(packageRoot, "docs", "models");
const kept = join(docs, "seeds.json");
const measured: Measured = measuredSchema.parse(existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : {});

/** Compiles a full size as a user does. */
async function compileFull(system: string, { file, overrides = [], entries = ENTRIES }: FullSize, folder: string) {
  const at = join(packageRoot, "models", system);
  const words = ["compile", join(at, "model.ts"), ...overrides, "-c", join(at, file), "-o", join(folder, "artifact")];
  const only = ["--only", ...entries, "--no-locations", "--json"];
  const command = [join(packageRoot, "dist/cli/main.js"), ...words, ...only];
  const { stdout } = await execa(process.execPath, command, { stderr: "inherit" });
  return compiledSchema.parse(JSON.parse(stdout));
}

/** Trains a small configuration on a text; the loss over all of its last tenth, and of a whole one the time that it takes. */
async function trainSmall(system: string, overrides: readonly string[], data: string, folder: string) {
  const { definition } = systems[system]!;
  const yamlFile = join(packageRoot, "models", system, "small.yaml");
  const config = resolveConfig(definition.schema, { yamlFile, overrides });
  const artifact = join(folder, "artifact");
  await (await compile(definition, config)).write(artifact);
  const began = performance.now();
  const done = await train({ artifact, run: join(folder, "run"), data });
  const isWhole = overrides.length === 0;
  return { loss: done.validation_loss!, ...(isWhole && { seconds: (performance.now() - began) / 1000 }) };
}

const gib = (n: number | null): string => (n === null ? "?" : (n / 2 ** 30).toFixed(2));
const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] => [
  row(head),
  row(head.map(() => "---")),
  ...rows.map(row),
];

function page({ full, small }: Measured): string {
  const rows = Object.entries(full).flatMap(([system, sizes]) =>
    Object.entries(sizes).flatMap(([name, { parameters, target, verdict }]) =>
      verdict.map(({ entry, seconds, verdict: v, outOfMemory }) => {
        const [needed, has] = v
          ? [v.memory.total, v.memory.available]
          : [outOfMemory?.needed ?? null, outOfMemory?.available ?? null];
        const fits = v ? "yes" : needed && has ? `no, by ${gib(needed - has)}` : "no";
        const work = v
          ? [`${(v.flops / 1e12).toFixed(1)}`, `${v.roofline.step.toPrecision(3)} (${v.roofline.bound})`]
          : ["", ""];
        const size = `${(parameters / 1e9).toFixed(2)} B`;
        return [system, name, target, size, entry, gib(needed), gib(has), fits, ...work, seconds.toFixed(0)];
      }),
    ),
  );
  const head = ["system", "configuration", "target", "parameters", "entry point", "GiB a device", "usable", "fits"];
  const losses = Object.entries(small).flatMap(([system, runs]) =>
    Object.entries(runs).map(([name, { loss, seconds }]) => {
      const minutes = seconds === undefined ? "" : (seconds / 60).toFixed(1);
      return [system, name, loss.toFixed(3), minutes];
    }),
  );
  return [
    "# Figures of the systems",
    "",
    "Written by `npm run seeds` (bench/seeds.ts); do not edit. Compiled by libtpu without a TPU: memory is the compiler's account, the time of a",
    "step a roofline (no step is faster), FLOPs those of one device, compile time that of the machine it ran on. What is not here is not measured.",
    "",
    ...table([...head, "TFLOP a step", "least seconds a step", "compiled in, s"], rows),
    ...(losses.length === 0
      ? []
      : [
          "",
          "Small configurations, on the last tenth of tinyshakespeare: whole, and without each component.",
          "",
          ...table(["system", "without", "nats a byte", "minutes"], losses),
        ]),
    "",
  ].join("\n");
}

function keep(): void {
  mkdirSync(docs, { recursive: true });
  writeFileSync(kept, `${JSON.stringify(measured, null, 2)}\n`);
  writeFileSync(join(docs, "seeds.md"), page(measured));
}

const command = new Command("npm run seeds --")
  .description("Measures what docs/models/seeds.md says of the systems in models/.")
  .addArgument(new Argument("[system...]", "which (default: all)").choices(Object.keys(systems)))
  .option("--only <name>", "the one full size, or component, of this name")
  .option(
    "--train",
    "train the small configurations, whole and without each component, instead of compiling the full sizes",
  )
  .option("--data <file>", "the text that they are trained on")
  .parse();
const { only, train: trains, data } = command.opts<{ only?: string; train?: boolean; data?: string }>();
if (trains && data === undefined) command.error("--train needs --data FILE: the text to train on.");

for (const system of command.args.length > 0 ? command.args : Object.keys(systems)) {
  const { components, full } = systems[system]!;
  const small = { nothing: [], ...components };
  const work = trains
    ? Object.entries(small).map(([name, overrides]) => ({
        name,
        run: (f: string) => trainSmall(system, overrides, data!, f),
      }))
    : full.map((size) => ({ name: size.name, run: (f: string) => compileFull(system, size, f) }));
  for (const { name, run } of work.filter((w) => only === undefined || w.name === only)) {
    const folder = mkdtempSync(join(tmpdir(), "xenarc-seeds-"));
    try {
      console.log(`${system}: ${name}`);
      const part = (trains ? measured.small : measured.full) as Record<string, Record<string, unknown>>;
      part[system] = { ...part[system], [name]: await run(folder) };
      keep();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
