/**
 * Where in the author's source an op came from. Captured op by op while tracing, so it must be cheap: a few structured call
 * sites, as the engine reports them (positions in the generated JavaScript), resolved to the author's files only when something
 * is printed or fails (compiler/source).
 */

/** One call frame, at its generated position. */
export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The enclosing function's name as the engine knows it; empty at top level. */
  readonly function: string;
}

/** A captured location: the author's frames, innermost first, and the module path that was running (`blocks/attention`). */
export interface Site {
  readonly frames: readonly Frame[];
  readonly scope: string;
  /** The call of the module that the frames run in. */
  readonly caller: Site | undefined;
  /** The op is part of a derivative of what the author wrote there. */
  readonly backward?: true;
  /** The forward site that a backward one stands for. */
  readonly origin?: Site;
}

/** The site of derivative ops of what was written at `site`. */
export function backwardOf(site: Site): Site {
  return site.backward ? site : { ...site, backward: true, origin: site };
}

/** How many engine frames one op looks at; deeper ones belong to the module call, which captures more. */
const SHALLOW = 6;
const DEEP = 60;

const root = new URL("../", import.meta.url);
/**
 * Folders of the package whose frames are never the author's; in dist/, chunks/ holds what these have in common. Layers (models/)
 * count as author's: errors should show them.
 */
const hidden = ["ops/", "compiler/", "emit/", "runtime-bridge/", "cli/", "chunks/"].map((d) => new URL(d, root).href);
const hiddenPaths = hidden.map((u) => decodeURIComponent(new URL(u).pathname));

const own = new Map<string, boolean>();
function isHidden(file: string): boolean {
  let known = own.get(file);
  if (known === undefined) {
    known =
      file === "" ||
      file.startsWith("node:") ||
      hidden.some((h) => file.startsWith(h)) ||
      hiddenPaths.some((h) => file.startsWith(h)) ||
      file.includes("/node_modules/jest") ||
      file.includes("/node_modules/expect");
    own.set(file, known);
  }
  return known;
}

let enabled = true;
let scope: string | undefined;
let caller: Site | undefined;
let sites: readonly NodeJS.CallSite[] = [];
const holder: { stack?: unknown } = {};

/** The author's frames of a capture, innermost first, up to the boundary. */
function authorFrames(): Frame[] {
  const out: Frame[] = [];
  for (const s of sites) {
    const file = s.getScriptNameOrSourceURL() ?? "";
    if (isHidden(file)) {
      if (s.getFunctionName() === BOUNDARY) break;
      continue;
    }
    out.push({
      file,
      line: s.getLineNumber() ?? 0,
      column: s.getColumnNumber() ?? 0,
      function: s.getFunctionName() ?? "",
    });
  }
  return out;
}

let hooked = false;
type Callable = (...args: never) => unknown;

/** The author's frames among the `limit` that are below the function `above`. */
function frames(limit: number, above: Callable): readonly Frame[] {
  if (!enabled) return NONE;
  if (!hooked) return withHook(() => frames(limit, above));
  Error.stackTraceLimit = limit;
  Error.captureStackTrace(holder, above);
  void holder.stack;
  Error.stackTraceLimit = DEFAULT_LIMIT;
  return authorFrames();
}

const NONE: readonly Frame[] = [];
const DEFAULT_LIMIT = Error.stackTraceLimit;

/** Runs `f` with the engine giving call sites of captures as objects; other errors keep their text. Installing it costs more than a capture. */
function withHook<T>(f: () => T): T {
  if (hooked) return f();
  const before = Error.prepareStackTrace;
  hooked = true;
  Error.prepareStackTrace = (error, callSites) => {
    if ((error as unknown) === holder) {
      sites = callSites;
      return "";
    }
    return before ? before(error, callSites) : [String(error), ...callSites.map((c) => `    at ${c}`)].join("\n");
  };
  try {
    return f();
  } finally {
    Error.prepareStackTrace = before;
    hooked = false;
  }
}

/** The name of the function that marks where a module call or a region begins: frames below it belong to the caller's site. */
const BOUNDARY = "xenarcBoundary";

/** The author's location of the op being emitted. `above`: the function of the library that is called, which is no part of it. */
export function captureSite(above: Callable = captureSite): Site {
  const own = frames(SHALLOW, above);
  return caller?.backward
    ? { frames: own, scope: scope ?? "", caller, backward: true }
    : { frames: own, scope: scope ?? "", caller };
}

/** Runs `f` with locations that say in which module they are and not where in a file, which takes longer to find out. */
export function withoutFrames<T>(f: () => T): T {
  const before = enabled;
  enabled = false;
  try {
    return f();
  } finally {
    enabled = before;
  }
}

/** Runs a module's method: ops inside carry `path` as their scope and this call as the caller of their frames. */
export function inScope<T>(path: string, f: () => T): T {
  return within(captureDeep(), path, f);
}

/** Runs a function that is traced into a region of its own: this call is the caller of the frames inside. */
export function inRegion<T>(f: () => T): T {
  return within(captureDeep(), scope, f);
}

/** Runs what traces a derivative of the op made at `site`. */
export function inBackwardOf<T>(site: Site | undefined, f: () => T): T {
  return within(site && backwardOf(site), site?.scope ?? "", f);
}

/** The location of something rare, such as an error: as far out as there are frames. */
export const captureDeep = (): Site => ({
  frames: frames(DEEP, captureDeep),
  scope: scope ?? "",
  caller,
  ...(caller?.backward && { backward: true }),
});

function within<T>(by: Site | undefined, path: string | undefined, f: () => T): T {
  const scopeBefore = scope;
  const callerBefore = caller;
  caller = by;
  scope = path;
  try {
    return xenarcBoundary(f);
  } finally {
    scope = scopeBefore;
    caller = callerBefore;
  }
}
function xenarcBoundary<T>(f: () => T): T {
  return f();
}

/** The module path that is running; undefined outside of every module. */
export const currentScope = (): string | undefined => scope;

/** Starts a new program, or a model: outside every module, and whoever called is not part of any location; locations are captured cheaply. */
export const atTopLevel = <T>(f: () => T): T => within(undefined, undefined, () => withHook(f));

/** All frames of a site, innermost first. */
export function* stack(site: Site): Iterable<Frame> {
  for (let s: Site | undefined = site; s; s = s.caller) yield* s.frames;
}
