/**
 * `npm run bench [-- NAME...] [--pairs N] [--data FILE] [--quick]`: runs all benches or the named ones, prints a table
 * for each, and writes everything to bench/results/latest.json. Exit code 1 where a claim is not kept.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../compiler/source/package.js";
import chain from "./chain.js";
import { type Bench, holds, leastPairs, machine, type Options, type Row, Skipped, table } from "./harness.js";
import memory from "./memory.js";
import process_ from "./process.js";
import quality from "./quality.js";
import step from "./step.js";
import tpu from "./tpu.js";
import trace from "./trace.js";

const benches: readonly Bench[] = [trace, process_, chain, step, memory, quality, tpu];

interface Report {
  readonly machine: string;
  readonly date: string;
  readonly benches: Record<string, { claim: string; rows?: Row[]; skipped?: string }>;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { pairs: { type: "string" }, data: { type: "string" }, quick: { type: "boolean" } },
  });
  const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    console.error(`There is no bench "${unknown}". There are: ${benches.map((bench) => bench.name).join(", ")}.`);
    return 2;
  }
  const pairs = values.quick ? 3 : Number(values.pairs ?? leastPairs);
  if (!(Number.isInteger(pairs) && (values.quick || pairs >= leastPairs))) {
    console.error(`--pairs takes a whole number, at least ${leastPairs}; --quick measures 3 pairs and proves nothing.`);
    return 2;
  }
  const options: Options = { pairs, data: values.data };
  const chosen = benches.filter((bench) => positionals.length === 0 || positionals.includes(bench.name));
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
