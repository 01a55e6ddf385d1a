/**
 * StableHLO text in MLIR's own pretty form. Canonical naming is MLIR's (byte for byte what the parsed module prints); the default
 * takes names from the author's source, for people and golden files.
 */
import {
  type Func,
  type Memory,
  type Module,
  type Op,
  type Printer,
  type Region,
  typeText,
  type Value,
} from "../compiler/ir.js";
import { deviceCount, meshText, type Spec, specText } from "../compiler/mesh.js";
import type { Frame, Site } from "../compiler/site.js";

/** A frame at its place in the author's own file; `path` is relative to the project. */
export interface SourcePosition {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export interface PrintOptions {
  /** `author` (default): the variables of the source, as `nameOf` knows them; `canonical`: MLIR's numbering. */
  readonly names?: "author" | "canonical";
  /** The author's name for what is made at a site. */
  readonly nameOf?: (site: Site) => AuthorName | undefined;
  /** Prints locations; gives a frame's place in the author's file. */
  readonly locate?: (frame: Frame) => SourcePosition | undefined;
}

/** A variable of the author's and the call whose result it holds: of the ops made by that call the last one is the result. */
export interface AuthorName {
  readonly name: string;
  /** The same for all ops of one call. */
  readonly call: string;
}

/** Prints a module. Deterministic: the same module gives the same bytes. */
export function printModule(module: Module, options: PrintOptions = {}): string {
  const locations = options.locate && new Locations(options.locate);
  const lines: string[] = [];
  const partitions = module.mesh ? deviceCount(module.mesh) : 1;
  lines.push(
    `module @${module.name} attributes {mhlo.num_partitions = ${partitions} : i32, mhlo.num_replicas = 1 : i32} {`,
  );
  if (module.mesh) lines.push(`  sdy.mesh @mesh = ${meshText(module.mesh)}`);
  // Printing a function may add others: what operations have outlined.
  const funcs = [...module.funcs];
  for (const func of funcs) new FunctionPrinter(func, options, locations, lines, funcs).print();
  lines.push("}");
  if (locations) lines.push(...locations.definitions);
  return `${lines.join("\n")}\n`;
}

const sharding = (spec: Spec | undefined): string[] =>
  spec === undefined ? [] : [`sdy.sharding = #sdy.sharding<@mesh, ${specText(spec)}>`];
const memory = (kind: Memory | undefined): string[] => (kind === undefined ? [] : [`mhlo.memory_kind = "${kind}"`]);
const attributeText = (attributes: readonly string[]): string =>
  attributes.length === 0 ? "" : ` {${attributes.join(", ")}}`;

class FunctionPrinter implements Printer {
  private readonly names: Map<Value, string>;
  private indent = "    ";

  constructor(
    private readonly func: Func,
    options: PrintOptions,
    private readonly locations: Locations | undefined,
    private readonly lines: string[],
    private readonly funcs: Func[],
  ) {
    this.names =
      options.names === "canonical"
        ? nameValues(func.body, {})
        : nameValues(func.body, { author: options.nameOf ?? (() => undefined) });
  }

  print(): void {
    const { func } = this;
    const args = func.body.args.map((a, i) => {
      const alias = func.aliases?.get(i);
      const attributes = [
        ...memory(func.argumentMemories?.[i]),
        ...sharding(func.argumentShardings?.[i]),
        ...(alias === undefined ? [] : [`tf.aliasing_output = ${alias} : i32`]),
      ];
      return `${this.value(a)}: ${typeText(a.type)}${attributeText(attributes)}`;
    });
    const types = func.body.results.map((v) => typeText(v.type));
    const given = types.map((type, i) => {
      const attributes = [...memory(func.resultMemories?.[i]), ...sharding(func.resultShardings?.[i])];
      return type + attributeText(attributes);
    });
    const results = given.length === 1 && given[0] === types[0] ? types[0] : `(${given.join(", ")})`;
    this.lines.push(
      `  func.func ${func.private ? "private" : "public"} @${func.name}(${args.join(", ")})${types.length ? ` -> ${results}` : ""} {`,
    );
    this.ops(func.body, this.lines);
    this.lines.push(
      types.length ? `    return ${this.values(func.body.results)} : ${types.join(", ")}` : "    return",
      "  }",
    );
  }

