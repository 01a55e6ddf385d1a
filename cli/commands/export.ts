/** `xenarc export`: a checkpoint's weights as safetensors files. */
import { exportWeights } from "../../runtime-bridge/bridge.js";
import { interruptible } from "../interrupt.js";
import { showWarning } from "../report.js";
import { setUpPython } from "../setup.js";
import { bytes, count, StatusLine, table } from "../terminal.js";

export interface ExportCommandOptions {
  readonly out: string;
  readonly shardSize: number;
  readonly dtype?: string;
  readonly names?: string;
  readonly adapters?: boolean;
  readonly ema?: boolean;
  readonly json?: boolean;
}

export async function exportCommand(checkpoint: string, options: ExportCommandOptions): Promise<void> {
  const { out, shardSize, dtype, names, adapters = false, ema = false, json } = options;
  await setUpPython();
  const line = new StatusLine(process.stderr);
  const given = {
    checkpoint,
    out,
    shardBytes: shardSize,
    adapters,
    ema,
    ...(dtype && { dtype }),
    ...(names && { names }),
  };
  line.show("reading the checkpoint");
  const files: string[][] = [];
  const done = await interruptible(() =>
    exportWeights(given, (event) => {
      showWarning(event);
      if (event.event !== "shard") return;
      files.push([event.path, bytes(event.bytes)]);
      line.show(`${event.path} is written`);
    }),
  ).finally(() => line.clear());
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...done, event: undefined }, undefined, 2)}\n`);
    return;
  }
  const whose = { huggingface: "Hugging Face's names", xenarc: "xenarc's names", peft: "PEFT's names" }[done.names];
  const what = `step ${count(done.step)}: ${count(done.tensors)} tensors in ${done.dtypes.join(", ")}, ${bytes(done.bytes)}, under ${whose}`;
  process.stdout.write(`${[what, ...table(files, "lr")].join("\n")}\n`);
}
