/** Runs that are killed at drawn moments and resumed, as many processes as each time is wanted, until they are at their end. */
import { createServer } from "node:net";
import { execa } from "execa";
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
  readonly after: "start" | "progress" | "checkpoint";
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

/** Trains in so many processes of the runtime itself, with `--resume`, and kills one of them; what the first one said, and how it ended. */
export async function trainKilled(
  options: { artifact: string; run: string; data: string; processes?: number },
  kill?: Kill,
): Promise<{ events: Said[]; exitCode: number | undefined; killed: boolean }> {
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
      { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" }, reject: false },
    );
  const children = Array.from({ length: processes }, (_, rank) => start(rank));
  const events: Said[] = [];
  let armed = false;
  let killed = false;
  for await (const line of children[0]!.iterable()) {
    const said = JSON.parse(line) as Said;
    events.push(said);
    if (kill === undefined || armed || said.event !== kill.after || (said.step ?? 0) < (kill.step ?? 0)) continue;
    armed = true;
    setTimeout(() => {
      killed = children[kill.rank ?? 0]!.kill(kill.signal ?? "SIGKILL");
    }, kill.milliseconds);
  }
  const [first] = await Promise.all(children);
  return { events, exitCode: first!.exitCode, killed };
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