  private ops(region: Region, lines: string[]): void {
    for (const op of region.ops) {
      const loc = this.locations && op.site ? ` loc(${this.locations.of(op.site, op)})` : "";
      lines.push(`${this.indent}${this.definition(op)}${op.def.syntax(op, this)}${loc}`);
    }
  }

  private definition(op: Op): string {
    const n = op.results.length;
    if (n === 0) return "";
    const name = this.value(op.results[0]!);
    const pack = name.lastIndexOf("#");
    return pack < 0 ? `${this.values(op.results)} = ` : `${name.slice(0, pack)}:${n} = `;
  }

  value(v: Value): string {
    const name = this.names.get(v);
    if (name === undefined)
      throw new Error(
        `a value of ${v.op?.def.name ?? "a region's arguments"} is used outside the region that defines it`,
      );
    return name;
  }
  values(vs: readonly Value[]): string {
    let text = "";
    for (const v of vs) text += text ? `, ${this.value(v)}` : this.value(v);
    return text;
  }
  type = typeText;
  types(vs: readonly Value[]): string {
    return vs.map((v) => typeText(v.type)).join(", ");
  }
  region(r: Region, form: "header" | "bare" = "header", terminator = "stablehlo.return"): string {
    const outer = this.indent;
    const lines = ["{"];
    if (form === "header" && r.args.length)
      lines.push(`${outer}^bb0(${r.args.map((a) => `${this.value(a)}: ${typeText(a.type)}`).join(", ")}):`);
    this.indent = `${outer}  `;
    this.ops(r, lines);
    // MLIR prints the space after an empty return too.
    const returned = r.results.length ? `${this.values(r.results)} : ${this.types(r.results)}` : "";
    lines.push(`${this.indent}${terminator} ${returned}`);
    this.indent = outer;
    lines.push(`${outer}}`);
    return lines.join("\n");
  }
  outline(body: Region, wanted: string): string {
    const taken = new Set(this.funcs.map((f) => f.name));
    let name = wanted;
    for (let n = 1; taken.has(name); n++) name = `${wanted}_${n}`;
    this.funcs.push({ name, body, private: true });
    return `@${name}`;
  }
}

interface Naming {
  readonly author?: (site: Site) => AuthorName | undefined;
}

/** Names in use, by nested scope: a region sees its parents' names. */
class Scope {
  private readonly used = new Set<string>();
  constructor(private readonly parent?: Scope) {}
  has(name: string): boolean {
    return this.used.has(name) || (this.parent?.has(name) ?? false);
  }
  add(name: string): void {
    this.used.add(name);
  }
}

interface Counters {
  value: number;
  argument: number;
  conflict: number;
}

/**
 * Names every value of a function, in MLIR's order: all of a region before the regions inside it, whose counters go on from the
 * end of the parent.
 */
function nameValues(body: Region, naming: Naming): Map<Value, string> {
  const names = new Map<Value, string>();
  const visit = (region: Region, parent: Scope | undefined, start: Counters, owner: Op | undefined) => {
    const scope = new Scope(parent);
    const count = { ...start };
    const conflicts = new Map<string, number>();
    const unique = (wanted: string): string => {
      let name = wanted;
      if (naming.author) {
        // People read `scores_1` after `scores`: numbered by name, not by MLIR's one counter for all conflicts.
        for (let n = conflicts.get(wanted) ?? 1; scope.has(name); n++) {
          name = `${wanted}_${n}`;
          conflicts.set(wanted, n + 1);
        }
      } else while (scope.has(name)) name = `${wanted}_${count.conflict++}`;
      scope.add(name);
      return name;
    };
    for (const a of region.args) {
      const wanted = (naming.author && a.label && identifier(a.label)) || owner?.def.argumentName;
      names.set(a, `%${unique(wanted ?? `arg${count.argument++}`)}`);
    }
    const authored = naming.author && authorNames(region, naming.author);
    for (const op of region.ops) {
      if (op.results.length === 0) continue;
      const apart = authored ? undefined : op.def.resultNames;
      if (apart) {
        op.results.forEach((r, i) => names.set(r, `%${unique(apart[i]!)}`));
        continue;
      }
      const label = naming.author && op.results[0]!.label;
      const wanted = label ? identifier(label) : (op.def.resultName?.(op) ?? authored?.get(op));
      const name = wanted ? unique(wanted) : String(count.value++);
      op.results.forEach((r, i) => names.set(r, op.results.length === 1 ? `%${name}` : `%${name}#${i}`));
    }
    for (const op of region.ops) if (!op.def.outlined) for (const r of op.regions) visit(r, scope, count, op);
  };
  visit(body, undefined, { value: 0, argument: 0, conflict: 0 }, undefined);
  return names;
}

/**
 * Names for people: the op that makes an author's variable has its name, other ops of the same call the name with their mnemonic
 * (`probs.exponential`), ops of no variable their mnemonic; derivatives begin with `d_`.
 */
function authorNames(region: Region, author: (site: Site) => AuthorName | undefined): Map<Op, string> {
  const found = region.ops.map((op) => op.site && author(op.site));
  const last = new Map<string, number>();
  const key = (i: number) => `${found[i]!.call}${region.ops[i]!.site!.backward ? "'" : ""}`;
  found.forEach((f, i) => f && last.set(key(i), i));
  return new Map(
    region.ops.map((op, i) => {
      const f = found[i];
      const mnemonic = op.def.name.slice(op.def.name.indexOf(".") + 1);
      const name = !f ? mnemonic : last.get(key(i)) === i ? f.name : `${f.name}.${mnemonic}`;
      return [op, op.site?.backward ? `d_${name}` : name];
    }),
  );
}

/** A path as an MLIR identifier: `blocks/attention/query` becomes `blocks.attention.query`. */
function identifier(path: string): string {
  const id = path.replaceAll("/", ".").replace(/[^\w$.-]/g, "_");
  return /^\d/.test(id) ? `_${id}` : id;
}

/**
 * Locations as MLIR aliases: `loc("scope/op"(callsite("f"("model.ts":12:3) at ...)))`, the form from which XLA keeps the op's
 * name and the whole call stack in its metadata.
 */
class Locations {
  readonly definitions: string[] = [];
  private readonly aliases = new Map<string, string>();
  private readonly positions = new Map<string, SourcePosition | undefined>();
  private readonly stacks = new Map<Site, string | undefined>();
  constructor(private readonly locate: (frame: Frame) => SourcePosition | undefined) {}

