/**
 * Meshes of devices and the rules by which a model's axes lie on them. An axis of a tensor is split over the mesh axes that the
 * rules give its name; everything else of the distribution is XLA's partitioner's work (Shardy).
 */
import { didYouMean, type Where, XenarcError } from "./errors.js";
import type { Pipeline } from "./pipeline.js";

/** A named axis of a mesh. */
export interface MeshAxis {
  readonly name: string;
  readonly size: number;
  /** How many of `size` lie across slices (connected by the data-centre network); the rest inside one. Default 1. */
  readonly slices?: number | undefined;
}

/** Devices as a grid with named axes; a device's number is its position, row-major, the first axis outermost. */
export interface Mesh {
  readonly axes: readonly MeshAxis[];
}

/** The mesh axes that each dimension of a tensor is split over, outermost first; undefined: the partitioner's choice. */
export type Spec = readonly (readonly string[] | undefined)[];

/** Mesh axes by a model's axis name. */
export type Rules = Readonly<Record<string, readonly string[]>>;

/** What a tensor is to the rules: weights, what the optimizer keeps of them, and everything that is computed from tokens. */
export type Kind = "parameters" | "optimizer" | "activations";

/** The operation that holds a tensor to the mesh. */
export const CONSTRAINT = "sdy.sharding_constraint";

/** The names of mesh axes that the default rules know. */
export const MESH_AXES = ["data", "fsdp", "stage", "expert", "context", "tensor"] as const;

/**
 * Rules that are right for transformers: the batch over data and fsdp, weights sharded along `embed` over fsdp (ZeRO-3, Rajbhandari
 * et al. 2020, arXiv:1910.02054) and over expert, heads and hidden widths over tensor (Shoeybi et al. 2019, arXiv:1909.08053), experts over expert,
 * the sequence over context. `key` is the sequence as attention reads it: whole. Layers lie in stages; `stage`, `repeat` and `microBatch`
 * are the axes that a pipeline adds. A mesh axis that is not the first of its rule goes to the axis of the same tensor whose first it is:
 * the experts' weights lie over expert by expert, all others along `embed`; what a latent is made by lies along `embed` over fsdp, what is made from
 * it along `latent`. It goes from a default rule to the author's that has it first, too: with `expert: tensor` experts lie over tensor, and their
 * widths are whole.
 */
export const DEFAULT_RULES: Readonly<Record<Kind, Rules>> = {
  parameters: {
    embed: ["fsdp", "expert"],
    vocab: ["tensor"],
    heads: ["tensor"],
    kvHeads: ["tensor"],
    mlp: ["tensor"],
    expert: ["expert"],
    latent: ["expert", "fsdp", "tensor"],
    layers: ["stage"],
  },
  optimizer: {},
  activations: {
    batch: ["data", "fsdp", "expert"],
    seq: ["context"],
    key: [],
    embed: [],
    vocab: ["tensor"],
    heads: ["tensor"],
    kvHeads: ["tensor"],
    mlp: ["tensor"],
    expert: ["expert"],
    latent: [],
    layers: ["stage"],
    stage: ["stage"],
    repeat: [],
    microBatch: [],
  },
};

/** How attention reads a sequence that is split over the mesh. */
export interface ContextOptions {
  /**
   * `ring`: keys and values travel from device to device; `allgather`: each device gathers all of them; `alltoall`: devices exchange their
   * parts of the sequence for some of the heads of all of it. Default ring.
   */
  readonly attention?: "ring" | "allgather" | "alltoall";
  /** Sequences that are trained on lie so that under a causal mask all devices have the same work; by heads they have anyway. Default true. */
  readonly balance?: boolean;
}

/** The number of devices of a mesh. */
export const deviceCount = (mesh: Mesh): number => mesh.axes.reduce((n, a) => n * a.size, 1);

/** The size of a mesh axis; 1 for an axis that the mesh does not have. */
export const meshSize = (mesh: Mesh, name: string): number => mesh.axes.find((a) => a.name === name)?.size ?? 1;

/**
 * The devices in groups, of those that differ only in their positions along some axes: `[[0, 1], [2, 3]]`. Within a group the first of
 * the axes is outermost.
 */
