/** Names and positions are held against the engine itself: each probe asks V8 where it was called from. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildNames, namesFor } from "../../compiler/source/names.js";
import { originalPosition } from "../../compiler/source/position.js";

interface Probe {
  readonly tag: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}
const probes = new Map<string, Probe>();

/** Records the position of the author's call, two frames up. */
function record(tag: string): void {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const site = (new Error().stack as unknown as NodeJS.CallSite[])[2]!;
  Error.prepareStackTrace = before;
  const file = site.getFileName()!;
  probes.set(tag, { tag, file, line: site.getLineNumber()!, column: site.getColumnNumber()! });
}

class Value {
  readonly inner = { call: (tag: string): Value => op(tag, 2) };
  values = 0;
  mul(tag: string): Value {
    record(tag);
    return this;
  }
  add(tag: string): Value {
    record(tag);
    return this;
  }
}
function op(tag: string, depth = 1): Value {
  if (depth === 2) recordOuter(tag);
  else record(tag);
  return new Value();
}
function recordOuter(tag: string): void {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const site = (new Error().stack as unknown as NodeJS.CallSite[])[3]!;
  Error.prepareStackTrace = before;
  probes.set(tag, { tag, file: site.getFileName()!, line: site.getLineNumber()!, column: site.getColumnNumber()! });
}
function pair(tag: string): [Value, Value] {
  record(tag);
  return [new Value(), new Value()];
}
function both(tag: string): { values: Value; indices: Value } {
  record(tag);
  return { values: new Value(), indices: new Value() };
}
class Linear {
  constructor(tag: string) {
    record(tag);
  }
}
class Block {
  readonly #gate = new Linear("private");
  readonly query = new Linear("property");
  state: Value | undefined;
  call(): Value {
    void this.#gate;
    return op("call");
  }
  project(): Value {
    return op("method");
  }
}

/** Every form in which a value gets a name; the tag of each call is what the test asks by. */
function author(flag: boolean): void {
  const scores = op("plain");
  const y = scores.mul("chainInner").add("chainOuter");
  const long = scores
    .mul("lineInner") // a comment between
    .add("lineOuter");
  const nested = op(op("argument") ? "outer" : "");
  const cast = (op("cast") as unknown as Value)!;
  const chosen = flag ? op("whenTrue") : op("whenFalse");
  const other = flag ? op("never") : op("whenFalse2");
  const first = (flag && undefined) ?? op("nullish");
  const { values, indices } = both("object");
  const { values: top, ...rest } = both("renamed");
  const [h, ys] = pair("array");
  const [, last] = pair("hole");
  let x: Value = op("let");
  x = x.add("assigned");
  // biome-ignore lint/style/useConst: the assignment is what is tried.
  let a: Value, b: Value;
  [a, b] = pair("assignedArray");
  const parts = { q: x.inner.call("literal"), "not valid": op("invalid"), nested: { k: op("deepLiteral") } };
  const block = new Block();
  block.state = op("member");
  const attention = (): Value => op("arrow");
  const loss = (): Value => {
    return op("arrowReturn");
  };
  const optional = scores?.mul("optional");
  const generic = identity<Value>(op("genericArgument"));
  const $dollar = op("dollar");
  [1].map(() => op("callback"));
  op("statement");
  block.call();
  block.project();
  attention();
  loss();
  void [y, long, nested, cast, chosen, other, first, values, indices, top, rest, h, ys, last, a, b, parts];
  void [optional, generic, $dollar];
}
const identity = <T>(x: T): T => x;

author(true);
author(false);

const expected: Record<string, string | string[] | undefined> = {
  plain: "scores",
  chainInner: "y",
  chainOuter: "y",
  lineInner: "long",
  lineOuter: "long",
  argument: undefined,
  outer: "nested",
  cast: "cast",
  whenTrue: "chosen",
  whenFalse: "chosen",
  whenFalse2: "other",
  nullish: "first",
  object: ["values", "indices"],
  renamed: ["top", "rest"],
  array: ["h", "ys"],
  hole: ["", "last"],
  let: "x",
  assigned: "x",
  assignedArray: ["a", "b"],
  literal: "q",
  invalid: undefined,
  deepLiteral: "k",
  private: "gate",
  property: "query",
  member: "state",
  arrow: "attention",
  arrowReturn: "loss",
  method: "project",
  call: undefined,
  optional: "optional",
  genericArgument: "generic",
  dollar: undefined,
  callback: undefined,
  statement: undefined,
};

test.each(Object.entries(expected))("the call %s is named %j", async (tag, name) => {
  const probe = probes.get(tag)!;
  const position = originalPosition(probe.file, probe.line, probe.column);
  expect(position.path).toBe("test/source/names.test.ts");
  const table = await namesFor(position.file);
  expect(table.at(position.line, position.column)).toEqual(name);
});

test("a value that is returned directly is told apart, so that the caller may name it", async () => {
  const returned = async (tag: string): Promise<boolean> => {
    const { file, line, column } = probes.get(tag)!;
    const position = originalPosition(file, line, column);
    return (await namesFor(position.file)).isReturned(position.line, position.column);
  };
  expect(await returned("call")).toBe(true);
  expect(await returned("method")).toBe(true);
  expect(await returned("callback")).toBe(true);
  expect(await returned("plain")).toBe(false);
  expect(await returned("statement")).toBe(false);
});

test("a file that does not exist has no names", async () => {
  expect((await namesFor("/nowhere/model.ts")).at(1, 1)).toBeUndefined();
});

test("the library's names are written beside its build", async () => {
  const root = mkdtempSync(join(tmpdir(), "xenarc-names-"));
  mkdirSync(join(root, "models/layers"), { recursive: true });
  writeFileSync(
    join(root, "models/layers/mlp.ts"),
    "export const up = (x: any) => {\n  const h = x.mul(2);\n  return h;\n};\n",
  );
  await buildNames(root);
  const written = JSON.parse(readFileSync(join(root, "dist/names.json"), "utf8"));
  expect(written).toEqual({ "models/layers/mlp.ts": [[2, 15, "h", 44]] });
  rmSync(root, { recursive: true });
});
