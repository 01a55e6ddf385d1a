/** A plan as it is shown, in a terminal and on a page: its rows, and how choices and figures are written. */
import type { Choice, Judged } from "../compiler/plan/search.js";
import type { Target } from "../compiler/plan/target.js";

/** A candidate as it is shown. */
export interface Row extends Judged {
  /** Sequences at once, on all devices. */
  readonly batch: number;
  readonly tokensPerSecond: number;
  readonly mfu: number;
  /** What the compiler says, where it was asked. */
  confirmed?: { readonly memory?: number; readonly sent?: number; readonly step?: number; readonly seconds: number };
}

/** Everything that is shown of a plan. */
export interface Plan {
  readonly name: string;
  readonly target: Target;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly considered: number;
  readonly run?: { readonly tokens: number; readonly days: number; readonly dollars: number } | undefined;
  readonly scaling?: readonly Scaled[] | undefined;
  readonly instead?: readonly string[] | undefined;
}

/** The best that so many chips do, and how much of the first line's speed a chip keeps. */
export interface Scaled {
  readonly chips: number;
  readonly tokensPerSecond: number;
  readonly efficiency: number;
}

/** `data 4 x fsdp 8`, without axes of one. */
export const meshName = (mesh: Choice["mesh"]): string =>
  Object.entries(mesh)
    .filter(([, size]) => size > 1)
    .map(([name, size]) => `${name} ${size}`)
    .join(" x ") || "1 device";

export const rematName = (remat: Choice["remat"]): string =>
  remat === undefined ? "the model's" : typeof remat === "string" ? `keep ${remat}` : `keep ${remat.join(", ")}`;

export const gib = (n: number): string => `${(n / 2 ** 30).toFixed(2)} GiB`;
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const time = (s: number): string => (s < 1 ? `${(s * 1e3).toPrecision(3)} ms` : `${s.toPrecision(3)} s`);
