import { shard } from "../../../ops/control.js";
import { dot } from "../../../ops/functions.js";
import { type Initializer, normal } from "../../../ops/initializers.js";
import { Module } from "../../../ops/module.js";
import type { Key } from "../../../ops/random.js";
import { report } from "../../../ops/report.js";
import { describe, type Sizes, type Tensor, tensorError } from "../../../ops/tensor.js";
import { GatedMlp } from "../gated_mlp.js";
import { Linear } from "../linear.js";
import { Mlp } from "../mlp.js";
import { combine, dispatch, limited, type Priority } from "./dispatch.js";
import { gated, loadOf, throughExperts, ungated } from "./experts.js";
import { Router, type RouterOptions, type Routing } from "./router.js";

/** Sizes and kinds of the parts of a {@link Moe}. */
export interface MoeOptions extends RouterOptions {
  /** What each expert is: gated (`swiglu`), or two linear layers with a GELU between; no biases. Default swiglu. */
  readonly feedForward?: "swiglu" | "gelu";
  /** Width inside the shared experts, which every token is given (DeepSeekMoE, arXiv:2401.06066). Default none. */
  readonly shared?: number | undefined;
  /**
   * The capacity factor: an expert takes at most this times its even share of the choices, in the order of `priority`; what is beyond
   * is dropped. Default none: nothing is dropped.
   */
  readonly capacity?: number | undefined;
  /**
   * What an expert that is full takes none of: tokens' second choices before first ones, then later tokens (`choice`, as GShard); or
   * later tokens (`token`), so that what a token is given never depends on tokens behind it. Default choice.
   */
  readonly priority?: Priority;
  /**
   * How many of its tokens a device brings to the experts at a time; what is computed between is computed again in the backward pass. It
   * bounds memory where tokens are many. Without a capacity it changes nothing else, and is rounded down to what divides a device's tokens. With
   * one it must divide them: each so many neighbours of a place along `local` have a capacity of their own, as GShard's groups do. Tokens that
   * are fewer are together. Default: all at once.
   */
  readonly chunk?: number | undefined;
  /**
   * Axes along which tokens are dispatched by themselves, each place with a capacity of its own (GShard's groups, arXiv:2006.16668): what
   * is not sharded need not be sorted across devices. Without a capacity it changes nothing. Default none.
   */
  readonly local?: readonly string[];
  /** How the experts' last weights begin, which end in the residual stream. Default as the others. */
  readonly outputInit?: Initializer;
}

/** What a {@link Moe} is told besides its input. */
export interface MoeCallOptions<A extends string = any> {
  /** Randomness of the router's jitter; without it there is none. */
  readonly key?: Key | undefined;
  /** Added to the router's logits (f32), by token. */
  readonly adjustment?: Tensor<A | "expert"> | undefined;
  /** Whether a token is given experts at all (i1). Default: every one is. */
  readonly active?: Tensor<A> | undefined;
  /** 1 for the type of what a token is of (f32). Default: none is of any. */
  readonly types?: Tensor<A | "type"> | undefined;
  /** What a token counts among those whose probabilities are observed (f32). Default: as all do. */
  readonly counted?: Tensor<A> | undefined;
}

/**
 * A mixture of experts in the place of a feed-forward layer (Shazeer et al. 2017, "Outrageously Large Neural Networks",
 * arXiv:1701.06538): a router chooses experts for each token, each a feed-forward layer, and their results are added up, weighed. Without
 * a capacity the experts' products are grouped ones, over all tokens sorted by expert (Gale et al. 2022, "MegaBlocks",
 * arXiv:2211.15841); with one, each expert has a buffer of that many rows. Memory is of the order of tokens times experts a token
 * times width.
 *
 * Tokens are numbered with their axes in alphabetical order. Where experts are full the result depends on what else is in the batch, so
 * that decoding token by token gives something else than the whole sequence at once: without a capacity it is the same.
 *
 * Reports the router's figures and, with a capacity, `dropped`, the part of the choices that found an expert full.
 */
