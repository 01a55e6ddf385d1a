/** `npm run bench`: runs all benches or the named ones, prints a table for each, and writes everything to bench/results/latest.json. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { packageRoot } from "../compiler/source/package.js";
import chain from "./chain.js";
import checkpoint from "./checkpoint.js";
import data_ from "./data.js";
import { type Bench, holds, leastPairs, machine, type Options, type Row, Skipped, table } from "./harness.js";
import hierarchy from "./hierarchy.js";
import memory from "./memory.js";
import plan from "./plan.js";
import process_ from "./process.js";
import quality from "./quality.js";
import step from "./step.js";
import tpu from "./tpu.js";
import trace from "./trace.js";

const benches: readonly Bench[] = [
  trace,
  process_,
  chain,
  step,
  memory,
  hierarchy,
  data_,
  checkpoint,
  plan,
  quality,
  tpu,
];

interface Report {
  readonly machine: string;
  readonly date: string;
  readonly benches: Record<string, { claim: string; rows?: Row[]; skipped?: string }>;
}

const command = new Command("npm run bench --")
  .description(
    "Measures xenarc against its peers; writes bench/results/latest.json. Exit code 1 where a claim is not kept.",
  )
  .addArgument(new Argument("[bench...]", "which (default: all)").choices(benches.map(({ name }) => name)))
  .addOption(
    new Option("--pairs <n>", `interleaved pairs of runs, at least ${leastPairs}`)
      .default(leastPairs)
      .argParser(pairCount),
  )
  .option("--quick", "3 pairs, which prove nothing")
  .option("--data <file>", "the text that quality is measured on (Tiny Shakespeare)");

function pairCount(text: string): number {
  const pairs = Number(text);
  if (!(Number.isInteger(pairs) && pairs >= leastPairs))
    throw new InvalidArgumentError(`It has to be a whole number, at least ${leastPairs}.`);
  return pairs;
}

async function main(): Promise<number> {
  command.parse();
  const { pairs, quick, data } = command.opts<{ pairs: number; quick?: boolean; data?: string }>();
  const options: Options = { pairs: quick ? 3 : pairs, data };
  const chosen = benches.filter((bench) => command.args.length === 0 || command.args.includes(bench.name));
  const report: Report = { machine: machine(), date: new Date().toISOString(), benches: {} };
  console.log(report.machine);
  let kept = true;
  for (const bench of chosen) {
    console.log(`\n${bench.name}: ${bench.claim}`);
    try {
      const rows = await bench.run(options);
      report.benches[bench.name] = { claim: bench.claim, rows };
      console.log(table(rows));
      kept &&= rows.every((row) => holds(row) !== false);
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      report.benches[bench.name] = { claim: bench.claim, skipped: error.message };
      console.log(`skipped: ${error.message}`);
    }
  }
  const results = join(packageRoot, "bench", "results");
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, "latest.json"), `${JSON.stringify(report, null, 2)}\n`);
  return kept ? 0 : 1;
}

process.exitCode = await main();
