/**
 * Tracing: an author's function runs once, and what it does to tensors is written down. The builder of the region being traced is
 * this file's one private variable, set in try / finally.
 */
import { XenarcError } from "./errors.js";
import { type Builder, ConstraintError, Region, type Value } from "./ir.js";
import { CONSTRAINT, type Kind, type Layout, localShape, type Spec } from "./mesh.js";
import { regionCost } from "./passes/scan.js";
import type { Pipeline } from "./pipeline.js";
import type { Port, Program, Role } from "./program.js";
import { atTopLevel, captureDeep, inRegion } from "./site.js";
import { Leaf, leavesWithPaths, mapLeaves } from "./tree.js";

let here: Builder | undefined;
let vocabulary: ((region: Region) => Builder) | undefined;

/** Called once by the vocabulary of ops: how a builder of it is made. */
export function provideBuilder(make: (region: Region) => Builder): void {
  vocabulary = make;
}
/** A builder of the vocabulary for a region. */
export const builderFor = (region: Region): Builder => vocabulary!(region);

/** The builder of the region being traced. */
export function tracing(): Builder {
  if (here === undefined) {
    throw new XenarcError({
      what: "A tensor operation ran outside of a traced function.",
      where: [{ site: captureDeep() }],
      expected: "tensors are computed with inside a function that is compiled or evaluated",
      fix: "Wrap the computation in a function and give it to compile(...) or evaluate(fn, inputs).",
    });
  }
  return here;
}

let layout: Layout | undefined;

/** What is being traced lies on the mesh like this; undefined without one. */
export const currentLayout = (): Layout | undefined => layout;

/** Traces programs for a mesh: their inputs, outputs and the results of their modules lie on it by the layout's rules. */
export function withLayout<T>(l: Layout | undefined, f: () => T): T {
  const before = layout;
  layout = l;
  try {
    return f();
  } finally {
    layout = before;
  }
}

/** A tree (tensors, arrays and plain objects of them) held to the layout by the rules of its kind; as it was where there is none. */
export function constrained<T>(tree: T, kind: Kind = "activations"): T {
  if (layout === undefined) return tree;
  const on = layout;
  const visit = (node: unknown): unknown => {
    if (node instanceof Leaf) return constrainedLeaf(on, node, kind);
    if (Array.isArray(node)) return node.map(visit);
    if (node === null || typeof node !== "object" || Object.getPrototypeOf(node) !== Object.prototype) return node;
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child)]));
  };
  return visit(tree) as T;
}

/** How layers along an axis are run on a batch; undefined where the mesh has no stages for them. */
export const stagesOf = (axis: string, batch?: number): Pipeline | undefined => layout?.stages(axis, batch);

function constrainedLeaf(on: Layout, leaf: Leaf, kind: Kind): Leaf {
  const { names, value } = leaf;
  if (names.length === 0 || (kind === "activations" && value.op?.def.name === CONSTRAINT)) return leaf;
  if (on.mesh.axes.every((axis) => on.manual.includes(axis.name))) return leaf;
  const where = value.op?.site && [{ site: value.op.site }];
  const name = `The tensor (${names.join(", ")})`;
  const spec = on.spec(kind, { name, axes: names, shape: value.type.shape, ...(where && { where }) });
  // A constraint that leaves every dimension open says nothing.
  if (spec.every((over) => over === undefined)) return leaf;
  return leaf.with((tracing() as ConstrainingBuilder).shardingConstraint(value, spec, kind));
}

/** Into how many parts the layout splits an axis of a kind; 1 without one. */
export const splitOver = (kind: Kind, axis: string): number => layout?.parts(kind, axis) ?? 1;

/** The shape that one device holds of an activation. */
export function deviceShape({ names, value }: Leaf): readonly number[] {
  const { shape } = value.type;
  if (layout === undefined) return shape;
  return localShape(
    layout.mesh,
    layout.spec("activations", { name: `(${names.join(", ")})`, axes: names, shape }),
    shape,
  );
}

/** What the vocabulary of ops must have for meshes. */
type ConstrainingBuilder = Builder & { shardingConstraint(value: Value, spec: Spec, kind: Kind): Value };

/** By which rules an input or output lies on the mesh. */
function kindOf(role: Role, name: string): Kind {
  if (role !== "state") return "activations";
  return name.startsWith("optimizer/") ? "optimizer" : "parameters";
}

/** Runs `f` with everything it traces going to `b`. */
export function into<T>(b: Builder, f: () => T): T {
  const before = here;
  here = b;
  try {
    return f();
  } catch (error) {
    throw error instanceof ConstraintError ? asXenarcError(error) : error;
  } finally {
    here = before;
  }
}

/** Traces a function into a region of its own. */
export const intoRegion = <T>(b: Builder, f: () => T): T => inRegion(() => into(b, f));

/** Inputs or outputs of a program by role; names are the paths inside. `{ state: { params, step }, batch: { tokens } }` */
export type ByRole = { readonly [R in Role]?: unknown };

