import { bytesOf, type Cotangents, elements, type Op, sameShape, typeText, type Value } from "../../compiler/ir.js";
import { type HloOp, list, operandKind } from "./define.js";
import { at, others, outside, repeats, sorted } from "./dimensions.js";
import type { HloBuilder } from "./index.js";
import {
  applying,
  type Body,
  combiners,
  costOf,
  genericSyntax,
  inType,
  isReduction,
  noDerivative,
  regionOf,
} from "./regions.js";
import { dimensionNumbers, windowsInBounds } from "./windows.js";

export interface ScatterAttrs {
  /** Dimensions of the updates along which a window lies. */
  readonly updateWindowDims: readonly number[];
  /** Dimensions of the inputs that a window has one element of and that the updates have not. */
  readonly insertedWindowDims: readonly number[];
  /** Dimensions that inputs and indices go through side by side. */
  readonly inputBatchingDims: readonly number[];
  readonly scatterIndicesBatchingDims: readonly number[];
  /** The inputs' dimension that each component of an index is about. */
  readonly scatterDimsToOperandDims: readonly number[];
  /** The dimension of the indices along which an index's components lie; their rank: an index is a scalar. */
  readonly indexVectorDim: number;
  readonly indicesAreSorted: boolean;
  /** The author's promise that no element is written twice. */
  readonly uniqueIndices: boolean;
  /** The author's promise that every window lies within the inputs; the derivative is then spared a mask. Not printed. */
  readonly inBounds?: boolean;
}
type Optional = "inputBatchingDims" | "scatterIndicesBatchingDims" | "indicesAreSorted" | "uniqueIndices";
export type ScatterArguments = Omit<ScatterAttrs, Optional> & Partial<Pick<ScatterAttrs, Optional>>;

const parts = ({ operands }: Op): { inputs: Value[]; indices: Value; updates: Value[] } => {
  const n = Math.floor(operands.length / 2);
  return { inputs: operands.slice(0, n), indices: operands[n]!, updates: operands.slice(n + 1) };
};
const firstDiffering = (vs: readonly Value[]): Value | undefined =>
  vs.find((v) => !sameShape(v.type.shape, vs[0]!.type.shape));
/** Dimensions of the inputs along which a window lies. */
const windowDims = (x: Value, a: ScatterAttrs): number[] =>
  others(x.type.shape.length, a.insertedWindowDims, a.inputBatchingDims);

/**
 * Combines updates into windows of the inputs at positions computed at run time, in an order that is not defined; without a body
 * the update takes the element's place. A window that does not lie within the inputs is left out as a whole, as XLA does it (the
 * specification leaves out the elements outside). StableHLO specification, "scatter". Differentiable are components whose body is
 * one add or subtract, a replacement, one maximum or minimum (the cotangent is shared equally by all that attain it), or, with
 * unique indices, one multiply.
 */
export const scatter: HloOp<
  ScatterAttrs,
  [inputs: readonly Value[], indices: Value, updates: readonly Value[], attrs: ScatterArguments, body?: Body],
  readonly Value[]
