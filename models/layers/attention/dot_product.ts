import { describe, type Tensor, tensorError } from "../../../ops/tensor.js";
import { blockwise } from "./blockwise.js";
import { direct } from "./direct.js";
import type { Order } from "./visible.js";

/** What a query sees, and how it is computed. */
export interface AttentionOptions {
  /** A query sees keys whose index is at most its own position. Default false. */
  readonly causal?: boolean;
  /** Positions of the queries among the keys (integers), axes among the query's. Default 0, 1, 2, ... along `seq`. */
  readonly positions?: Tensor | undefined;
  /** True where a query may see a key (i1), axes among the query's and `key`. */
  readonly mask?: Tensor | undefined;
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
 * @throws XenarcError when the key has axes that the query has not, or their sizes differ.
 */
export function attention<Q extends string, K extends Q>(
  query: Tensor<Q | "seq" | "headDim">,
  key: Tensor<K | "key" | "headDim">,
  value: Tensor<K | "key" | "headDim">,
  options: AttentionOptions = {},
): Tensor<Q | "seq" | "headDim"> {
  const { causal = false, positions, mask, scale = query.size("headDim") ** -0.5, blockSize = 512 } = options;
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
  const oneBlock = key.size("key") <= blockSize || query.size("seq") === 1;
  const kernel = oneBlock ? direct : blockwise;
  const scaled = query.mul(scale) as Tensor;
  return kernel(scaled, key as Tensor, value as Tensor, order, { causal, positions, mask }, blockSize) as Tensor;
}