export class Moe extends Module {
  readonly router: Router;
  readonly gate: Linear<"embed", "mlp", "expert"> | undefined;
  readonly up: Linear<"embed", "mlp", "expert">;
  readonly down: Linear<"mlp", "embed", "expert">;
  readonly shared: GatedMlp | Mlp | undefined;
  private readonly capacity: number | undefined;
  private readonly priority: Priority;
  private readonly chunk: number | undefined;
  private readonly local: readonly string[];
  private readonly jitter: number;
  constructor({ embed }: Sizes<"embed">, { mlp }: Sizes<"mlp">, options: MoeOptions) {
    super();
    const {
      experts,
      feedForward = "swiglu",
      shared,
      capacity,
      priority = "choice",
      chunk,
      local = [],
      jitter = 0,
      init = normal(0.02),
      outputInit = init,
    } = options;
    if (capacity !== undefined && !(capacity > 0))
      throw tensorError(`Moe: the capacity factor is ${capacity}.`, [], { expected: "a positive number" });
    this.router = new Router(embed, options);
    const each = { bias: false, of: { expert: experts } };
    this.gate = feedForward === "swiglu" ? new Linear({ embed }, { mlp }, { ...each, init }) : undefined;
    this.up = new Linear({ embed }, { mlp }, { ...each, init });
    this.down = new Linear({ mlp }, { embed }, { ...each, init: outputInit });
    const Shared = feedForward === "swiglu" ? GatedMlp : Mlp;
    this.shared = shared ? new Shared({ embed }, { mlp: shared }, { bias: false, init, outputInit }) : undefined;
    this.capacity = capacity;
    this.priority = priority;
    this.chunk = chunk;
    this.local = local;
    this.jitter = jitter;
  }

  /** x `[..., embed]` to `[..., embed]`; 0 for a token that is not active. */
  call<A extends string>(
    x: Tensor<A | "embed">,
    { key, adjustment, active, types, counted }: MoeCallOptions<A> = {},
  ): Tensor<A | "embed"> {
    // Two axes that rules of sharding do not speak of: groups of tokens lie where the batch does, or where experts are exchanged for it.
    const isLocal = (n: string) => this.local.includes(n);
    // An axis that the weights have besides, as those of layers in stages do, is no axis of tokens.
    const others = (x.names as readonly string[]).filter((n) => !(this.router.weight as Tensor).has(n)).sort();
    const inOrder = (y: Tensor) => {
      const groups = merged(y, others.filter(isLocal), "group");
      const tokens = merged(
        groups.joined,
        others.filter((n) => !isLocal(n)),
        "token",
      );
      return { joined: tokens.joined, back: (z: Tensor) => groups.back(tokens.back(z)) };
    };
    const tokens = inOrder(x as Tensor);
    if (!tokens.joined.has("token"))
      throw tensorError(`Moe: there are no tokens in ${describe(x)}.`, [x], { expected: "an axis that is not local" });

    const seen = key && this.jitter > 0 ? inOrder(this.router.jittered(x as Tensor, key)) : tokens;
    const told = {
      adjustment: adjustment && (inOrder(adjustment as Tensor).joined as Tensor),
      active: active && (inOrder(active as Tensor).joined as Tensor),
      types: types && (inOrder(types as Tensor).joined as Tensor),
      counted: counted && (inOrder(counted as Tensor).joined as Tensor),
    };
    const routing = this.router.call(seen.joined as Tokens, told);
    const count = routing.expert.size("token");
    const inChunks = this.chunk !== undefined && count > this.chunk;
    // A token alone, as one that is written, is never dropped.
    const capacity = count === 1 ? undefined : this.capacity;
    const mixed = (
      capacity === undefined || inChunks
        ? this.throughChunks(x as Tensor, routing, tokens.back, others, capacity)
        : tokens.back(this.limited(tokens.joined as Tokens, routing) as Tensor)
    ) as Tensor<A | "embed">;
    return this.shared ? (mixed.add(this.shared.call<A>(x) as Tensor) as Tensor) : mixed;
  }

  /** Rows of each expert for so many tokens: its even share of the choices times the capacity factor; an expert takes no token twice. */
  private rowsOf({ expert, load }: Routing, tokens: number): number {
    const share = (tokens * expert.size("choice")) / load.size("expert");
    return Math.min(tokens, Math.ceil(share * this.capacity!));
  }

