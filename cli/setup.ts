/** The Python environment, made the first time it is needed, which takes minutes and is shown. */
import { ensurePython, type PythonEnvironment } from "../runtime-bridge/environment.js";
import { paint, StatusLine } from "./terminal.js";

/** Makes sure of the Python environment; what is done for it is shown on standard error. */
export function setUpPython(): Promise<PythonEnvironment> {
  const line = new StatusLine(process.stderr);
  const { dim } = paint(process.stderr);
  let before = "";
  const onProgress = (text: string) => {
    line.show(dim(text));
    // A log gets each stage once, not each package.
    const stage = text.replace(/ \d.*/, "");
    if (!process.stderr.isTTY && stage !== before) process.stderr.write(`${text}\n`);
    before = stage;
  };
  return ensurePython({ onProgress }).finally(() => line.clear());
}

/** Shows on a terminal that something long is going on. */
export async function during<T>(text: string, work: () => Promise<T>): Promise<T> {
  const line = new StatusLine(process.stderr);
  line.show(paint(process.stderr).dim(text));
  return work().finally(() => line.clear());
}
