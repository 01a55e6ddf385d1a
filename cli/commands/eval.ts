/** `xenarc eval`: the loss of a trained model over held-out data. */
import { join } from "node:path";
import { evaluateRun } from "../../runtime-bridge/bridge.js";
import { interruptible } from "../interrupt.js";
import { requireArtifact, requireRun } from "../project.js";
import { showWarning } from "../report.js";
import { setUpPython } from "../setup.js";
import { count, paint, StatusLine, table } from "../terminal.js";

export interface EvalCommandOptions {
  readonly data?: string;
  readonly step?: number;
  readonly batches?: number;
  readonly json?: boolean;
}

export async function evalCommand(given: string | undefined, options: EvalCommandOptions): Promise<void> {
  const run = requireRun(given);
  const { data, step, batches, json } = options;
  const artifact = requireArtifact(join(run, "artifact"));
  await setUpPython();
  const status = new StatusLine(process.stdout);
  if (!json) status.show(paint(process.stdout).dim("evaluating"));
  const found = await interruptible(() =>
    evaluateRun(
      {
        artifact,
        run,
        ...(data !== undefined && { data }),
        ...(step !== undefined && { step }),
        ...(batches !== undefined && { batches }),
      },
      (event) => {
        status.clear();
        showWarning(event);
      },
    ),
  ).finally(() => status.clear());
  if (json) {
    process.stdout.write(`${JSON.stringify({ run, ...found, event: undefined })}\n`);
    return;
  }
  const number = (value: number | null) => (value === null ? "beyond numbers" : value.toPrecision(5));
  const rows = [
    ["run", `${run}, step ${count(found.step)}`],
    ["data", data === undefined ? `${found.data}, what the run kept for validation` : found.data],
    ["loss", `${number(found.loss)} nats a token`],
    ["perplexity", number(found.perplexity)],
    ...(found.bits_per_byte === null ? [] : [["bits a byte", number(found.bits_per_byte)]]),
    ["tokens", count(found.tokens)],
  ];
  process.stdout.write(`${table(rows).join("\n")}\n`);
}