  /**
   * Tokens' results, as many at a time as the chunk says: of all, or of those that each chunk's capacity has room for. `back` brings what
   * tokens have from their one axis to the `axes` of x.
   */
  private throughChunks(
    x: Tensor,
    routing: Routing,
    back: (y: Tensor) => Tensor,
    axes: readonly string[],
    capacity: number | undefined,
  ): Tensor {
    const { chunk, priority } = this;
    const [expert, weight] = [back(routing.expert as Tensor), back(routing.weight as Tensor)];
    const choices = { expert, weight, taken: routing.taken && back(routing.taken as Tensor) };
    const [local, along] = [true, false].map((wanted) => axes.filter((n) => this.local.includes(n) === wanted));
    const tokens = [...local!, ...along!];
    if (capacity === undefined) return throughExperts(x, choices, this, { tokens, chunk });
    const rows = this.rowsOf(routing, chunk!);
    reportDropped(inChunks(routing, chunk!), rows);
    return throughExperts(x, choices, this, { tokens, chunk, room: { rows, priority, along: along! } });
  }

  /** Results of the tokens that their experts have room for. */
  private limited(tokens: Tokens, routing: Routing): Tokens {
    const room = this.rowsOf(routing, routing.expert.size("token"));
    const rows = limited(routing, room, this.priority);
    reportDropped(routing, room);
    return combine(this.experts(dispatch(tokens, rows), routing), routing.weight, rows);
  }

  /** Each row through its expert. */
  private experts(rows: Rows, { load }: Routing): Rows {
    const experts = load.size("expert");
    const buffers = this.withTokens(rows).split("row", { expert: experts, capacity: rows.size("row") / experts });
    const sent = shard(buffers);
    const up = through(sent, this.up, "embed");
    const inner = this.gate ? gated(through(sent, this.gate, "embed"), up) : ungated(up);
    return this.withTokens(shard(through(inner, this.down, "mlp")).merge(["expert", "capacity"], "row"));
  }

  /** Rows that lie on the mesh where their tokens do: what is looked up in them is then on the same device. */
  private withTokens(rows: Rows): Rows {
    const [axis, ...more] = this.local;
    if (axis === undefined || more.length || !rows.has("group")) return rows;
    return shard(rows.rename("group", axis) as Tensor).rename(axis, "group") as Tensor;
  }
}

/** Each expert's rows through its map, whose weight is whole along the axes that only its storage is split by. */
function through<A extends string, I extends "embed" | "mlp", O extends "embed" | "mlp">(
  x: Tensor<A>,
  { weight, lora }: Linear<I, O, "expert">,
  along: I & A,
): Tensor<Exclude<A, I> | O> {
  const own = dot(x as Tensor, shard(weight.cast(x.dtype) as Tensor), along);
  return lora ? (own.add(lora.call(x as Tensor) as Tensor) as Tensor) : own;
}

/** Axes as one, and the way back. */
function merged(tensor: Tensor, axes: readonly string[], name: string) {
  if (axes.length === 0) return { joined: tensor, back: (y: Tensor) => y };
  const sizes = Object.fromEntries(axes.map((n) => [n, tensor.size(n)]));
  return { joined: tensor.merge(axes, name) as Tensor, back: (y: Tensor) => y.split(name, sizes) as Tensor };
}

type Tokens = Tensor<"group" | "token" | "embed">;
type Rows = Tensor<"group" | "row" | "embed">;

/** The loads of each chunk of tokens by itself. */
function inChunks({ expert, taken, load }: Routing, chunk: number): Pick<Routing, "load"> {
  const cut = (t: Tensor) => t.split("token", { chunk: -1, token: chunk }) as Tensor;
  return { load: loadOf(cut(expert as Tensor), taken && cut(taken as Tensor), load.size("expert")) as Routing["load"] };
}

/** The part of the choices that are more than the rows of their expert. */
function reportDropped({ load }: Pick<Routing, "load">, rows: number): void {
  const number = (t: Tensor) => t.cast("f32").sum(t.names.filter((n) => ["group", "chunk", "expert"].includes(n)));
  const all = load as Tensor;
  report.metric(
    "dropped",
    number(all.minimum(rows) as Tensor)
      .div(number(all))
      .neg()
      .add(1),
  );
}