  of(site: Site, op: Op): string {
    const mnemonic = op.def.name.slice(op.def.name.indexOf(".") + 1);
    const path = [site.scope, site.backward ? "grad" : "", mnemonic].filter(Boolean).join("/").replaceAll("@", "_");
    const name = JSON.stringify(path);
    const frames = this.stack(site);
    return frames === undefined ? this.alias(name) : this.alias(`${name}(${frames})`);
  }

  /** The call stack of a site as nested callsites; shared by all ops made there, and by the sites it calls. */
  private stack(site: Site): string | undefined {
    const origin = site.origin ?? site;
    if (this.stacks.has(origin)) return this.stacks.get(origin);
    let outer = origin.caller && this.stack(origin.caller);
    for (const frame of [...origin.frames].reverse()) {
      const p = this.position(frame);
      if (!p) continue;
      const file = this.alias(`${JSON.stringify(p.path)}:${p.line}:${p.column}`);
      const named = this.alias(`${JSON.stringify(frame.function || "<anonymous>")}(${file})`);
      outer = outer === undefined ? named : this.alias(`callsite(${named} at ${outer})`);
    }
    this.stacks.set(origin, outer);
    return outer;
  }

  private position(frame: Frame): SourcePosition | undefined {
    const key = `${frame.file}:${frame.line}:${frame.column}`;
    if (!this.positions.has(key)) this.positions.set(key, this.locate(frame));
    return this.positions.get(key);
  }

  private alias(content: string): string {
    let name = this.aliases.get(content);
    if (name === undefined) {
      name = `#loc${this.aliases.size + 1}`;
      this.aliases.set(content, name);
      this.definitions.push(`${name} = loc(${content})`);
    }
    return name;
  }
}

/** A module's text without its locations, which are aliases, defined at the end. */
export const withoutLocations = (text: string): string =>
  text.replace(/^#loc.*\n/gm, "").replace(/ loc\(#loc\d+\)/g, "");