> = {
  name: "stablehlo.scatter",
  constraints: {
    C5: (op) =>
      op.operands.length < 3 || op.operands.length !== 2 * op.results.length + 1
        ? `${op.operands.length} operands for ${op.results.length} results: as many inputs as updates, and at least one`
        : undefined,
    I2: (op) => operandKind(op.results.length, ["integer"])(op),
    C1: (op) => {
      const bad = firstDiffering(parts(op).inputs);
      return bad && `inputs ${typeText(op.operands[0]!.type)} and ${typeText(bad.type)} differ in shape`;
    },
    C2: ({ operands: [x], attrs: a }) =>
      x!.type.shape.length !== a.updateWindowDims.length + a.insertedWindowDims.length + a.inputBatchingDims.length
        ? `${typeText(x!.type)} is not ${a.updateWindowDims.length} window, ${a.insertedWindowDims.length} inserted and ${a.inputBatchingDims.length} batching dimensions`
        : undefined,
    C3: (op) => {
      const { updates } = parts(op);
      const bad = firstDiffering(updates);
      return bad && `updates ${typeText(updates[0]!.type)} and ${typeText(bad.type)} differ in shape`;
    },
    C6: (op) => {
      const { inputs, updates } = parts(op);
      const i = inputs.findIndex((v, k) => v.type.dtype !== updates[k]!.type.dtype);
      return i < 0
        ? undefined
        : `input ${typeText(inputs[i]!.type)} and update ${typeText(updates[i]!.type)} differ in element type`;
    },
    C22: (op) => {
      const { type } = parts(op).indices;
      return outside([op.attrs.indexVectorDim], type.shape.length + 1)
        ? `index vector dimension ${op.attrs.indexVectorDim} is none of ${typeText(type)}`
        : undefined;
    },
    C7: ({ attrs: { updateWindowDims: ds } }) =>
      repeats(ds) || !sorted(ds) ? `window dimensions ${list(ds)} are not ascending` : undefined,
    C8: (op) => {
      const { type } = parts(op).updates[0]!;
      const ds = op.attrs.updateWindowDims;
      return outside(ds, type.shape.length) ? `window dimensions ${list(ds)} leave ${typeText(type)}` : undefined;
    },
    C9: ({ attrs: { insertedWindowDims, inputBatchingDims } }) =>
      repeats(insertedWindowDims, inputBatchingDims)
        ? `inserted dimensions ${list(insertedWindowDims)} and batching dimensions ${list(inputBatchingDims)} repeat`
        : undefined,
    C10: ({ attrs: { insertedWindowDims: ds } }) =>
      sorted(ds) ? undefined : `inserted dimensions ${list(ds)} are not ascending`,
    C11: ({ operands: [x], attrs: { insertedWindowDims: ds } }) =>
      outside(ds, x!.type.shape.length) ? `inserted dimensions ${list(ds)} leave ${typeText(x!.type)}` : undefined,
    C12: ({ attrs: { inputBatchingDims: ds } }) =>
      sorted(ds) ? undefined : `the inputs' batching dimensions ${list(ds)} are not ascending`,
    C13: ({ operands: [x], attrs: { inputBatchingDims: ds } }) =>
      outside(ds, x!.type.shape.length)
        ? `the inputs' batching dimensions ${list(ds)} leave ${typeText(x!.type)}`
        : undefined,
    C14: ({ attrs: { scatterIndicesBatchingDims: ds } }) =>
      repeats(ds) ? `the indices' batching dimensions ${list(ds)} repeat` : undefined,
    C15: (op) => {
      const { type } = parts(op).indices;
      const ds = op.attrs.scatterIndicesBatchingDims;
      return outside(ds, type.shape.length)
        ? `the indices' batching dimensions ${list(ds)} leave ${typeText(type)}`
        : undefined;
    },
    C16: ({ attrs: { scatterIndicesBatchingDims, indexVectorDim } }) =>
      scatterIndicesBatchingDims.includes(indexVectorDim)
        ? `index vector dimension ${indexVectorDim} is a batching dimension of the indices as well`
        : undefined,
    C17: ({ attrs: { inputBatchingDims, scatterIndicesBatchingDims } }) =>
      inputBatchingDims.length !== scatterIndicesBatchingDims.length
        ? `${inputBatchingDims.length} batching dimensions of the inputs, ${scatterIndicesBatchingDims.length} of the indices`
        : undefined,
    C18: (op) => {
      const p = at(op.operands[0]!.type.shape, op.attrs.inputBatchingDims);
      const q = at(parts(op).indices.type.shape, op.attrs.scatterIndicesBatchingDims);
      return p.some((n, i) => n !== q[i])
        ? `batching dimensions differ in size: ${list(p)} of the inputs, ${list(q)} of the indices`
        : undefined;
    },
    C19: (op) => {
      const map = op.attrs.scatterDimsToOperandDims;
      const components = parts(op).indices.type.shape[op.attrs.indexVectorDim] ?? 1;
      return map.length !== components
        ? `an index has ${components} components, the map to the inputs' dimensions ${list(map)} has ${map.length}`
        : undefined;
    },
    C20: ({ attrs: { scatterDimsToOperandDims, inputBatchingDims } }) =>
      repeats(scatterDimsToOperandDims, inputBatchingDims)
        ? `the map to the inputs' dimensions ${list(scatterDimsToOperandDims)} and batching dimensions ${list(inputBatchingDims)} repeat`
        : undefined,
    C21: ({ operands: [x], attrs: { scatterDimsToOperandDims: ds } }) =>
      outside(ds, x!.type.shape.length)
        ? `the map to the inputs' dimensions ${list(ds)} leaves ${typeText(x!.type)}`
        : undefined,
    C4: (op) => {
      const { inputs, indices, updates } = parts(op);
      const { type } = updates[0]!;
      const a = op.attrs;
      const scattered = at(type.shape, others(type.shape.length, a.updateWindowDims));
      const indexed = at(indices.type.shape, others(indices.type.shape.length, [a.indexVectorDim]));
      if (!sameShape(scattered, indexed)) {
        return `outside of their windows updates ${typeText(type)} are ${list(scattered)}, the indices ${list(indexed)}`;
      }
      const windows = at(type.shape, a.updateWindowDims);
      const room = at(inputs[0]!.type.shape, windowDims(inputs[0]!, a));
      return windows.some((n, i) => n > room[i]!)
        ? `windows of ${list(windows)} do not fit ${typeText(inputs[0]!.type)}, which has ${list(room)} for them`
        : undefined;
    },
    C23: (op) =>
      isReduction(
        op.regions[0],
        parts(op).inputs.map((v) => v.type),
      ),
    C24: ({ operands, results }) => {
      const i = results.findIndex((v, k) => !sameShape(v.type.shape, operands[k]!.type.shape));
      return i < 0
        ? undefined
        : `result ${i} has the input's shape ${list(operands[i]!.type.shape)}, not ${list(results[i]!.type.shape)}`;
    },
    C25: ({ results, regions: [body] }) => {
      const i = results.findIndex((v, k) => v.type.dtype !== body!.results[k]!.type.dtype);
      return i < 0
        ? undefined
        : `result ${i} has the body's element type ${body!.results[i]!.type.dtype}, not ${results[i]!.type.dtype}`;
    },
  },
  syntax: genericSyntax(({ attrs: a }) => [
    `indices_are_sorted = ${a.indicesAreSorted}`,
    `scatter_dimension_numbers = ${dimensionNumbers("scatter", {
      update_window_dims: a.updateWindowDims,
      inserted_window_dims: a.insertedWindowDims,
      input_batching_dims: a.inputBatchingDims,
      scatter_indices_batching_dims: a.scatterIndicesBatchingDims,
      scatter_dims_to_operand_dims: a.scatterDimsToOperandDims,
      index_vector_dim: a.indexVectorDim,
    })}`,
    `unique_indices = ${a.uniqueIndices}`,
  ]),
  // In place, as XLA does it: the windows are read and written, the rest stays.
  cost(op) {
    const { indices, updates } = parts(op);
    const once = costOf(op.regions);
    const n = elements(updates[0]!.type);
    const bytes = bytesOf(indices.type) + 3 * updates.reduce((sum, v) => sum + bytesOf(v.type), 0);
    return { flops: once.flops * n, transcendentals: once.transcendentals * n, bytes };
  },
  make(b, inputs, indices, updates, given, body = replacement) {
    const attrs = {
      inputBatchingDims: [],
      scatterIndicesBatchingDims: [],
      indicesAreSorted: false,
      uniqueIndices: false,
      ...given,
    };
    const dtypes = inputs.map((v) => v.type.dtype);
    const region = regionOf(b, body, [...dtypes, ...dtypes]);
    return b.emit(
      scatter,
      [...inputs, indices, ...updates],
      attrs,
      inputs.map((v, i) => ({ shape: v.type.shape, dtype: region.results[i]?.type.dtype ?? v.type.dtype })),
      [region],
      inputs.map((v) => v.axes),
    ).results;
  },
  vjp(b, op, cotangents, needs) {
    const { inputs, indices, updates } = parts(op);
    const n = inputs.length;
    const { args, results } = op.regions[0]!;
    const by = combiners(op.regions[0]!).map((name, i) => (results[i] === args[n + i] ? "replace" : name));
    const out: (Value | undefined)[] = [];
    inputs.forEach((input, i) => {
      const ct = cotangents[i];
      if (!ct || !(needs(i) || needs(n + 1 + i))) return;
      const [toInput, toUpdate] = towards(b, op, by[i], {
        input,
        indices,
        update: updates[i]!,
        result: op.results[i]!,
        ct,
      });
      if (needs(i)) out[i] = inType(b, toInput(), input.type.dtype);
      if (needs(n + 1 + i)) out[n + 1 + i] = inType(b, toUpdate(), input.type.dtype);
    });
    return Array.from({ length: 2 * n + 1 }, (_, i) => out[i]) satisfies Cotangents;
  },
};

