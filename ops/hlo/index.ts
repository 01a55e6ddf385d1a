/** The StableHLO vocabulary: the only list of ops. `HloBuilder` has a method for each. */
import { Emitter, type Region } from "../../compiler/ir.js";
import { provideBuilder, tracing } from "../../compiler/trace.js";
import { abs } from "./abs.js";
import { add } from "./add.js";
import { allGather } from "./all_gather.js";
import { allReduce } from "./all_reduce.js";
import { allToAll } from "./all_to_all.js";
import { and } from "./and.js";
import { atan2 } from "./atan2.js";
import { bitcastConvert } from "./bitcast_convert.js";
import { broadcastInDim } from "./broadcast_in_dim.js";
import { caseOf } from "./case.js";
import { cbrt } from "./cbrt.js";
import { ceil } from "./ceil.js";
import { digamma } from "./chlo_digamma.js";
import { erf } from "./chlo_erf.js";
import { erfInv } from "./chlo_erf_inv.js";
import { erfc } from "./chlo_erfc.js";
import { lgamma } from "./chlo_lgamma.js";
import { nextAfter } from "./chlo_next_after.js";
import { polygamma } from "./chlo_polygamma.js";
import { raggedDot } from "./chlo_ragged_dot.js";
import { square } from "./chlo_square.js";
import { topK } from "./chlo_top_k.js";
import { clamp } from "./clamp.js";
import { collectivePermute } from "./collective_permute.js";
import { compare } from "./compare.js";
import { complex } from "./complex.js";
import { composite } from "./composite.js";
import { concatenate } from "./concatenate.js";
import { constant, constantData } from "./constant.js";
import { convert } from "./convert.js";
import { cosine } from "./cosine.js";
import { countLeadingZeros } from "./count_leading_zeros.js";
import { customCall } from "./custom_call.js";
import { divide } from "./divide.js";
import { dotGeneral } from "./dot_general.js";
import { dynamicSlice } from "./dynamic_slice.js";
import { dynamicUpdateSlice } from "./dynamic_update_slice.js";
import { exponential } from "./exponential.js";
import { exponentialMinusOne } from "./exponential_minus_one.js";
import { floor } from "./floor.js";
import { gather } from "./gather.js";
import { ifElse } from "./if.js";
import { imag } from "./imag.js";
import { iota } from "./iota.js";
import { isFiniteOp } from "./is_finite.js";
import { log } from "./log.js";
import { logPlusOne } from "./log_plus_one.js";
import { logistic } from "./logistic.js";
import { manualComputation } from "./manual_computation.js";
import { maximum } from "./maximum.js";
import { minimum } from "./minimum.js";
import { multiply } from "./multiply.js";
import { negate } from "./negate.js";
import { not } from "./not.js";
import { optimizationBarrier } from "./optimization_barrier.js";
import { or } from "./or.js";
import { pad } from "./pad.js";
import { partitionId } from "./partition_id.js";
import { place } from "./place.js";
import { popcnt } from "./popcnt.js";
import { power } from "./power.js";
import { real } from "./real.js";
import { reduce, reduceAnd, reduceMax, reduceMin, reduceOr, reduceProd, reduceSum } from "./reduce.js";
import { reducePrecision } from "./reduce_precision.js";
import { reduceScatter } from "./reduce_scatter.js";
import { reduceWindow, reduceWindowSum } from "./reduce_window.js";
import { remainder } from "./remainder.js";
import { reshape } from "./reshape.js";
import { reverse } from "./reverse.js";
import { roundNearestAfz } from "./round_nearest_afz.js";
import { roundNearestEven } from "./round_nearest_even.js";
import { rsqrt } from "./rsqrt.js";
import { scatter, scatterAdd } from "./scatter.js";
import { select } from "./select.js";
import { shardingConstraint } from "./sharding_constraint.js";
import { shiftLeft } from "./shift_left.js";
import { shiftRightArithmetic } from "./shift_right_arithmetic.js";
import { shiftRightLogical } from "./shift_right_logical.js";
import { sign } from "./sign.js";
import { sine } from "./sine.js";
import { slice } from "./slice.js";
import { sort } from "./sort.js";
import { sqrt } from "./sqrt.js";
import { subtract } from "./subtract.js";
import { tan } from "./tan.js";
import { tanh } from "./tanh.js";
import { transpose } from "./transpose.js";
import { whileLoop } from "./while.js";
import { xor } from "./xor.js";

export const ops = {
  abs,
  add,
  allGather,
  allReduce,
  allToAll,
  and,
  atan2,
  bitcastConvert,
  broadcastInDim,
  case: caseOf,
  cbrt,
  ceil,
  clamp,
  collectivePermute,
  compare,
  complex,
  composite,
  concatenate,
  constant,
  constantData,
  convert,
  cosine,
  countLeadingZeros,
  customCall,
  digamma,
  divide,
  dotGeneral,
  dynamicSlice,
  dynamicUpdateSlice,
  erf,
  erfc,
  erfInv,
  exponential,
  exponentialMinusOne,
  floor,
  gather,
  if: ifElse,
  imag,
  iota,
  isFinite: isFiniteOp,
  lgamma,
  log,
  logistic,
  logPlusOne,
  manualComputation,
  maximum,
  minimum,
  multiply,
  negate,
  nextAfter,
  not,
  optimizationBarrier,
  or,
  pad,
  partitionId,
  polygamma,
  place,
  popcnt,
  power,
  raggedDot,
  real,
  reduce,
  reduceAnd,
  reduceMax,
  reduceMin,
  reduceOr,
  reducePrecision,
  reduceProd,
  reduceScatter,
  reduceSum,
  reduceWindow,
  reduceWindowSum,
  remainder,
  reshape,
  reverse,
  roundNearestAfz,
  roundNearestEven,
  rsqrt,
  scatter,
  scatterAdd,
  select,
  shardingConstraint,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
  sign,
  sine,
  slice,
  sort,
  sqrt,
  square,
  subtract,
  tan,
  tanh,
  topK,
  transpose,
  while: whileLoop,
  xor,
} as const;

type Method<T> = T extends { make(b: any, ...args: infer Args): infer Result } ? (...args: Args) => Result : never;
type Methods = { readonly [K in keyof typeof ops]: Method<(typeof ops)[K]> };

/** Emits StableHLO ops into a region: `b.add(x, y)`. */
export interface HloBuilder extends Methods {}
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are put on the prototype below, one per op of the list.
export class HloBuilder extends Emitter {
  /** For values of the language: a builder that writes into `region`. */
  static into(region: Region): HloBuilder {
    return new HloBuilder(region);
  }
}
for (const [name, op] of Object.entries(ops)) {
  Object.defineProperty(HloBuilder.prototype, name, {
    value(this: HloBuilder, ...args: unknown[]) {
      return (op.make as (b: HloBuilder, ...args: unknown[]) => unknown)(this, ...args);
    },
  });
}
provideBuilder(HloBuilder.into);

/**
 * The builder of the program being traced: a method for each op, `hlo().add(x.value, y.value)`, from values to values.
 * @throws XenarcError outside of a traced function.
 */
export const hlo = (): HloBuilder => tracing() as HloBuilder;