export function deviceGroups(mesh: Mesh, along: readonly string[]): number[][] {
  const strides = new Map<string, number>();
  let stride = 1;
  for (const axis of [...mesh.axes].reverse()) {
    strides.set(axis.name, stride);
    stride *= axis.size;
  }
  const offsets = (names: readonly string[]) =>
    names.reduce(
      (found, name) =>
        found.flatMap((at) =>
          Array.from({ length: meshSize(mesh, name) }, (_, i) => at + i * (strides.get(name) ?? 0)),
        ),
      [0],
    );
  const inside = offsets(along);
  return offsets(mesh.axes.map((a) => a.name).filter((name) => !along.includes(name))).map((at) =>
    inside.map((offset) => at + offset),
  );
}

/**
 * A mesh from sizes by axis, of which one may be -1: what is left of the devices. `slices` says how often an axis is repeated across
 * slices; the sizes of `axes` are then those inside one slice.
 *
 * @param devices of the target; undefined: as many as the sizes say.
 * @throws XenarcError when the sizes do not give the number of devices.
 */
export function makeMesh(
  axes: Readonly<Record<string, number>>,
  slices: Readonly<Record<string, number>> = {},
  devices?: number,
): Mesh {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const stray = Object.keys(slices).find((name) => !(name in axes));
  if (stray !== undefined) {
    throw new XenarcError({
      what: `slices.${stray}: the mesh has no axis "${stray}".${didYouMean(stray, Object.keys(axes))}`,
      fix: `Add it to the mesh (mesh.${stray}=1 if it lies across slices alone).`,
    });
  }
  const open = Object.keys(axes).filter((name) => axes[name] === -1);
  if (open.length > 1) {
    throw new XenarcError({ what: `mesh: ${open.join(" and ")} are both -1.`, expected: "at most one size of -1" });
  }
  const fixed = product(Object.values(axes).filter((n) => n !== -1)) * product(Object.values(slices));
  const shown = [...Object.entries(axes), ...Object.entries(slices).map(([n, s]) => [`${n} across slices`, s] as const)]
    .map(([name, size]) => `${name} ${size}`)
    .join(", ");
  if (open.length === 1 && devices === undefined) {
    throw new XenarcError({
      what: `mesh.${open[0]} is -1, what is left of the target's devices, and there is no target.`,
      fix: "Name one, such as --target cpu:8, or give the size.",
    });
  }
  const whole = open.length === 1 ? devices! % fixed === 0 : devices === undefined || fixed === devices;
  if (!whole) {
    throw new XenarcError({
      what: `The mesh (${shown}) does not give the target's ${devices} devices.`,
      expected: `sizes whose product is ${devices}; one may be -1: what is left`,
    });
  }
  return {
    axes: Object.entries(axes).map(([name, size]) => {
      const across = slices[name] ?? 1;
      const inside = size === -1 ? devices! / fixed : size;
      return { name, size: inside * across, ...(across > 1 && { slices: across }) };
    }),
  };
}

/** A tensor as the rules see it. */
export interface Sharded {
  /** What people know it by: `params/blocks/attention/query/weight`, `batch tokens`. */
  readonly name: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** Where it was made. */
  readonly where?: readonly Where[];
}

/** How a model lies on a mesh: the mesh, and the rules with the defaults filled in. */
export class Layout {
  readonly #rules: Readonly<Record<Kind, Rules>>;
  #seen = new Set<string>();
  /** Mesh axes of which the code being traced is that of one device (see `perDevice`): they split nothing there. */
  readonly manual: readonly string[] = [];
  /**
   * Whether sequences lie as pairs of chunks, device i of n having chunks i and 2n - 1 - i (zigzag), so that under a causal mask all
   * have the same work (Grattafiori et al. 2024, "The Llama 3 Herd of Models", arXiv:2407.21783, section 3.3.2).
   */
  readonly zigzag: boolean = false;

