import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { agrees, anyShape, type MisuseOf, refuses, type Use } from "./harness.js";

const use = fc.tuple(anyShape({ max: 2 }), fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })).map(
  ([shape, outer, inner]): Use => ({
    inputs: [
      { shape, dtype: "f32" },
      { shape: [], dtype: "i32" },
    ],
    // One loop in another, both of which see values from around them.
    build: (b, x, start) => {
      const [index, vector] = [start!.type, x!.type];
      const below = (n: number) => b.nested([index, vector], (c, i) => [c.compare(i!, c.constant(index, n), "LT")]);
      const next = (c: typeof b, i: typeof start) => c.add(i!, c.constant(index, 1));
      return b.while(
        [start!, x!],
        below(outer),
        b.nested([index, vector], (c, i, v) => {
          const [, sum] = c.while(
            [c.constant(index, 0), v!],
            below(inner),
            c.nested([index, vector], (d, j, w) => [next(d, j), d.add(w!, x!)]),
          );
          return [next(c, i), sum!];
        }),
        { expected: 2.5 },
      );
    },
    jax: `lambda x, i: lax.while_loop(lambda s: s[0] < ${outer}, lambda s: (s[0] + 1, lax.fori_loop(0, ${inner}, lambda j, w: w + x, s[1])), (i, x))`,
    values: { min: -3, max: 3 },
    gradient: false,
  }),
);
agrees("while", use, { uses: 2 });

/** A misuse in both forms; condition and body take scalars of these types. */
function misuse({
  operands = ["f32"],
  results = ["f32"],
  cond = ["f32"],
  condition = "i1",
  body = ["f32"],
  next = body,
}: Partial<Record<"operands" | "results" | "cond" | "body" | "next", readonly string[]>> & {
  condition?: string;
}): MisuseOf {
  const type = (dtype: string) => ({ shape: [], dtype: dtype as "f32" });
  const tensors = (types: readonly string[]) => types.map((t) => `tensor<${t}>`).join(", ");
  const region = (args: readonly string[], given: readonly string[]) => `{
      ^bb0${args.length ? `(${args.map((t, i) => `%a${i}: tensor<${t}>`).join(", ")})` : ""}:
      ${given.map((t, i) => `%c${i} = stablehlo.constant dense<${t[0] === "f" ? "0.0" : "0"}> : tensor<${t}>\n`).join("")}stablehlo.return ${given.map((_, i) => `%c${i}`).join(", ")} ${given.length ? `: ${tensors(given)}` : ""}
    }`;
  return {
    inputs: operands,
    emit: (b, ...xs) => {
      const region = (args: readonly string[], given: readonly string[]) =>
        b.nested(args.map(type), (inner) => given.map((t) => inner.constant(type(t), 0)));
      b.emit(ops.while, xs, null, results.map(type), [region(cond, [condition]), region(body, next)]);
    },
    generic: `"stablehlo.while"(${operands.map((_, i) => `%arg${i}`).join(", ")}) (${region(cond, [condition]).replace("dense<0> : tensor<i1>", "dense<false> : tensor<i1>")}, ${region(body, next)}) : (${tensors(operands)}) -> ${results.length === 1 ? tensors(results) : `(${tensors(results)})`}`,
  };
}
refuses(ops.while, {
  C1: [misuse({ cond: [] }), misuse({ cond: ["i32"] }), misuse({ condition: "i32" })],
  C2: [
    misuse({ body: ["i32"], next: ["f32"] }),
    misuse({ body: ["f32"], next: ["i32"] }),
    misuse({ body: ["f32"], next: [] }),
    misuse({ body: ["f32", "f32"], next: ["f32"] }),
  ],
  C3: misuse({ results: ["f16"] }),
});
