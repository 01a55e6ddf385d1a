/** Products of few rows with weights that stay where they are stored, and their gradients, against JAX. */
import { stationaryProducts } from "../../models/layers/stationary.js";
import { grad } from "../../ops/control.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { temporaryFolder } from "../runtime/support.js";
import { type DeviceCase, difference, runOnDevices } from "./programs.js";

const folder = temporaryFolder();
const SIZE = 128;

/** Rows of a batch times a weight, which lies over `fsdp` along `embed`: an axis that is summed over, or one of the result. */
const products = (mesh: Readonly<Record<string, number>>, from: "embed" | "mlp", batch: number): DeviceCase => {
  const to = from === "embed" ? "mlp" : "embed";
  const inputs = [
    { batch, [from]: SIZE },
    { [from]: SIZE, [to]: SIZE },
  ];
  return {
    mesh,
    inputs,
    run: (...given: Tensor[]) => {
      const multiply = ([x, w]: Tensor[]) => stationaryProducts(x!, [w!], [from])![0]!;
      const gradients = grad((xs: Tensor[]) => multiply(xs).sin().sum(["batch", to]) as unknown as Scalar)(given);
      return [multiply(given).ordered(["batch", to]), ...gradients.map((g, i) => g.ordered(Object.keys(inputs[i]!)))];
    },
    jax: "(lambda f: lambda *a: [f(*a), *jax.grad(lambda *a: jnp.sin(f(*a)).sum(), argnums=(0, 1))(*a)])(lambda x, w: x @ w)",
  };
};

test("few rows are multiplied with parts of weights, and so are their gradients", async () => {
  // The batch lies over `data` and `fsdp`: devices gather the rows of those that have other parts of a weight.
  const meshes = [{ fsdp: 8 }, { data: 2, fsdp: 2, tensor: 2 }];
  const cases = meshes.flatMap((mesh) => [
    products(mesh, "embed", 8),
    products(mesh, "mlp", 8),
    products(mesh, "mlp", 1),
  ]);
  const runs = await runOnDevices(folder, cases);
  expect(runs.map(difference).filter((d) => !(d < 1e-5))).toEqual([]);
}, 240_000);
