import { sameType, typeText, type Value } from "../../compiler/ir.js";
import { type Kind, type Spec, specText } from "../../compiler/mesh.js";
import { emitOne, type HloOp } from "./define.js";

/** Where the value lies. */
export interface ShardingConstraintAttrs {
  readonly spec: Spec;
  /** The rules that say so. */
  readonly kind: Kind;
}

/**
 * The operand, lying on the mesh as the specification says. Its derivative holds the cotangent to the same. Shardy dialect,
 * "sdy.sharding_constraint"; the module's mesh is `@mesh`.
 */
export const shardingConstraint: HloOp<ShardingConstraintAttrs, [operand: Value, spec: Spec, kind?: Kind]> = {
  name: "sdy.sharding_constraint",
  view: true,
  constraints: {
    C1: ({ operands: [x], results: [y] }) =>
      sameType(x!.type, y!.type) ? undefined : `the result is ${typeText(y!.type)}, not ${typeText(x!.type)}`,
    C2: ({ operands: [x], attrs: { spec } }) =>
      spec.length === x!.type.shape.length
        ? undefined
        : `the sharding has ${spec.length} dimensions for ${typeText(x!.type)}`,
    C3({ attrs: { spec } }) {
      const used = spec.flatMap((over) => over ?? []);
      const twice = used.find((m, i) => used.indexOf(m) < i);
      return twice === undefined ? undefined : `the mesh axis ${twice} splits two dimensions`;
    },
  },
  syntax: ({ def, operands: [x], results: [y], attrs }, p) =>
    `${def.name} ${p.value(x!)} <@mesh, ${specText(attrs.spec)}> : ${p.type(y!.type)}`,
  cost: () => ({ flops: 0, transcendentals: 0, bytes: 0 }),
  make: (b, x, spec, kind = "activations") => emitOne(b, shardingConstraint, [x], { spec, kind }, x.type, x.axes),
  vjp: (b, { attrs }, [ct]) => [b.shardingConstraint(ct!, attrs.spec, attrs.kind)],
};