  /**
   * @param rules the author's; they win over the defaults name by name. What `optimizer` does not say is as in `parameters`.
   * @param sequence activations that nothing splits over `tensor` are split over it along `seq` (sequence parallelism, Korthikanti
   *   et al. 2022, arXiv:2205.05198).
   * @param pipeline how layers are run where the rules split them over `stage`; default: as many micro-batches as stages, no repeats.
   * @param context how attention reads a sequence that is split over the mesh; default: as a ring, balanced.
   * @throws XenarcError for a rule whose mesh axis does not exist.
   */
  constructor(
    readonly mesh: Mesh,
    readonly rules: Readonly<Partial<Record<Kind, Rules>>> = {},
    readonly sequence = false,
    readonly pipeline: { readonly repeats?: number; readonly microBatches?: number | undefined } = {},
    readonly context: ContextOptions = {},
  ) {
    const known = [...mesh.axes.map((a) => a.name), ...MESH_AXES];
    for (const [kind, table] of Object.entries(rules)) {
      for (const [axis, targets] of Object.entries(table)) {
        const unknown = targets.find((name) => !known.includes(name));
        if (unknown === undefined) continue;
        throw new XenarcError({
          what: `sharding.${kind}.${axis}: the mesh has no axis "${unknown}".${didYouMean(unknown, known)}`,
          expected: `one of ${[...new Set(known)].join(", ")}`,
        });
      }
    }
    const parameters = { ...DEFAULT_RULES.parameters, ...rules.parameters };
    this.#rules = {
      parameters,
      optimizer: { ...parameters, ...rules.optimizer },
      activations: { ...DEFAULT_RULES.activations, ...rules.activations },
    };
  }

  /**
   * Where a tensor's dimensions go. Mesh axes of size 1 are left out, and so is every rule for a dimension of size 1.
   *
   * @throws XenarcError when a dimension does not divide, or one mesh axis would split two dimensions.
   */
  spec(kind: Kind, { name, axes, shape, where }: Sharded): Spec {
    const rules = this.#rules[kind];
    const users = new Map<string, string>();
    const firsts = axes.flatMap((axis, d) => (shape[d] === 1 ? [] : (rules[axis]?.slice(0, 1) ?? [])));
    const ownFirsts = axes.flatMap((axis, d) =>
      shape[d] !== 1 && this.#isOwn(kind, axis) ? (rules[axis]?.slice(0, 1) ?? []) : [],
    );
    const split = axes.map((axis, d) => {
      this.#seen.add(axis);
      const size = shape[d]!;
      const rule = rules[axis];
      if (rule === undefined) return kind === "activations" ? undefined : [];
      if (size === 1) return [];
      const all = this.over(kind, axis);
      const stronger = this.#isOwn(kind, axis) ? [] : ownFirsts;
      const over = all.filter((m) => !(m === rule[0] ? stronger : firsts).includes(m));
      const parts = over.reduce((n, m) => n * meshSize(this.mesh, m), 1);
      if (size % parts !== 0) {
        const over_ = over.map((m) => `${m} ${meshSize(this.mesh, m)}`).join(" x ");
        throw new XenarcError({
          what: `${name}: its axis ${axis} of ${size} cannot be split over the mesh's ${over_}${over.length > 1 ? ` = ${parts}` : ""}.`,
          ...(where && { where }),
          expected: `a multiple of ${parts}`,
          fix: `Change the size, the mesh, or the rule: sharding.${kind}.${axis}=[].`,
        });
      }
      for (const m of over) {
        const other = users.get(m);
        if (other !== undefined) {
          throw new XenarcError({
            what: `${name}: the rules split both ${other} and ${axis} over the mesh axis ${m}.`,
            ...(where && { where }),
            expected: "one dimension of a tensor at most on each mesh axis",
            fix: `Give one of them another rule, such as sharding.${kind}.${axis}=[].`,
          });
        }
        users.set(m, axis);
      }
      return over;
    });
    const seq = axes.indexOf("seq");
    const along = split[seq];
    if (!this.sequence || kind !== "activations" || along === undefined || users.has("tensor")) return split;
    if (this.manual.includes("tensor")) return split;
    const parts = [...along, "tensor"].reduce((n, m) => n * meshSize(this.mesh, m), 1);
    if (meshSize(this.mesh, "tensor") > 1 && shape[seq]! % parts === 0) split[seq] = [...along, "tensor"];
    return split;
  }

  /** Whether a rule is the author's. */
  #isOwn(kind: Kind, axis: string): boolean {
    const { [kind]: own, parameters } = this.rules;
    return own?.[axis] !== undefined || (kind === "optimizer" && parameters?.[axis] !== undefined);
  }

  /** The mesh axes larger than 1 over which the rules split an axis. */
  over(kind: Kind, axis: string): readonly string[] {
    return (this.#rules[kind][axis] ?? []).filter((m) => meshSize(this.mesh, m) > 1 && !this.manual.includes(m));
  }

  /** The layout as the code of one device along these mesh axes sees it. */
  within(axes: readonly string[]): Layout {
    return this.#changed({ manual: [...this.manual, ...axes] });
  }

  /** The layout with sequences in the balanced order. */
  balanced(): Layout {
    return this.#changed({ zigzag: true });
  }

  /** The layout by rules alone, without sequence parallelism, and with other rules for some axes of activations. */
  withActivations(rules: Rules): Layout {
    return this.#changed({}, { ...this.rules, activations: { ...this.rules.activations, ...rules } }, false);
  }

  #changed(change: Partial<Pick<Layout, "manual" | "zigzag">>, rules = this.rules, sequence = this.sequence): Layout {
    const { manual, zigzag } = this;
    const copy = new Layout(this.mesh, rules, sequence, this.pipeline, this.context);
    copy.#seen = this.#seen;
    return Object.assign(copy, { manual, zigzag }, change);
  }

  /** The number of parts into which the rules split an axis. */
  parts(kind: Kind, axis: string): number {
    return this.over(kind, axis).reduce((n, m) => n * meshSize(this.mesh, m), 1);
  }

  /**
   * How layers along an axis are run in stages; undefined where the rules do not split it over `stage`.
   *
   * @param batch how many examples they are run on. What does not divide into micro-batches that lie on the mesh is one.
   */
  stages(axis: string, batch = 1): Pipeline | undefined {
    if (!this.over("parameters", axis).includes("stage")) return undefined;
    const stages = meshSize(this.mesh, "stage");
    const { repeats = 1, microBatches = stages } = this.pipeline;
    const divides = batch % (microBatches * this.parts("activations", "batch")) === 0;
    return { stages, repeats, microBatches: divides ? microBatches : 1 };
  }

  /**
   * The layout as layers in stages see it, along an axis of theirs: a place along `stage` is a stage with its part of the batch along the
   * mesh axes `replicas`.
   */
  inStages(axis: string, replicas: readonly string[]): Layout {
    const { parameters, activations } = this.rules;
    const stage = ["stage", ...replicas];
    const batch = this.#rules.activations.batch?.filter((m) => !replicas.includes(m)) ?? [];
    const rules = {
      ...this.rules,
      parameters: { ...parameters, [axis]: [], stage },
      activations: { ...activations, [axis]: [], stage, batch },
    };
    return this.#changed({}, rules);
  }

  /** @throws XenarcError for a rule of the author's whose axis no tensor had; call it when everything is traced. */
  checkUsed(): void {
    for (const [kind, table] of Object.entries(this.rules)) {
      const unused = Object.keys(table).find((axis) => !this.#seen.has(axis));
      if (unused === undefined) continue;
      throw new XenarcError({
        what: `sharding.${kind}.${unused}: the model has no axis "${unused}".${didYouMean(unused, this.#seen)}`,
        expected: `one of ${[...this.#seen].sort().join(", ")}`,
      });
    }
  }
}

/** Whether a dimension is split by a spec. */
export const isSplit = (spec: Spec): boolean => spec.some((over) => over !== undefined && over.length > 0);

/** The shape that one device holds of a tensor. */
export const localShape = (mesh: Mesh, spec: Spec, shape: readonly number[]): number[] =>
  shape.map((n, d) => n / (spec[d] ?? []).reduce((p, m) => p * meshSize(mesh, m), 1));

/** A spec in Shardy's syntax: `[{"data", "fsdp"}, {}, {?}]`; with `open`, the partitioner may split every dimension further. */
export const specText = (spec: Spec, open = false): string =>
  `[${spec.map((over) => `{${[...(over ?? []).map((m) => `"${m}"`), ...(open || !over ? ["?"] : [])].join(", ")}}`).join(", ")}]`;

/** A mesh in Shardy's syntax: `<["data"=4, "tensor"=2]>`. */
export const meshText = (mesh: Mesh): string => `<[${mesh.axes.map((a) => `"${a.name}"=${a.size}`).join(", ")}]>`;
