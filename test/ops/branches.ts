/** What the tests of `if` and `case` share. */
import type { DType, OpDef } from "../../compiler/ir.js";
import type { MisuseOf } from "./harness.js";

const type = (dtype: string) => ({ shape: [], dtype: dtype as DType });

/** A branch of a misuse: the types of its arguments and of the constants that it gives. */
export interface Branch {
  readonly args?: readonly string[];
  readonly gives?: readonly string[];
}

/** A misuse of an op whose operand decides between branches of scalars, in both forms. */
export function misbranch(op: OpDef, operand: string, branches: readonly Branch[], results = ["f32"]): MisuseOf {
  const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
  const zero = (t: string) => (t.startsWith("f") ? "0.0" : "0");
  const text = ({ args = [], gives = ["f32"] }: Branch) => `{
      ${args.length ? `^bb0(${args.map((t, i) => `%a${i}: tensor<${t}>`).join(", ")}):` : ""}
      ${gives.map((t, i) => `%c${i} = stablehlo.constant dense<${zero(t)}> : tensor<${t}>\n`).join("")}stablehlo.return ${gives.map((_, i) => `%c${i}`).join(", ")} ${gives.length ? `: ${tensors(gives)}` : ""}
    }`;
  return {
    inputs: [operand],
    emit: (b, x) => {
      const regions = branches.map(({ args = [], gives = ["f32"] }) =>
        b.nested(args.map(type), (inner) => gives.map((t) => inner.constant(type(t), 0))),
      );
      b.emit(op, [x!], null, results.map(type), regions);
    },
    generic: `"${op.name}"(%arg0) (${branches.map(text).join(", ")}) : (tensor<${operand}>) -> (${tensors(results)})`,
  };
}
