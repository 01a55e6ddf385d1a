import type { Value } from "../../compiler/ir.js";
import { emitOne, type HloOp } from "./define.js";

/** The number of the device in the mesh. StableHLO specification, "partition_id". Its meaning is that of code for one device. */
export const partitionId: HloOp<null, []> = {
  name: "stablehlo.partition_id",
  view: true,
  stops: true,
  constraints: {},
  syntax: ({ def, results: [y] }, p) => `${def.name} : ${p.type(y!.type)}`,
  cost: () => ({ flops: 0, transcendentals: 0, bytes: 0 }),
  make: (b): Value => emitOne(b, partitionId, [], null, { shape: [], dtype: "ui32" }),
};
