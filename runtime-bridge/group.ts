/** Runs a command of the Python runtime, in one process or as a group of processes that live and die together. */
import { XenarcError } from "../compiler/errors.js";
import { ensurePython, type SetupOptions } from "./environment.js";
import { parseEvent, type RuntimeEvent } from "./events.js";
import { type Exit, explainExit, problemError, pythonEnv } from "./process.js";

/** Told of each event as it comes. */
export type OnEvent = (event: RuntimeEvent) => void;

/** How a command is run. */
export interface CommandOptions extends SetupOptions {
  /** Folders with further Python packages. */
  readonly path?: readonly string[];
  /** How many processes share the work; they get `--coordinator`, `--processes` and `--process`. Default 1, which gets none. */
  readonly processes?: number;
}

/** Starts a process of the runtime. */
const launch = (execa: typeof import("execa").execa, python: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  execa(python, ["-m", "xenarc_runtime", ...args], {
    env,
    reject: false,
    stdin: "ignore",
    buffer: { stdout: false, stderr: true },
    // The end of what a child said tells why it died; XLA can say megabytes before.
    maxBuffer: { stderr: 4_000_000 },
  });
type Child = ReturnType<typeof launch>;

/** Once one process has failed, the others have so long to write their stacks, or to say what they know of it. */
const SETTLE_MS = 5_000;

/** What went wrong in a process. */
interface Failure {
  readonly error: XenarcError;
  /** It only noticed that another one is gone. */
  readonly echo: boolean;
  /** It ended without a word of its own. */
  readonly silent: boolean;
}

/**
 * Runs a command of the runtime, hands on its events, and returns them but for `text` and `progress`, of which there are many. Of a
 * group the first process speaks. The first Ctrl-C is passed on, so that the runtime ends in order; the second kills it.
 *
 * Throws {@link XenarcError}: what the process that failed first said, or how it ended. The others are gone by then.
 */
export async function runCommand(
  name: string,
  args: readonly string[],
  onEvent: OnEvent = () => {},
  options: CommandOptions = {},
): Promise<RuntimeEvent[]> {
  const children: Child[] = [];
  const kill = (signal: NodeJS.Signals) => children.map((child) => child.kill(signal));
  let signals = 0;
  const forward = (signal: NodeJS.Signals) => kill(++signals === 1 ? signal : "SIGKILL");
  const forwarded: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  for (const signal of forwarded) process.on(signal, forward);
  const unsaved = () => new XenarcError({ what: `Interrupted${name === "train" ? "; nothing was saved" : ""}.` });

  const { path = [], processes = 1 } = options;
  const events: RuntimeEvent[] = [];
  const failures: Failure[] = [];
  let settled: NodeJS.Timeout | undefined;
  let ended = false;
  const fail = (failure: Failure): void => {
    if (!ended) failures.push(failure);
    if (processes === 1) return;
    settled ??= setTimeout(() => {
      ended = true;
      const left = [...children.keys()].filter(
        (rank) => children[rank]!.exitCode === null && children[rank]!.signalCode === null,
      );
      failures.push(...left.map((rank) => stuck(rank, processes)));
      kill("SIGKILL");
    }, SETTLE_MS);
  };
  const follow = async (child: Child, rank: number): Promise<void> => {
    let said = false;
    for await (const line of child.iterable({ from: "stdout" })) {
      const event = parseEvent(line);
      if (event === undefined) throw unreadable(name, line);
      if (event.event === "error") {
        fail({ error: problemError(event), echo: event.kind === "group", silent: false });
        said = true;
      }
      if (rank > 0) continue;
      if (event.event !== "text" && event.event !== "progress") events.push(event);
      onEvent(event);
    }
    const result = await child;
    if (result.failed && !said) fail(died(result, rank, processes));
  };
  try {
    const { python } = await ensurePython(options);
    const { execa } = await import("execa");
    // Only this machine can reach the place where the processes meet.
    const place = processes === 1 ? undefined : `127.0.0.1:${await freePort()}`;
    const env = { ...pythonEnv(path), ...(place !== undefined && { JAX_COORDINATOR_BIND_ADDRESS: place }) };
    if (signals > 0) throw unsaved();
    for (let rank = 0; rank < processes; rank++)
      children.push(launch(execa, python, [name, ...args, ...membership(place, processes, rank)], env));
    await Promise.all(children.map(follow));
    const failure = failures.find(({ echo }) => !echo) ?? failures[0];
    if (failure === undefined) return events;
    // A signal that ended a child may have reached it before it is told of here.
    await new Promise(setImmediate);
    if (signals > 1) throw new XenarcError({ what: `\`${name}\` was ended at once, by a second Ctrl-C.` });
    if (signals === 1 && failure.silent) throw unsaved();
    throw failure.error;
  } finally {
    clearTimeout(settled);
    for (const signal of forwarded) process.off(signal, forward);
    kill(processes === 1 ? "SIGTERM" : "SIGKILL");
  }
}

const membership = (place: string | undefined, processes: number, rank: number): string[] =>
  place === undefined ? [] : [`--coordinator=${place}`, `--processes=${processes}`, `--process=${rank}`];

const RESUME = { fix: "Go on from the last checkpoint with --resume." };

/** A process that ended without a word of its own. jax ends those that it tells of another one's death. */
function died(exit: Exit, rank: number, processes: number): Failure {
  const echo = typeof exit.stderr === "string" && exit.stderr.includes("JAX distributed service detected fatal errors");
  const who = processes === 1 ? "The Python runtime" : `Process ${rank} of ${processes}`;
  const how = echo ? "another process no longer answered." : explainExit(exit);
  const error = new XenarcError({ what: `${who} ended early: ${how}`, ...(processes > 1 && RESUME) }, "environment");
  return { error, echo, silent: true };
}

/** A process that is still there when the others have ended for want of it. */
function stuck(rank: number, processes: number): Failure {
  const what = `Process ${rank} of ${processes} no longer answers: it was stopped, or its machine is overloaded.`;
  return { error: new XenarcError({ what, ...RESUME }, "environment"), echo: false, silent: true };
}

const unreadable = (name: string, line: string): XenarcError =>
  new XenarcError(
    {
      what: `The Python runtime said something that is no event of \`${name}\`: ${line.slice(0, 200)}`,
      fix: "The runtime and this package are of different versions: reinstall xenarc.",
    },
    "environment",
  );

async function freePort(): Promise<number> {
  const { createServer } = await import("node:net");
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
