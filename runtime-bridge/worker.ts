/** The client of the Python worker: verifies, prints and executes programs, each call one frame there and one back. */
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { XenarcError } from "../compiler/errors.js";
import { ensurePython, type SetupOptions } from "./environment.js";
import { type MemoryStats, memorySchema } from "./events.js";
import { explainExit, problemError, pythonEnv } from "./process.js";

/** A tensor's bytes: row-major, little-endian, one byte for an `i1` or a 4-bit integer. */
export interface WireTensor {
  /** MLIR's name of the element type: `f32`, `bf16`, `ui32`, `complex<f32>`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A method's answer: JSON, and tensors. */
export interface Answer {
  readonly result: unknown;
  readonly tensors: WireTensor[];
}

/** Options of {@link startWorker}. */
export interface WorkerOptions extends SetupOptions {
  /** Python files with further `METHODS`, for a worker that is started here. */
  readonly plugins?: readonly string[];
}

const tensorSchema = z.object({ dtype: z.string(), shape: z.array(z.int().nonnegative()) });
const headerSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ kind: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  tensors: z.array(tensorSchema),
});
const textSchema = z.object({ text: z.string() });
const verdictSchema = z.object({ valid: z.boolean(), diagnostics: z.string() });
/**
 * A connection to the worker. Calls may overlap; the worker answers them in order. It keeps no script alive: with no
 * call under way, Node ends, and the worker with it.
 */
export class Worker {
  readonly #socket: Socket;
  readonly #pending = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  readonly #reasonOfEnd: () => Promise<string>;
  #nextId = 1;
  #received: Buffer[] = [];
  #receivedBytes = 0;

  /** Use {@link startWorker}. */
  constructor(socket: Socket, reasonOfEnd: () => Promise<string>) {
    this.#socket = socket;
    this.#reasonOfEnd = reasonOfEnd;
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => {}); // "close" follows, and tells the callers
    socket.on("close", () => void this.#fail());
  }

  /** Calls a method of the worker or of a plugin. Throws {@link XenarcError} with what the worker said. */
  call(method: string, params: object = {}, tensors: readonly WireTensor[] = []): Promise<Answer> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(workerError("The Python worker is gone."));
      this.#socket.ref();
      this.#pending.set(id, { resolve, reject });
      const entries = tensors.map(({ dtype, shape }) => ({ dtype, shape }));
      const header = Buffer.from(JSON.stringify({ id, method, params, tensors: entries }));
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32LE(header.length);
      this.#socket.cork();
      for (const part of [prefix, header, ...tensors.map((tensor) => tensor.data)]) this.#socket.write(part);
      this.#socket.uncork();
    });
  }

  /** Parses and verifies a program by MLIR: what MLIR has against it, or undefined. */
  async verify(text: string): Promise<string | undefined> {
    const verdict = verdictSchema.parse((await this.call("verify", { text })).result);
    return verdict.valid ? undefined : verdict.diagnostics;
  }

  /** The program as jaxlib prints it, with locations if `debug`. */
  async canonical(text: string, debug = false): Promise<string> {
    return textSchema.parse((await this.call("canonical", { text, debug })).result).text;
  }

  /** Compiles a program (once per text) and runs its `@main`. `options`: a CompileOptionsProto. */
  async execute(text: string, tensors: readonly WireTensor[], options?: Uint8Array): Promise<WireTensor[]> {
    return (await this.call("execute", { text, ...encoded(options) }, tensors)).tensors;
  }

  /** The HLO that XLA makes of a program, and the memory it needs. */
  async hlo(text: string, options?: Uint8Array): Promise<{ text: string; memory: MemoryStats }> {
    const schema = textSchema.extend({ memory: memorySchema });
    return schema.parse((await this.call("hlo", { text, ...encoded(options) })).result);
  }

  /** Ends the connection, and the worker if it was started here. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) this.#settle(...frame);
  }

  /** The first whole frame of what was received. The chunks are joined only when the frame is there. */
  #takeFrame(): [z.infer<typeof headerSchema>, WireTensor[]] | undefined {
    if (this.#receivedBytes < 4 || this.#receivedBytes < this.#needed) return undefined;
    const all = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received);
    this.#received = [all];
    const headerEnd = 4 + all.readUInt32LE(0);
    if (all.length < headerEnd) {
      this.#needed = headerEnd;
      return undefined;
    }
    const header = headerSchema.parse(JSON.parse(all.toString("utf8", 4, headerEnd)));
    const sizes = header.tensors.map(({ dtype, shape }) => shape.reduce((a, b) => a * b, bytesOf(dtype)));
    const end = sizes.reduce((a, b) => a + b, headerEnd);
    if (all.length < end) {
      this.#needed = end;
      return undefined;
    }
    let offset = headerEnd;
    const tensors = header.tensors.map((tensor, i) => {
      // Copied: a view would be unaligned for typed arrays and would keep the whole chunk alive.
      const data = Uint8Array.prototype.slice.call(all, offset, offset + (sizes[i] as number));
      offset += sizes[i] as number;
      return { ...tensor, data };
    });
    this.#received = all.length > end ? [all.subarray(end)] : [];
    this.#receivedBytes = all.length - end;
    this.#needed = 0;
    return [header, tensors];
  }
  #needed = 0;

  #settle(header: z.infer<typeof headerSchema>, tensors: WireTensor[]): void {
    const call = this.#pending.get(header.id);
    this.#pending.delete(header.id);
    if (this.#pending.size === 0) this.#socket.unref();
    if (header.error) call?.reject(problemError(header.error));
    else call?.resolve({ result: header.result, tensors });
  }

  async #fail(): Promise<void> {
    if (this.#pending.size === 0) return;
    const error = workerError(`The Python worker ended: ${await this.#reasonOfEnd()}`);
    for (const call of this.#pending.values()) call.reject(error);
    this.#pending.clear();
  }
}

