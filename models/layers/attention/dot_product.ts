import { allowsKernel } from "../../../compiler/kernels.js";
import { currentScope } from "../../../compiler/site.js";
import { currentLayout } from "../../../compiler/trace.js";
import { kinds } from "../../../ops/hlo/define.js";
import { observe } from "../../../ops/observe.js";
import { describe, sharded, type Tensor, tensorError } from "../../../ops/tensor.js";
import { blockwise, placesOf } from "./blockwise.js";
import { type ContextParallel, contextParallel } from "./context_parallel.js";
import { direct } from "./direct.js";
import { byHeads } from "./heads.js";
import { probabilities } from "./probabilities.js";
import { inTurns } from "./turns.js";
import type { Order, Sees, Segments } from "./visible.js";

/** What a query sees, and how it is computed. */
export interface AttentionOptions {
  /** A query sees keys whose index is at most its own position. Default false. */
  readonly causal?: boolean;
  /** Positions of the queries among the keys (integers), axes among the query's. Default 0, 1, 2, ... along `seq`. */
  readonly positions?: Tensor | undefined;
  /** True where a query may see a key (i1), axes among the query's and `key`. */
  readonly mask?: Tensor | undefined;
  /**
   * With `causal`, a query sees the last so many keys up to its own position only (Beltagy et al. 2020, arXiv:2004.05150). By an axis that
   * queries and keys share, several, which its places take in turn: `{ kvHeads: [512, 2048] }`. Default all.
   */
  readonly window?: number | Readonly<Record<string, readonly number[]>> | undefined;
  /**
   * With a window, so many keys at the beginning are seen by every query behind them, however far (Beltagy et al. 2020, its global
   * attention, one way: global tokens themselves see what is before them). Default 0.
   */
  readonly globals?: number | undefined;
  /** Scores are held between this and its negative, `softCap * tanh(score / softCap)` (Gemma Team 2024, arXiv:2408.00118). Default none. */
  readonly softCap?: number | undefined;
  /** Scores of one more key each whose value is zero, axes among the query's (Agarwal et al. 2025, arXiv:2508.10925). Default none. */
  readonly sinks?: Tensor | undefined;
  /**
   * The sequences that are packed into one row, by number (integers): a query sees keys of its own number only (Krell et al. 2021,
   * arXiv:2107.02027). Axes among the query's, `seq` one of them. Default: all are of one.
   */
  readonly segments?: Tensor | undefined;
  /** Those of the keys, with `key` in the place of `seq`. Default the queries'. */
  readonly keySegments?: Tensor | undefined;
  /** What products are multiplied by. Default 1 / sqrt(headDim). */
  readonly scale?: number;
  /** How many queries and how many keys are worked on at a time. Default 512. */
  readonly blockSize?: number;
}

/**
 * softmax(query · key) · value (Vaswani et al. 2017, "Attention Is All You Need", section 3.2.1). Query `[..., seq, headDim]`, key and
 * value `[..., key, headDim]`; axes that only the query has are repeated over the keys, so that heads sharing keys (`kvHeads`,
 * `group`) need no copies. Result: the query's axes, headDim being the value's.
 *
 * Beyond one block of keys the memory is linear in their number: see `blockwise`. Products are computed in the operands' element
 * type and accumulated in float32, as is the softmax. A query that sees no key gives zeros, and has no gradient.
 *
 * For remat policies the result is named `attn_out`, together with what else of it the derivative needs: where that is kept,
 * attention is not computed again.
 * @throws XenarcError when the key has axes that the query has not, or their sizes differ; likewise of what the options give.
 */
