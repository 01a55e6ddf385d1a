import { customVjp } from "../../../ops/control.js";
import { argsort, cumsum, gather, iota, where } from "../../../ops/functions.js";
import type { Tensor } from "../../../ops/tensor.js";
import type { Routing } from "./router.js";

/*
 * Tokens are brought to their experts and back by looking rows up in both directions, forward and backward: nothing is scattered, and
 * nothing as large as tokens times experts exists. A row is a place in an expert's input; an assignment is a token's choice.
 * `group` is the axis along which tokens are dispatched by themselves, if there is one.
 */

/** Which of one expert's assignments come first: first choices, then earlier tokens; or earlier tokens, then first choices. */
export type Priority = "choice" | "token";

/** The order in which assignments are numbered. */
const NUMBERED = { choice: ["choice", "token"], token: ["token", "choice"] } as const;

/** Which row each assignment goes to, and which assignment each row has. */
export interface Plan {
  /** What assignments are numbered by first. */
  readonly priority: Priority;
  /** The assignment of a row (i32): choice times tokens plus token, or token times choices plus choice. */
  readonly assignment: Tensor<"group" | "row">;
  /** Whether a row has one (i1); undefined: all have, and those of assignments that are not kept may hold anything. */
  readonly filled: Tensor<"group" | "row"> | undefined;
  /** The row of an assignment (i32). */
  readonly row: Tensor<"group" | "token" | "choice">;
  /** Whether it has one (i1); undefined: all have. */
  readonly kept: Tensor<"group" | "token" | "choice"> | undefined;
}

/** Assignments in the order of their experts, those not taken last; of one expert's in the order of `priority`. */
function sorted({ expert, taken, load }: Routing, priority: Priority) {
  const experts = load.size("expert");
  const axes = NUMBERED[priority];
  const choices = Object.fromEntries(axes.map((n) => [n, expert.size(n)])) as { choice: number; token: number };
  const numbered = taken ? where(taken, expert, experts) : expert;
  const ofAssignment = numbered.merge(axes, "assignment");
  const order = argsort(ofAssignment, "assignment");
  // The inverse of a permutation is what sorts it.
  const at = argsort(order, "assignment").split("assignment", choices);
  return { order, at, starts: cumsum(load, "expert").sub(load) };
}

/** A row for every assignment, sorted by expert: what a grouped product takes. */
export function dropless(routing: Routing): Plan {
  const { order, at } = sorted(routing, "choice");
  const assignment = order.rename("assignment", "row");
  return { priority: "choice", assignment, filled: undefined, row: at, kept: routing.taken };
}

/** `capacity` rows for every expert, expert by expert. Assignments beyond go to none; rows that are left over are zero. */
export function limited(routing: Routing, capacity: number, priority: Priority): Plan {
  const { expert, taken, load } = routing;
  const { order, at, starts } = sorted(routing, priority);
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
  const kept = taken ? fits.and(taken) : fits;
  return { priority, assignment, filled, row: row.minimum(experts * capacity - 1), kept };
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
      const ofRow = gather(w.merge(NUMBERED[plan.priority], "assignment"), "assignment", plan.assignment);
      const cts = toRows(ct, plan).cast("f32");
      const dy = only(plan.filled, cts.mul(ofRow)).cast(y.dtype);
      const dw = gather(y.cast("f32").mul(cts).sum("embed"), "row", plan.row);
      return [dy, dw];
    },
  );
  return weigh(rows, only(plan.kept, weights));
}

const toRows = (x: Tokens, plan: Plan): Rows => only(plan.filled, gather(x, "token", tokenOf(plan)));

/** The token of each row's assignment. */
const tokenOf = ({ priority, assignment, row }: Plan): Tensor<"group" | "row"> =>
  priority === "choice" ? assignment.rem(row.size("token")) : assignment.div(row.size("choice"));