/** How an entry point is traced. */
export interface TraceOptions {
  /** What kinds of inputs and outputs lie in the host's memory; `f` moves what it computes with and what it returns (`place`). */
  readonly host?: readonly Kind[];
  /** A tree in which outputs that come of no input stand as declared, by their names: errors show where. */
  readonly declared?: unknown;
}

/**
 * Traces one entry point. Inputs are trees of tensors of which only axes, sizes and element types matter; state and cache that come
 * out under the name of an input are donated, and come out with that input's order of axes.
 */
export function traceProgram<I extends ByRole>(
  name: string,
  inputs: I,
  f: (inputs: I) => ByRole,
  { host = [], declared = {} }: TraceOptions = {},
): Program {
  const region = new Region();
  const b = builderFor(region);
  const inPorts: Port[] = [];
  const args = Object.fromEntries(
    Object.entries(inputs).map(([role, tree]) => [
      role,
      mapLeaves(tree, (leaf, path) => {
        // The runtime and the command line know inputs by name alone.
        const { type, declared } = leaf.value;
        if (inPorts.some((p) => p.name === path)) {
          throw new XenarcError({
            what: `${name}: two inputs are named "${path}".`,
            ...(declared && { where: [{ site: declared }] }),
          });
        }
        inPorts.push(port(path, role as Role, leaf, host));
        return leaf.with(region.arg(type, leaf.names, path, declared));
      }),
    ]),
  ) as I;
  const outPorts: Port[] = [];
  const declaredAt = new Map([...leavesWithPaths(declared)].map(([path, leaf]) => [path, leaf.value.declared]));
  const threaded = new Map(inPorts.map((p, i) => [`${p.role} ${p.name}`, i]));
  const donated: [number, number][] = [];
  atTopLevel(() =>
    into(b, () => {
      for (const [role, tree] of Object.entries(f(args))) {
        for (const [path, leaf] of leavesWithPaths(tree)) {
          const input = role === "state" || role === "cache" ? threaded.get(`${role} ${path}`) : undefined;
          const out = input === undefined ? leaf : leaf.ordered(inPorts[input]!.axes);
          if (input !== undefined) donated.push([input, outPorts.length]);
          const frozen = input !== undefined && out.value === region.args[input];
          outPorts.push({ ...port(path, role as Role, out, host, declaredAt.get(path)), ...(frozen && { frozen }) });
          region.results.push(out.value);
        }
      }
      // What is reported and not collected nobody reads.
      const seen = takeEscapes(region).filter(({ kind }) => kind === "print" || kind === "assert");
      seen.forEach((e, i) => {
        const role = e.kind as "print" | "assert";
        const at = (n: string) => `${role}/${i}${n}`;
        outPorts.push({ ...port(at(""), role, { names: e.names, value: e.value }), message: e.message });
        region.results.push(e.value);
        if (e.when) {
          outPorts.push(port(at("/when"), role, { names: [], value: e.when }));
          region.results.push(e.when);
        }
      });
    }),
  );
  return {
    name,
    region,
    inputs: inPorts,
    outputs: outPorts,
    donated,
    ...(layout && { mesh: layout.mesh }),
    get cost() {
      return regionCost(region);
    },
  };
}

function port(
  name: string,
  role: Role,
  { names, value }: Pick<Leaf, "names" | "value">,
  host: readonly Kind[] = [],
  declared = value.declared,
): Port {
  const { shape, dtype } = value.type;
  const where = declared && [{ site: declared }];
  const onHost = host.includes(kindOf(role, name));
  const known = { name, role, axes: names, shape, dtype, ...(onHost && { memory: "pinned_host" as const }) };
  if (layout === undefined) return known;
  const sharding = layout
    .spec(kindOf(role, name), { name, axes: names, shape, ...(where && { where }) })
    .map((over) => over ?? []);
  return { ...known, sharding };
}

function asXenarcError({ op, violation, constraint }: ConstraintError): XenarcError {
  return new XenarcError({
    what: `${op.def.name}: ${violation}.`,
    ...(op.site && { where: [{ site: op.site }] }),
    expected: `what StableHLO's specification says of ${op.def.name} under ${constraint}`,
  });
}

/** A value that leaves the region it was made in without being returned: what `debug.print`, `assertFinite` and `report` look at. */
export interface Escape {
  readonly value: Value;
  readonly names: readonly string[];
  readonly kind: "print" | "assert" | "loss" | "metric" | "observation" | "update";
  /** What to print, `{}` standing for the value; what to say when the assertion fails; the name of what is reported. */
  readonly message: string;
  /** When false the value was not computed (the other branch ran). Absent: always true. */
  readonly when?: Value;
}

const escapes = new WeakMap<Region, Escape[]>();

/** Registers a value with the region being traced. */
export function escape(e: Escape, region: Region = tracing().region): void {
  const list = escapes.get(region);
  if (list) list.push(e);
  else escapes.set(region, [e]);
}

/** Takes a region's escapes: whoever closes the region returns them as further results and registers these outside. */
export function takeEscapes(region: Region): readonly Escape[] {
  const list = escapes.get(region) ?? [];
  escapes.delete(region);
  return list;
}