export function attention<Q extends string, K extends Q>(
  query: Tensor<Q | "seq" | "headDim">,
  key: Tensor<K | "key" | "headDim">,
  value: Tensor<K | "key" | "headDim">,
  options: AttentionOptions = {},
): Tensor<Q | "seq" | "headDim"> {
  const { causal = false, positions, mask, scale = query.size("headDim") ** -0.5, blockSize = 512 } = options;
  const { window, globals, softCap, sinks } = options;
  if (window !== undefined && !causal) {
    throw tensorError("attention: a window is for causal queries.", [query], { fix: "Add `causal: true`." });
  }
  if (globals && window === undefined) {
    throw tensorError("attention: without a window every query sees all keys before it, global or not.", [query], {
      fix: "Give a window, or leave `globals` out.",
    });
  }
  const shared = key.names.filter((n) => n !== "key" && n !== "headDim") as string[];
  const alone = shared.find((n) => !query.has(n));
  if (alone)
    throw tensorError(`attention: the key has the axis "${alone}", which the query ${describe(query)} has not.`, [
      query,
      key,
    ]);
  if (query.has("key")) throw tensorError(`attention: the query ${describe(query)} has an axis "key".`, [query]);
  // What queries and keys share first, then what each key is compared with: every product is one batched product of matrices.
  const own = (query.names as readonly string[]).filter((n) => n !== "seq" && n !== "headDim" && !shared.includes(n));
  const order = { query: [...shared, ...own, "seq", "headDim"], key: [...shared, "key", "headDim"] } as Order;
  const segments = segmentsOf(query as Tensor, key as Tensor, options);
  const oneBlock = key.size("key") <= blockSize || query.size("seq") === 1;
  // A few queries, those at positions of their own, masks of any form and segments by head are no work for a kernel.
  const byHead = segments?.key.names.some((n) => n !== "key" && !placesOf(order).includes(n));
  const asKernel = allowsKernel("attention") && query.size("seq") > 1 && !positions && !mask && !byHead;
  const form = oneBlock && !asKernel ? direct : blockwise;
  const scaled = query.mul(scale) as Tensor;
  const sees = { causal, positions, mask, globals: globals || undefined, softCap, sinks, segments };
  const turns = typeof window === "object" ? inTurns(window, key as Tensor) : undefined;
  observe("attention", currentScope() ?? "", (queries) => {
    const each = turns ? turns.each() : (window as number | undefined);
    return probabilities(scaled as Tensor, key as Tensor, { ...sees, window: each }, queries);
  });
  const parallel = splitSequence(query as Tensor, key as Tensor);
  const attend = (q: Tensor, k: Tensor, v: Tensor, sees: Sees): Tensor => {
    if (parallel === "alltoall") return byHeads(q, k, v, order, sees, blockSize, asKernel) as Tensor;
    if (parallel) return contextParallel(q, k, v, order, sees, blockSize, parallel) as Tensor;
    return form(q, k, v, order, sees, blockSize, asKernel) as Tensor;
  };
  const [q, k, v] = [scaled, key as Tensor, value as Tensor];
  if (!turns) return attend(q, k, v, { ...sees, window: window as number | undefined }) as Tensor;
  const whole = turns.join((window, part) =>
    attend(part(q), part(k), part(v), {
      ...sees,
      window,
      positions: part(positions),
      mask: part(mask),
      sinks: part(sinks),
      segments: segments && { query: part(segments.query), key: part(segments.key) },
    }),
  );
  return whole.ordered(query.names) as Tensor;
}

/** The segments of queries and keys (i32). */
function segmentsOf(query: Tensor, key: Tensor, options: AttentionOptions): Segments | undefined {
  const { segments } = options;
  const keySegments =
    options.keySegments ?? (segments?.has("seq") ? (segments.rename("seq", "key") as Tensor) : undefined);
  if (!segments && !keySegments) return undefined;
  const refuse = (x: Tensor | undefined, axis: string, of: Tensor): void => {
    const wrong = x?.names.find((n) => !of.has(n) || of.size(n) !== x.size(n));
    if (x?.has(axis) && wrong === undefined && kinds.integer(x.dtype)) return;
    throw tensorError(`attention: the segments along "${axis}" are ${x ? describe(x) : "not given"}.`, [of], {
      expected: `integers with the axis "${axis}" and others of ${describe(of)}, of its sizes`,
    });
  };
  refuse(segments, "seq", query);
  refuse(keySegments, "key", key);
  return { query: segments!.cast("i32"), key: keySegments!.cast("i32") } as Segments;
}

/** How the sequence lies on the mesh, where queries and keys are of one sequence that is split over it. */
function splitSequence(query: Tensor, key: Tensor): ContextParallel | "alltoall" | undefined {
  const layout = currentLayout();
  if (layout === undefined || query.size("seq") !== key.size("key")) return undefined;
  const tensor = sharded(query, `The query ${describe(query)}`);
  const over = layout.withActivations({}).spec("activations", tensor)[query.position("seq")] ?? [];
  if (over.length === 0) return undefined;
  const { attention: keys = "ring" } = layout.context;
  return keys === "alltoall" ? keys : { over, keys, zigzag: layout.zigzag };
}