/**
 * Connects to the worker whose socket is in `XENARC_WORKER`, or starts one that ends with this process.
 * Throws {@link XenarcError} (environment) when Python cannot be set up.
 */
export async function startWorker(options: WorkerOptions = {}): Promise<Worker> {
  const shared = process.env.XENARC_WORKER;
  if (shared) {
    const socket = await tryConnect(shared);
    if (socket) return new Worker(socket, async () => "its log says why.");
    throw new XenarcError(
      {
        what: `No Python worker listens at ${shared} (XENARC_WORKER).`,
        fix: "Unset XENARC_WORKER to have one started.",
      },
      "environment",
    );
  }
  const { python } = await ensurePython(options);
  const folder = await mkdtemp(join(tmpdir(), "xenarc-"));
  const path = join(folder, "worker.sock");
  const plugins = (options.plugins ?? []).flatMap((file) => ["--plugin", file]);
  // Loaded here: who only compiles starts no process.
  const { execa } = await import("execa");
  // Its standard input ends when this process does, however it does: then the worker ends too.
  const child = execa(python, ["-m", "xenarc_runtime", "worker", "--socket", path, ...plugins], {
    env: pythonEnv(),
    reject: false,
    buffer: { stdout: false, stderr: true },
    maxBuffer: { stderr: 1_000_000 },
    stdin: "pipe",
    stdout: "ignore",
    cleanup: true,
  });
  child.unref();
  for (const stream of [child.stdin, child.stderr]) (stream as unknown as Socket).unref();
  let ended: string | undefined;
  const end = child.then((result) => {
    ended = explainExit(result);
    return rm(folder, { recursive: true, force: true }).then(() => ended as string);
  });
  while (ended === undefined) {
    const socket = await tryConnect(path);
    if (socket) {
      socket.once("close", () => child.stdin.end());
      return new Worker(socket, () => end);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw workerError(`The Python worker did not start: ${ended}`);
}

async function tryConnect(path: string): Promise<Socket | undefined> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.once("error", () => resolve(undefined));
  });
}

const workerError = (what: string): XenarcError => new XenarcError({ what }, "environment");

const encoded = (options: Uint8Array | undefined): object =>
  options === undefined ? {} : { options: Buffer.from(options).toString("base64") };

/** Bytes of one element on the wire: `complex<f32>` 8, `i1` and what has fewer bits 1, else what the name's digits say. */
function bytesOf(dtype: string): number {
  const bits = Number(/\d+/.exec(dtype)?.[0]);
  return dtype.startsWith("complex") ? bits / 4 : Math.max(1, bits / 8);
}
