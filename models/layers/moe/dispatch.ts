import { customVjp } from "../../../ops/control.js";
import { argsort, cumsum, gather, iota, where } from "../../../ops/functions.js";
import type { Tensor } from "../../../ops/tensor.js";
import type { Routing } from "./router.js";

/*
 * Tokens are brought to their experts and back by looking rows up in both directions, forward and backward: nothing is scattered, and
 * nothing as large as tokens times experts exists. A row is a place in an expert's input; an assignment is a token's choice.
 * `group` is the axis along which tokens are dispatched by themselves, if there is one.
 */

/** Which row each assignment goes to, and which assignment each row has. */
export interface Plan {
  /** The assignment of a row (i32): choice times tokens plus token. */
  readonly assignment: Tensor<"group" | "row">;
  /** Whether a row has one (i1); undefined: all have, and those of assignments that are not kept may hold anything. */
  readonly filled: Tensor<"group" | "row"> | undefined;
  /** The row of an assignment (i32). */
  readonly row: Tensor<"group" | "token" | "choice">;
  /** Whether it has one (i1); undefined: all have. */
  readonly kept: Tensor<"group" | "token" | "choice"> | undefined;
}

/** Assignments in the order of their experts, those not taken last; of one expert's the first choices first, then the earlier tokens. */
function sorted({ expert, taken, load }: Routing) {
  const experts = load.size("expert");
  const choices = { choice: expert.size("choice"), token: expert.size("token") };
  const numbered = taken ? where(taken, expert, experts) : expert;
  const ofAssignment = numbered.merge(["choice", "token"], "assignment");
  const order = argsort(ofAssignment, "assignment");
  // The inverse of a permutation is what sorts it.
  const at = argsort(order, "assignment").split("assignment", choices);
  return { order, at, starts: cumsum(load, "expert").sub(load) };
}

/** A row for every assignment, sorted by expert: what a grouped product takes. */
export function dropless(routing: Routing): Plan {
  const { order, at } = sorted(routing);
  return { assignment: order.rename("assignment", "row"), filled: undefined, row: at, kept: routing.taken };
}

/** `capacity` rows for every expert, expert by expert. Assignments beyond go to none; rows that are left over are zero. */
export function limited(routing: Routing, capacity: number): Plan {
  const { expert, taken, load } = routing;
  const { order, at, starts } = sorted(routing);
  const experts = load.size("expert");
  const slot = iota({ capacity });
  const wide = <A extends string>(x: Tensor<A>) => x.broadcast({ capacity });
  const rows = <A extends string>(x: Tensor<A>) =>
    (x as Tensor).merge(["expert", "capacity"], "row") as Tensor<"group" | "row">;
  const filled = rows(wide(load).gt(slot));
  const assignment = gather(order, "assignment", rows(wide(starts).add(slot)));
  const rank = at.sub(gather(starts, "expert", expert));
  const fits = rank.lt(capacity);
  const row = expert.mul(capacity).add(rank.minimum(capacity - 1));
  return { assignment, filled, row: row.minimum(experts * capacity - 1), kept: taken ? fits.and(taken) : fits };
}

type Tokens = Tensor<"group" | "token" | "embed">;
type Rows = Tensor<"group" | "row" | "embed">;
type Weights = Tensor<"group" | "token" | "choice">;

const only = <A extends string, B extends A>(mask: Tensor<B> | undefined, x: Tensor<A>): Tensor<A> =>
  mask ? where(mask, x, 0) : x;

/** Tokens as rows for the experts. */
export function dispatch(tokens: Tokens, plan: Plan): Rows {
  return customVjp(
    (x: Tokens) => [toRows(x, plan), {}] as const,
    (_, ct) => [only(plan.kept, gather(ct, "row", plan.row)).sum("choice")],
  )(tokens);
}

/** The sum of each token's rows, weighed (f32 weights; the result has the rows' element type). */
export function combine(rows: Rows, weights: Weights, plan: Plan): Tokens {
  const weigh = customVjp(
    (y: Rows, w: Weights) => {
      const known = plan.filled ? undefined : plan.kept;
      const out = only(known, gather(y, "row", plan.row))
        .cast("f32")
        .mul(w)
        .sum("choice");
      return [out.cast(y.dtype), { y, w }] as const;
    },
    ({ y, w }, ct) => {
      const ofRow = gather(w.merge(["choice", "token"], "assignment"), "assignment", plan.assignment);
      const dy = only(plan.filled, toRows(ct, plan).cast("f32").mul(ofRow)).cast(y.dtype);
      const dw = gather(y, "row", plan.row).cast("f32").mul(ct.cast("f32")).sum("embed");
      return [dy, dw];
    },
  );
  return weigh(rows, only(plan.kept, weights));
}

const toRows = (x: Tokens, { assignment, filled, row }: Plan): Rows =>
  only(filled, gather(x, "token", assignment.rem(row.size("token"))));
