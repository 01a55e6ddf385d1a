import type { Memory, Value } from "../../compiler/ir.js";
import { emitOne, type HloOp } from "./define.js";

/** Which memory the result lies in. */
export interface PlaceAttrs {
  readonly memory: Memory;
}

/**
 * The operand in another memory: XLA's custom call "annotate_device_placement", by which JAX says it too. Where it is cut out of
 * something larger or put into it, only the part is moved. Its derivative is computed where the cotangent is.
 */
export const place: HloOp<PlaceAttrs, [operand: Value, memory: Memory]> = {
  name: "stablehlo.custom_call",
  constraints: {},
  syntax: ({ def, operands: [x], results: [y], attrs: { memory } }, p) =>
    `${def.name} @annotate_device_placement(${p.value(x!)}) {backend_config = "", has_side_effect = true, mhlo.frontend_attributes = {_xla_buffer_placement = "${memory}"}} : (${p.type(x!.type)}) -> ${p.type(y!.type)}`,
  cost: () => ({ flops: 0, transcendentals: 0, bytes: 0 }),
  make: (b, x, memory) => emitOne(b, place, [x], { memory }, x.type, x.axes),
  vjp: (_, __, [ct]) => [ct],
};
