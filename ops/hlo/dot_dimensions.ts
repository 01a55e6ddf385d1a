/** What dot_general and ragged_dot share: dimension numbers, precision, and what the specification holds them to. */
import { type Op, type TensorType, typeText } from "../../compiler/ir.js";
import { list } from "./define.js";
import { at, others, outside, repeats } from "./dimensions.js";

/** Which dimensions of either operand are batch and which are contracted; what is left is free. */
export interface DotDimensions {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContracting: readonly number[];
  readonly rhsContracting: readonly number[];
}

export type Precision = "DEFAULT" | "HIGH" | "HIGHEST";

export interface DotPrecision {
  /** `DEFAULT | HIGH | HIGHEST` for either operand; absent: the platform's default. */
  readonly precision?: readonly [Precision, Precision];
}

/** The dimensions of a tensor that are in none of the lists. */
export const free = (t: TensorType, ...taken: readonly (readonly number[])[]): number[] =>
  others(t.shape.length, ...taken);
/** The sizes of dimensions. */
export const sizes = (t: TensorType, ds: readonly number[]): number[] => at(t.shape, ds);

/** What the constraints look at. */
type Dot = Pick<Op<DotDimensions & DotPrecision>, "operands" | "attrs">;

/** Constraint: dimension numbers of one operand lie in its rank. */
const inRank = (operand: 0 | 1, key: keyof DotDimensions) => (op: Dot) => {
  const t = op.operands[operand]!.type;
  return outside(op.attrs[key], t.shape.length) ? `${key} ${list(op.attrs[key])} leaves ${typeText(t)}` : undefined;
};

/** Constraint: paired dimensions have equal sizes. */
const equalSizes = (lhs: keyof DotDimensions, rhs: keyof DotDimensions) => (op: Dot) => {
  const [x, y] = [op.operands[0]!.type, op.operands[1]!.type];
  const [p, q] = [sizes(x, op.attrs[lhs]), sizes(y, op.attrs[rhs])];
  return p.some((n, i) => n !== q[i])
    ? `${lhs} ${list(op.attrs[lhs])} of ${typeText(x)} and ${rhs} ${list(op.attrs[rhs])} of ${typeText(y)} differ in size: ${list(p)}, ${list(q)}`
    : undefined;
};

/** C1 to C11 of dot_general. */
export const dotConstraints = {
  C1: ({ attrs: a }: Dot) =>
    a.lhsBatch.length !== a.rhsBatch.length
      ? `${a.lhsBatch.length} batch dimensions on the left, ${a.rhsBatch.length} on the right`
      : undefined,
  C2: ({ attrs: a }: Dot) =>
    a.lhsContracting.length !== a.rhsContracting.length
      ? `${a.lhsContracting.length} contracting dimensions on the left, ${a.rhsContracting.length} on the right`
      : undefined,
  C3: ({ attrs: a }: Dot) =>
    repeats(a.lhsBatch, a.lhsContracting)
      ? `dimensions of the left repeat: ${list([...a.lhsBatch, ...a.lhsContracting])}`
      : undefined,
  C4: ({ attrs: a }: Dot) =>
    repeats(a.rhsBatch, a.rhsContracting)
      ? `dimensions of the right repeat: ${list([...a.rhsBatch, ...a.rhsContracting])}`
      : undefined,
  C5: inRank(0, "lhsBatch"),
  C6: inRank(0, "lhsContracting"),
  C7: inRank(1, "rhsBatch"),
  C8: inRank(1, "rhsContracting"),
  C9: equalSizes("lhsBatch", "rhsBatch"),
  C10: equalSizes("lhsContracting", "rhsContracting"),
  C11: ({ attrs: a }: Dot) =>
    a.precision && a.precision.length !== 2 ? "precision is given for both operands or for none" : undefined,
} as const;
