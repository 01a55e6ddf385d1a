import { makeMesh, type Spec } from "../../compiler/mesh.js";
import { ops } from "../../ops/hlo/index.js";
import { type MisuseOf, refuses, type } from "./harness.js";

// Values, gradients and the text are in test/parallel/per_device.test.ts: it takes a mesh. MLIR is not asked here for the same reason.
function misuse(
  local: string,
  result: string,
  {
    inputs = [[["data"], []]],
    manual = ["data"],
    args = 1,
  }: { inputs?: Spec[]; manual?: string[]; args?: number } = {},
): MisuseOf {
  return {
    inputs: ["4x3xf32"],
    emit: (b, x) => {
      const body = b.nested(Array(args).fill(type(local)), (_, ...given) => [given[0]!]);
      const attrs = {
        mesh: makeMesh({ data: 2, tensor: 2 }),
        manual,
        inputs,
        outputs: [[["data"], []]],
        within: <T>(f: () => T) => f(),
      };
      b.emit(ops.manualComputation, [x!], attrs, [type(result)], [body]);
    },
    generic: false,
  };
}
refuses(ops.manualComputation, {
  C1: misuse("2x3xf32", "4x3xf32", { inputs: [] }),
  C2: misuse("2x3xf32", "4x3xf32", { args: 2 }),
  C3: misuse("2x3xf32", "4x3xf32", { manual: ["tensor"] }),
  C4: misuse("4x2xf32", "4x3xf32", { inputs: [[[], ["data"]]] }),
  C5: [misuse("2x3xf32", "2x3xf32"), misuse("4x3xf32", "8x3xf32")],
});
