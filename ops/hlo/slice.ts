import { type Op, typeText, type Value } from "../../compiler/ir.js";
import { emitOne, functionalSyntax, type HloOp, list } from "./define.js";
import { resultMoved, sameElementType, wrongShape } from "./dimensions.js";

export interface SliceAttrs {
  readonly start: readonly number[];
  /** Exclusive. */
  readonly limit: readonly number[];
  readonly strides: readonly number[];
}

const sizes = ({ start, limit, strides }: SliceAttrs): number[] =>
  start.map((s, d) => Math.ceil((limit[d]! - s) / strides[d]!));

/** The part of a tensor between positions known at compile time. StableHLO specification, "slice". */
export const slice: HloOp<
  SliceAttrs,
  [operand: Value, start: readonly number[], limit: readonly number[], strides?: readonly number[]]
> = {
  name: "stablehlo.slice",
  constraints: {
    C1: sameElementType(),
    C2: ({ operands: [x], attrs: { start, limit, strides } }) =>
      [start, limit, strides].some((ns) => ns.length !== x!.type.shape.length)
        ? `${start.length} starts, ${limit.length} limits and ${strides.length} strides for ${typeText(x!.type)}`
        : undefined,
    C3: ({ operands: [x], attrs: { start, limit } }) =>
      x!.type.shape.some((n, d) => !(0 <= start[d]! && start[d]! <= limit[d]! && limit[d]! <= n))
        ? `starts ${list(start)} and limits ${list(limit)} do not lie in order within ${typeText(x!.type)}`
        : undefined,
    C4: ({ attrs: { strides } }) =>
      strides.some((s) => s <= 0) ? `strides ${list(strides)} are not all positive` : undefined,
    C5: ({ results: [y], attrs }) => wrongShape(sizes(attrs), y!),
  },
  syntax: functionalSyntax(({ attrs: { start, limit, strides } }: Op<SliceAttrs>) => {
    const ranges = start.map((s, d) => `${s}:${limit[d]}${strides[d] === 1 ? "" : `:${strides[d]}`}`);
    return ` [${ranges.join(", ")}]`;
  }),
  cost: resultMoved,
  make(b, x, start, limit, strides = start.map(() => 1)) {
    const attrs = { start, limit, strides };
    return emitOne(b, slice, [x], attrs, { shape: sizes(attrs), dtype: x.type.dtype }, x.axes);
  },
  vjp(b, { operands: [x], results: [y], attrs: { start, strides } }, [ct]) {
    const out = y!.type.shape;
    const last = start.map((s, d) => (out[d] === 0 ? s : s + (out[d]! - 1) * strides[d]! + 1));
    const zero = b.constant({ shape: [], dtype: ct!.type.dtype }, 0);
    const high = x!.type.shape.map((n, d) => n - last[d]!);
    return [
      b.pad(
        ct!,
        zero,
        start,
        high,
        strides.map((s) => s - 1),
      ),
    ];
  },
};
