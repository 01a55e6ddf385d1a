import {
  bytesOf,
  type DType,
  elements,
  isFloat,
  type Op,
  type TensorType,
  typeText,
  type Value,
} from "../../compiler/ir.js";
import { emitOne, type HloOp, kinds, list } from "./define.js";
import { at, inverse, outside, product, range, repeats, wrongShape } from "./dimensions.js";
import { type DotDimensions, type DotPrecision, dotConstraints, free, sizes } from "./dot_dimensions.js";
import type { HloBuilder } from "./index.js";
import { genericSyntax } from "./regions.js";

export interface RaggedDotAttrs extends DotDimensions, DotPrecision {
  /** The one dimension of the left that is cut into groups. */
  readonly lhsRagged: readonly number[];
  /** Where the ragged dimension is free: the dimension of the right that has an element for each group. Else none. */
  readonly rhsGroup: readonly number[];
}

/** What the ragged dimension is to the product: free (of the left), contracted, or batch. */
type Mode = "free" | "contracting" | "batch";

const modeOf = ({ lhsBatch, lhsContracting, lhsRagged: [ragged] }: RaggedDotAttrs): Mode =>
  lhsBatch.includes(ragged!) ? "batch" : lhsContracting.includes(ragged!) ? "contracting" : "free";

/** The dimensions of the left that group sizes may differ along: batch, then those of the ragged one's kind in front of it. */
function outerDims(x: TensorType, a: RaggedDotAttrs): number[] {
  const own = { free: free(x, a.lhsBatch, a.lhsContracting), contracting: a.lhsContracting, batch: a.lhsBatch };
  const mode = modeOf(a);
  const before = own[mode].slice(0, own[mode].indexOf(a.lhsRagged[0]!));
  return mode === "batch" ? before : [...a.lhsBatch, ...before];
}

function resultShape(x: TensorType, y: TensorType, groups: TensorType, a: RaggedDotAttrs): number[] {
  return [
    ...(modeOf(a) === "contracting" ? [groups.shape.at(-1)!] : []),
    ...sizes(x, a.lhsBatch),
    ...sizes(x, free(x, a.lhsBatch, a.lhsContracting)),
    ...sizes(y, free(y, a.rhsBatch, a.rhsContracting, a.rhsGroup)),
  ];
}

/**
 * A product whose left has a dimension cut into groups of consecutive elements. `groupSizes` (integers, `[groups]`, or by place of the
 * dimensions in front of the ragged one, `[..., groups]`) says how many elements each group has. The ragged dimension is
 * - free (`[m, k]`, `[groups, k, n]` to `[m, n]`): each group is multiplied by its own matrix, what is left over gives zeros;
 * - contracted (`[m, k]`, `[k, n]` to `[groups, m, n]`): each group is summed up by itself, without what is left over;
 * - batch (`[b, m, k]`, `[b, k, n]` to `[b, m, n]`): as dot_general, whatever the groups.
 *
 * CHLO dialect, "ragged_dot" (it numbers no constraints: C1 to C11 are those of dot_general, the others this file's). XLA has it on
 * TPUs; elsewhere it is a loop over blocks of rows, each of one group, which holds nothing larger than operands and result.
 */
export const raggedDot: HloOp<
  RaggedDotAttrs,
  [lhs: Value, rhs: Value, groupSizes: Value, attrs: RaggedDotAttrs, dtype?: DType, axes?: readonly string[]]
