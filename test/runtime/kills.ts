/** Runs that are killed at drawn moments and resumed, as many processes as each time is wanted, until they are at their end. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { execa, execaSync } from "execa";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";

/** Numbers in [0, 1), the same for the same seed: mulberry32. */
export function drawing(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** When a process is killed: so many milliseconds after the first event of a kind, of this step or a later one. */
export interface Kill {
  readonly after: "start" | "compiled" | "progress" | "checkpoint";
  readonly step?: number;
  readonly milliseconds: number;
  /** Which of the processes. */
  readonly rank?: number;
  readonly signal?: NodeJS.Signals;
}

interface Said {
  readonly event: string;
  readonly step?: number;
  readonly message?: string;
}

/** How long the others have after one was killed, before they are killed too: they would wait for it until their connection times out. */
const GRACE = 500;

/**
 * Trains in so many processes of the runtime itself, with `--resume`, and kills one of them; what the first one said, how it
 * ended, and how many of the processes that they had started there were at the kill, and are left.
 */
export async function trainKilled(
  options: { artifact: string; run: string; data: string; processes?: number },
  kill?: Kill,
): Promise<{ events: Said[]; exitCode: number | undefined; killed: boolean; started: number; left: number }> {
  const { artifact, run, data, processes = 1 } = options;
  const { python } = await ensurePython();
  const group = processes > 1 ? ["--coordinator", `localhost:${await freePort()}`, "--processes", `${processes}`] : [];
  const start = (rank: number) =>
    execa(
      python,
      ["-m", "xenarc_runtime", "train", artifact, "--run", run, "--data", data, "--resume"].concat(
        group,
        processes > 1 ? ["--process", `${rank}`] : [],
      ),
      // A signal is all that is sent: execa would send SIGKILL after SIGTERM, and saving may take its time.
      { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" }, reject: false, forceKillAfterDelay: false },
    );
  const children = Array.from({ length: processes }, (_, rank) => start(rank));
  const events: Said[] = [];
  let armed = false;
  let killed = false;
  let started: number[] = [];
  for await (const line of children[0]!.iterable()) {
    const said = JSON.parse(line) as Said;
    events.push(said);
    if (kill === undefined || armed || said.event !== kill.after || (said.step ?? 0) < (kill.step ?? 0)) continue;
    armed = true;
    setTimeout(() => {
      started = descendants(children.map(({ pid }) => pid!));
      killed = children[kill.rank ?? 0]!.kill(kill.signal ?? "SIGKILL");
      if (kill.signal === undefined) setTimeout(() => children.forEach((child) => void child.kill("SIGKILL")), GRACE);
    }, kill.milliseconds);
  }
  const [first] = await Promise.all(children);
  return { events, exitCode: first!.exitCode, killed, started: started.length, left: await left(started) };
}

/** Processes that live: their numbers, and those of their parents. */
function living(): (readonly [process: number, parent: number])[] {
  const { stdout } = execaSync("ps", ["-A", "-o", "pid=,ppid=,stat="]);
  const lines = stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, , state]) => !state?.startsWith("Z"))
    .map(([process, parent]) => [Number(process), Number(parent)]);
}

/** What processes have started, and what these have. */
function descendants(of: readonly number[]): number[] {
  const all = living();
  const found = new Set(of);
  for (const known of found) for (const [process, parent] of all) if (parent === known) found.add(process);
  return [...found].filter((process) => !of.includes(process));
}

/** How many of some processes do not end, within ten seconds. */
async function left(of: readonly number[]): Promise<number> {
  for (const end = performance.now() + 10_000; ; await sleep(100)) {
    const count = of.length === 0 ? 0 : living().filter(([process]) => of.includes(process)).length;
    if (count === 0 || performance.now() > end) return count;
  }
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