/** The body that puts the update in the element's place. */
const replacement: Body = (_, ...args) => args.slice(args.length / 2);

interface Component {
  readonly input: Value;
  readonly indices: Value;
  readonly update: Value;
  readonly result: Value;
  readonly ct: Value;
}

/** The cotangents of one input and its update, each made when it is asked for. */
function towards(
  b: HloBuilder,
  op: Op<ScatterAttrs>,
  by: string | undefined,
  { input, indices, update, result, ct }: Component,
): readonly [input: () => Value, update: () => Value] {
  const a = op.attrs;
  const { dtype } = result.type;
  const dims = windowDims(input, a);
  const windows = input.type.shape.map((_, d) =>
    dims.includes(d) ? update.type.shape[a.updateWindowDims[dims.indexOf(d)]!]! : 1,
  );
  const read = (v: Value) =>
    b.gather(
      v,
      indices,
      {
        offsetDims: a.updateWindowDims,
        collapsedSliceDims: a.insertedWindowDims,
        operandBatchingDims: a.inputBatchingDims,
        startIndicesBatchingDims: a.scatterIndicesBatchingDims,
        startIndexMap: a.scatterDimsToOperandDims,
        indexVectorDim: a.indexVectorDim,
        sliceSizes: windows,
        indicesAreSorted: a.indicesAreSorted,
        ...(a.inBounds && { inBounds: true }),
      },
      update.axes,
    );
  // A window that was left out reads nothing back, where gather would move it.
  const readWritten = (v: Value) => {
    const values = read(v);
    if (a.inBounds) return values;
    const inside = windowsInBounds(b, indices, input, a.scatterDimsToOperandDims, windows, a.indexVectorDim);
    const { shape } = update.type;
    const kept = b.broadcastInDim(inside, shape, others(shape.length, a.updateWindowDims), update.axes);
    return b.select(kept, values, b.constant(values.type, 0));
  };
  const zerosOfUpdate = () => b.constant({ shape: update.type.shape, dtype }, 0);
  switch (by) {
    case "stablehlo.add":
      return [() => ct, () => readWritten(ct)];
    case "stablehlo.subtract":
      return [() => ct, () => b.negate(readWritten(ct))];
    case "replace":
      return [
        () => b.scatter([ct], indices, [zerosOfUpdate()], a)[0]!,
        () =>
          a.uniqueIndices
            ? readWritten(ct)
            : b.select(winners(b, op, input, update, indices, read), read(ct), zerosOfUpdate()),
      ];
    case "stablehlo.multiply": {
      if (!a.uniqueIndices) throw noDerivative(op, "its body multiplies, and the indices are not said to be unique");
      return [
        () => b.scatter([ct], indices, [inType(b, update, dtype)], a, applying("multiply"))[0]!,
        () => readWritten(b.multiply(ct, inType(b, input, dtype))),
      ];
    }
    case "stablehlo.maximum":
    case "stablehlo.minimum": {
      const attained = b.convert(b.compare(inType(b, update, dtype), read(result), "EQ"), dtype);
      const kept = b.convert(b.compare(inType(b, input, dtype), result, "EQ"), dtype);
      const share = b.divide(ct, b.scatterAdd(kept, indices, attained, a));
      return [() => b.multiply(share, kept), () => b.multiply(readWritten(share), attained)];
    }
    default:
      throw noDerivative(
        op,
        "its body is not one add, subtract, multiply, maximum, minimum or replacement by component",
      );
  }
}

/** Which elements of the update stand in the result: every element leaves a number of its own, and looks whether it is there. */
function winners(
  b: HloBuilder,
  { attrs }: Op<ScatterAttrs>,
  input: Value,
  update: Value,
  indices: Value,
  read: (v: Value) => Value,
): Value {
  const { shape } = update.type;
  const count = elements(update.type);
  const numbers = b.add(
    b.reshape(b.iota({ shape: [count], dtype: "ui32" }, 0), shape),
    b.constant({ shape, dtype: "ui32" }, 1),
  );
  const none = b.constant({ shape: input.type.shape, dtype: "ui32" }, 0);
  return b.compare(read(b.scatter([none], indices, [numbers], attrs)[0]!), numbers, "EQ");
}

/** Adds updates into windows of one tensor: `b.scatterAdd(x, indices, updates, attrs)`. */
export const scatterAdd: {
  make(b: HloBuilder, input: Value, indices: Value, updates: Value, attrs: ScatterArguments): Value;
} = {
  make: (b, x, indices, updates, attrs) => b.scatter([x], indices, [updates], attrs, applying("add"))[0]!,
};