> = {
  name: "chlo.ragged_dot",
  platforms: ["tpu"],
  constraints: {
    ...dotConstraints,
    C12: ({ operands: [x], attrs: { lhsRagged } }) =>
      lhsRagged.length !== 1 || outside(lhsRagged, x!.type.shape.length)
        ? `one dimension of ${typeText(x!.type)} is ragged, not ${list(lhsRagged)}`
        : undefined,
    C13: ({ operands: [x, , groups], attrs }) => {
      const want = sizes(x!.type, outerDims(x!.type, attrs));
      const got = groups!.type.shape;
      return got.length === 1 || (got.length === want.length + 1 && want.every((n, d) => n === got[d]))
        ? undefined
        : `group sizes are [groups] or [${[...want, "groups"].join(", ")}], not ${typeText(groups!.type)}`;
    },
    C14: ({ operands: [, y], attrs: { rhsGroup } }) =>
      outside(rhsGroup, y!.type.shape.length) ? `rhsGroup ${list(rhsGroup)} leaves ${typeText(y!.type)}` : undefined,
    C15: ({ attrs: { rhsGroup, rhsBatch, rhsContracting } }) =>
      repeats(rhsGroup, [...new Set([...rhsBatch, ...rhsContracting])])
        ? `rhsGroup ${list(rhsGroup)} is among the dimensions ${list([...rhsBatch, ...rhsContracting])}`
        : undefined,
    C16: ({ attrs }) => {
      const want = modeOf(attrs) === "free" ? 1 : 0;
      return attrs.rhsGroup.length === want
        ? undefined
        : `${attrs.rhsGroup.length} group dimensions of the right, where the ragged dimension is ${modeOf(attrs)}: ${want}`;
    },
    C17: ({ operands: [, y, groups], attrs: { rhsGroup } }) => {
      const n = groups!.type.shape.at(-1)!;
      return rhsGroup.some((d) => y!.type.shape[d] !== n)
        ? `${n} groups, and ${list(sizes(y!.type, rhsGroup))} along dimension ${list(rhsGroup)} of ${typeText(y!.type)}`
        : undefined;
    },
    C18: ({ operands: [x, y, groups], results: [z], attrs }) =>
      wrongShape(resultShape(x!.type, y!.type, groups!.type, attrs), z!),
    C19: ({ operands: [x, y] }) =>
      x!.type.dtype === y!.type.dtype
        ? undefined
        : `operands have one element type, not ${x!.type.dtype} and ${y!.type.dtype}`,
    I3: ({ operands: [, , groups] }) =>
      kinds.integer(groups!.type.dtype) ? undefined : `group sizes are integers, not ${typeText(groups!.type)}`,
  },
  syntax: genericSyntax(({ attrs: a }: Op<RaggedDotAttrs>) => {
    const numbers = Object.entries({
      lhs_batching_dimensions: a.lhsBatch,
      rhs_batching_dimensions: a.rhsBatch,
      lhs_contracting_dimensions: a.lhsContracting,
      rhs_contracting_dimensions: a.rhsContracting,
      lhs_ragged_dimensions: a.lhsRagged,
      rhs_group_dimensions: a.rhsGroup,
    }).flatMap(([name, ds]) => (ds.length ? [`${name} = ${list(ds)}`] : []));
    return [
      ...(a.precision ? [`precision_config = [${a.precision.map((p) => `#chlo<precision ${p}>`).join(", ")}]`] : []),
      `ragged_dot_dimension_numbers = #chlo.ragged_dot<${numbers.join(", ")}>`,
    ];
  }),
  // Each element of the left meets one group's part of the right.
  cost({ operands: [x, y, groups], results: [z], attrs: a }) {
    const others = product(sizes(y!.type, free(y!.type, a.rhsBatch, a.rhsContracting, a.rhsGroup)));
    const bytes = [x, y, groups, z].reduce((n, v) => n + bytesOf(v!.type), 0);
    return { flops: 2 * elements(x!.type) * others, transcendentals: 0, bytes };
  },
  make: (b, x, y, groups, attrs, dtype, axes) => {
    const shape = resultShape(x.type, y.type, groups.type, attrs);
    return emitOne(b, raggedDot, [x, y, groups], attrs, { shape, dtype: dtype ?? x.type.dtype }, axes);
  },
  vjp(b, op, [ct], needs) {
    const { mode, lhs, rhs, groups, batch, left, contracted, right, ragged } = inOrder(b, op);
    // As in dot_general, a product kept in f32 is differentiated in the operands' type.
    const c = b.convert(ct!, lhs.value.type.dtype);
    const [nb, nl, nc, nr] = [batch, left, contracted, right].map((ds) => ds.length) as [
      number,
      number,
      number,
      number,
    ];
    const span = (from: number, n: number) => range(n).map((i) => from + i);
    const { precision } = op.attrs;
    const product = (
      x: Value,
      y: Value,
      a: Pick<RaggedDotAttrs, "lhsContracting" | "rhsContracting">,
      at: number,
      group: boolean,
    ) =>
      b.raggedDot(x, y, groups, {
        lhsBatch: range(nb),
        rhsBatch: span(group ? 1 : 0, nb),
        ...a,
        lhsRagged: [at],
        rhsGroup: group ? [0] : [],
        ...(precision && { precision }),
      });
    if (mode === "contracting") {
      const swap = [...range(nb), ...span(nb + nc, nl), ...span(nb, nc)];
      const [ofLeft, ofRight] = [span(1 + nb, nl), span(1 + nb + nl, nr)];
      const dx = () =>
        b.transpose(
          product(rhs.value, c, { lhsContracting: span(nb + nc, nr), rhsContracting: ofRight }, nb + ragged, true),
          swap,
        );
      const dy = () =>
        product(lhs.value, c, { lhsContracting: span(nb, nl), rhsContracting: ofLeft }, nb + nl + ragged, true);
      return [needs(0) ? lhs.back(dx()) : undefined, needs(1) ? rhs.back(dy()) : undefined, undefined];
    }
    const group = mode === "free";
    const at = group ? nb + ragged : ragged;
    const [ofLeft, ofRight] = [span(nb, nl), span(nb + nl, nr)];
    const inRight = span((group ? 1 : 0) + nb + nc, nr);
    const dx = () => product(c, rhs.value, { lhsContracting: ofRight, rhsContracting: inRight }, at, group);
    const dy = () => product(lhs.value, c, { lhsContracting: ofLeft, rhsContracting: ofLeft }, at, false);
    return [needs(0) ? lhs.back(dx()) : undefined, needs(1) ? rhs.back(dy()) : undefined, undefined];
  },
  expand(b, op) {
    const [x, y] = op.operands as [Value, Value];
    const { type } = op.results[0]!;
    const { lhsRagged: _, rhsGroup: __, ...dimensions } = op.attrs;
    if (modeOf(op.attrs) === "batch") return [b.dotGeneral(x, y, dimensions, type.dtype)];
    const empty = [...op.operands, ...op.results].some((v) => elements(v.type) === 0);
    return [empty ? b.constant(type, 0) : blocks(b, op)];
  },
};

/** An operand with its dimensions in another order, and the way back for its cotangent. */
interface Side {
  readonly value: Value;
  readonly back: (cotangent: Value) => Value;
}

/** The operands with their dimensions as `[batch, free, contracting]` and `[group, batch, contracting, free]`. */
function inOrder(b: HloBuilder, op: Op<RaggedDotAttrs>) {
  const [x, y, groups] = op.operands as [Value, Value, Value];
  const a = op.attrs;
  const mode = modeOf(a);
  const own = {
    batch: a.lhsBatch,
    free: free(x.type, a.lhsBatch, a.lhsContracting),
    contracting: a.lhsContracting,
  };
  const rightFree = free(y.type, a.rhsBatch, a.rhsContracting, a.rhsGroup);
  const side = (v: Value, order: readonly number[]): Side => ({
    value: b.transpose(v, order),
    back: (ct) => b.transpose(ct, inverse(order)),
  });
  return {
    mode,
    lhs: side(x, [...own.batch, ...own.free, ...own.contracting]),
    rhs: side(y, [...a.rhsGroup, ...a.rhsBatch, ...a.rhsContracting, ...rightFree]),
    groups,
    /** Sizes by kind. */
    batch: at(x.type.shape, own.batch),
    left: at(x.type.shape, own.free),
    contracted: at(x.type.shape, own.contracting),
    right: at(y.type.shape, rightFree),
    /** Where the ragged dimension stands among those of its kind. */
    ragged: own[mode].indexOf(a.lhsRagged[0]!),
  };
}

const I32 = { shape: [], dtype: "i32" } as const satisfies TensorType;

/** Where each group ends (i32, `[places, groups]`), at most at `length`. */
function groupEnds(b: HloBuilder, groups: Value, places: number, length: number): Value {
  const n = groups.type.shape.at(-1)!;
  const type = { shape: [places, n], dtype: "i32" } as const;
  const given = b.convert(groups, "i32");
  const each = groups.type.shape.length === 1 ? b.broadcastInDim(given, type.shape, [1]) : b.reshape(given, type.shape);
  // A negative size would let the loop over blocks run for ever.
  const ends = b.reduceWindowSum(b.maximum(each, b.constant(type, 0)), {
    windowDimensions: [1, n],
    padding: [
      [0, 0],
      [n - 1, 0],
    ],
  });
  return b.minimum(ends, b.constant(type, length));
}

/** Rows that a step of the loop multiplies at once: more of them waste more where a group ends, fewer make smaller products. */
const BLOCK = 128;

/**
 * A loop over blocks of consecutive rows, each of one group: as many steps as there are full blocks and groups, at most. Where the
 * ragged dimension is free a step writes its rows of the result, where it is contracted it adds to its group's.
 */
function blocks(b: HloBuilder, op: Op<RaggedDotAttrs>): Value {
  const { mode, lhs, rhs, groups, batch, left, contracted, right, ragged } = inOrder(b, op);
  const { type } = op.results[0]!;
  const isFree = mode === "free";
  // Along the rows: [places, rows, what is inside the ragged dimension, what is contracted or free of the left].
  const cut = isFree ? left : contracted;
  const rest = product(isFree ? contracted : left);
  const outside = product(cut.slice(0, ragged));
  const [rows, inner] = [cut[ragged]!, product(cut.slice(ragged + 1))];
  const [many, places] = [product(batch), product(batch) * outside];
  const n = product(right);
  const count = groups.type.shape.at(-1)!;
  const size = Math.min(BLOCK, rows);
  const rowsFirst = [
    ...range(batch.length),
    ...contracted.map((_, i) => batch.length + left.length + i),
    ...left.map((_, i) => batch.length + i),
  ];
  const x = b.reshape(isFree ? lhs.value : b.transpose(lhs.value, rowsFirst), [places, rows, inner, rest]);
  const y = isFree ? b.reshape(rhs.value, [count, many, rest, n]) : b.reshape(rhs.value, [places, rows, inner, n]);
  const ends = groupEnds(b, groups, places, rows);

  // Sums are added up over the blocks of a group: not in 16 bits.
  const wide = !isFree && isFloat(type) && (type.dtype === "bf16" || type.dtype === "f16") ? "f32" : type.dtype;
  const sums: TensorType = { shape: isFree ? [places, rows, inner, n] : [count, many, rest, n], dtype: wide };
  const precision = op.attrs.precision && { precision: op.attrs.precision };
  const init = [b.constant(I32, 0), b.constant(I32, 0), b.constant(sums, 0)];
  const types = init.map((v) => v.type);

  const cond = b.nested(types, (b, place) => [b.compare(place!, b.constant(I32, places), "LT")]);
  const body = b.nested(types, (b, place, row, out) => {
    const int = (value: number) => b.constant(I32, value);
    const zero = int(0);
    const ofPlace = b.reshape(b.dynamicSlice(ends, [place!, zero], [1, count]), [count]);
    const before = b.compare(ofPlace, b.broadcastInDim(row!, [count], []), "LE");
    const group = b.reduceSum(b.convert(before, "i32"), [0]);
    const end = b.reshape(b.dynamicSlice(ofPlace, [group], [1]), []);
    const start = b.minimum(row!, int(rows - size));
    const numbers = b.add(b.iota({ shape: [size], dtype: "i32" }, 0), b.broadcastInDim(start, [size], []));
    const here = b.and(
      b.compare(numbers, b.broadcastInDim(row!, [size], []), "GE"),
      b.compare(numbers, b.broadcastInDim(end, [size], []), "LT"),
    );
    /** The block's rows of an operand. */
    const block = (v: Value) => {
      const sizes = [1, size, ...v.type.shape.slice(2)];
      return b.reshape(b.dynamicSlice(v, [place!, start, zero, zero], sizes), sizes.slice(1));
    };
    /** The block with its rows of other groups taken from elsewhere. */
    const within = (v: Value, otherwise: Value) => b.select(b.broadcastInDim(here, v.type.shape, [0]), v, otherwise);
    const inGroup = [group, b.divide(place!, int(outside)), zero, zero];
    let next: Value;
    if (isFree) {
      const matrix = b.reshape(b.dynamicSlice(y, inGroup, [1, 1, rest, n]), [rest, n]);
      const dims = { lhsBatch: [], rhsBatch: [], lhsContracting: [2], rhsContracting: [0], ...precision };
      const chosen = within(b.dotGeneral(block(x), matrix, dims, wide), block(out!));
      next = b.dynamicUpdateSlice(out!, b.reshape(chosen, [1, size, inner, n]), [place!, start, zero, zero]);
    } else {
      const only = (v: Value) => within(v, b.constant(v.type, 0));
      const dims = { lhsBatch: [], rhsBatch: [], lhsContracting: [0, 1], rhsContracting: [0, 1], ...precision };
      const part = b.reshape(b.dotGeneral(only(block(x)), only(block(y)), dims, wide), [1, 1, rest, n]);
      const soFar = b.dynamicSlice(out!, inGroup, [1, 1, rest, n]);
      next = b.dynamicUpdateSlice(out!, b.add(soFar, part), inGroup);
    }
    const reached = b.minimum(b.add(start, int(size)), end);
    const total = b.reshape(b.slice(ofPlace, [count - 1], [count]), []);
    const done = b.compare(reached, total, "GE");
    return [b.add(place!, b.convert(done, "i32")), b.select(done, zero, reached), next];
  });
  return b.reshape(b.convert(b.while(init, cond, body)[2]!, type.dtype), type.shape);
}
