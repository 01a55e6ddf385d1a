/** The parser in a thread of its own: given a file, it answers with the file's names. Started by names.ts. */
import { parentPort } from "node:worker_threads";
import { namesIn } from "./naming.js";

/** A file to be parsed. */
export interface NamingRequest {
  readonly path: string;
  readonly source: string;
}

parentPort?.on("message", ({ path, source }: NamingRequest) => {
  parentPort?.postMessage({ path, entries: namesIn(path, source) });
});
