import fc from "fast-check";
import { Region } from "../../compiler/ir.js";
import { printModule } from "../../emit/print.js";
import type { Attribute } from "../../ops/hlo/attributes.js";
import type { CustomCallAttrs } from "../../ops/hlo/custom_call.js";
import { HloBuilder, ops } from "../../ops/hlo/index.js";
import { canonical, verify } from "../oracle/oracle.js";
import { agrees, refuses, type Use } from "./harness.js";

// One of the targets that XLA has on every platform.
const use = fc.constant<Use>({
  inputs: [{ shape: [2, 3], dtype: "f32" }],
  build: (b, x) =>
    b.customCall([x!], [x!.type], {
      target: "annotate_device_placement",
      backendConfig: "",
      hasSideEffect: true,
      frontendAttributes: { _xla_buffer_placement: "device" },
    }),
  jax: "lambda x: x",
  gradient: false,
});
agrees("custom_call", use, { runs: 1 });

const name = fc.oneof(
  fc.constantFrom("foo", "foo.bar", "a$b", "_x1"),
  fc.string({ minLength: 1, unit: "grapheme", maxLength: 6 }),
);
const { attribute } = fc.letrec<{ attribute: Attribute }>((tie) => ({
  attribute: fc.oneof(
    { maxDepth: 2 },
    fc.string({ unit: "grapheme" }),
    fc.boolean(),
    fc.record({ value: fc.integer({ min: -9, max: 9 }), type: fc.constantFrom("i8", "i32", "i64", "f32", "f64") }),
    fc.record({ i64s: fc.array(fc.integer({ min: -9, max: 9 })) }),
    fc.array(tie("attribute"), { maxLength: 3 }),
    fc.record({ dictionary: fc.dictionary(name, tie("attribute"), { maxKeys: 3, noNullPrototype: true }) }),
  ),
}));
const attrs: fc.Arbitrary<CustomCallAttrs> = fc
  .tuple(
    name,
    fc.oneof(
      fc.record({ backendConfig: fc.string({ unit: "grapheme" }) }),
      fc.record({
        apiVersion: fc.constant(4 as const),
        backendConfig: fc.dictionary(name, attribute, { maxKeys: 4, noNullPrototype: true }),
      }),
      fc.record({ apiVersion: fc.constantFrom(1 as const, 2 as const, 3 as const) }),
    ),
    fc.record(
      {
        hasSideEffect: fc.boolean(),
        calledComputations: fc.constant(["main"]),
        layouts: fc.constant({ operands: [[1, 0], []], results: [[0, 1], [0]] }),
        aliases: fc.constant([{ result: 0, operand: 0 }]),
        frontendAttributes: fc.dictionary(name, fc.string(), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([target, config, rest]) => ({ target, ...config, ...rest }));

test("custom_call: attributes of every kind are printed as MLIR prints them", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attrs, { minLength: 10, maxLength: 10 }), async (drawn) => {
      const body = new Region();
      const b = HloBuilder.into(body);
      const x = body.arg({ shape: [2, 3], dtype: "f32" });
      const s = body.arg({ shape: [], dtype: "i32" });
      for (const a of drawn) b.customCall([x, s], [x.type, { shape: [4], dtype: "bf16" }], a);
      const text = printModule({ name: "test", funcs: [{ name: "main", body }] }, { names: "canonical" });
      expect(await verify(text)).toBeUndefined();
      expect(await canonical(text)).toBe(text);
    }),
    { numRuns: 5, endOnFailure: true },
  );
});

test("custom_call with a side effect stays", () => {
  const b = HloBuilder.into(new Region());
  b.customCall([], [], { target: "foo" });
  b.customCall([], [], { target: "foo", hasSideEffect: true });
  expect(b.region.ops.map((op) => op.def.effect)).toEqual([undefined, true]);
});

const [x, y] = ["2x3xf32", "2x3xf32"];
const layout = (...ds: number[]) => `dense<[${ds}]> : tensor<${ds.length}xindex>`;
refuses(ops.customCall, {
  I4: [
    {
      operands: [x],
      results: [y],
      attrs: { target: "foo", apiVersion: 4, backendConfig: "text" },
      mlir: 'call_target_name = "foo", api_version = 4 : i32, backend_config = "text"',
    },
    {
      operands: [x],
      results: [y],
      attrs: { target: "foo", backendConfig: {} },
      mlir: 'call_target_name = "foo", backend_config = {}',
    },
  ],
  I7: [
    {
      operands: [x],
      results: [y],
      attrs: { target: "foo", aliases: [{ result: 0, operand: 1 }] },
      mlir: 'call_target_name = "foo", output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [], operand_index = 1, operand_tuple_indices = []>]',
    },
    {
      operands: [x],
      results: ["3x2xf32"],
      attrs: { target: "foo", aliases: [{ result: 0, operand: 0 }] },
      mlir: 'call_target_name = "foo", output_operand_aliases = [#stablehlo.output_operand_alias<output_tuple_indices = [], operand_index = 0, operand_tuple_indices = []>]',
    },
  ],
  layouts: [
    {
      operands: [x],
      results: [y],
      attrs: { target: "foo", layouts: { operands: [[1, 0]], results: [] } },
      mlir: `call_target_name = "foo", operand_layouts = [${layout(1, 0)}], result_layouts = []`,
    },
    {
      operands: [x],
      results: [y],
      attrs: { target: "foo", layouts: { operands: [[1, 0]], results: [[1, 1]] } },
      mlir: `call_target_name = "foo", operand_layouts = [${layout(1, 0)}], result_layouts = [${layout(1, 1)}]`,
    },
  ],
});
