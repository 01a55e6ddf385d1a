/** Code of one device against JAX's shard_map: values, gradients, the text. */
import { Layout } from "../../compiler/mesh.js";
import { customVjp, grad, remat, scan } from "../../ops/control.js";
import { dot, iota } from "../../ops/functions.js";
import {
  allGather,
  allReduce,
  allToAll,
  axisIndex,
  axisSize,
  perDevice,
  reduceScatter,
  ring,
} from "../../ops/per_device.js";
import type { Tensor } from "../../ops/tensor.js";
import { canonical, verify } from "../oracle/oracle.js";
import { temporaryFolder } from "../runtime/support.js";
import { type DeviceCase, difference, runOnDevices } from "./programs.js";

const folder = temporaryFolder();

const mesh = { data: 2, context: 4 };
const sharded = (f: string, ins: string, out: string): string =>
  `lambda *a: jax.shard_map(${f}, mesh=mesh, in_specs=${ins}, out_specs=${out}, check_vma=False)(*a)`;
/** A function of the whole, and its gradients: JAX's own of the whole. */
const withGradients = (f: string, n: number): string =>
  `(lambda f: lambda *a: [f(*a), *jax.grad(lambda *a: (f(*a) * jnp.sin(jnp.arange(f(*a).size)).reshape(f(*a).shape)).sum(), argnums=tuple(range(${n})))(*a)])(${f})`;
const alsoGradients =
  (f: (...xs: Tensor[]) => Tensor) =>
  (...xs: Tensor[]): Tensor[] => {
    const weighted = (xs: Tensor[]) => {
      const y = f(...xs);
      const order = y.names.reduce<Tensor | undefined>((n, name) => {
        const here = iota({ [name]: y.size(name) }, "f32");
        return n === undefined
          ? here
          : n
              .mul(y.size(name))
              .broadcast({ [name]: y.size(name) })
              .add(here);
      }, undefined)!;
      return y.mul(order.sin()).sum(y.names) as unknown as Tensor<never>;
    };
    const y = f(...xs);
    return [y, ...(grad(weighted)(xs) as Tensor[]).map((g, i) => g.ordered(xs[i]!.names))];
  };

const cases: Readonly<Record<string, DeviceCase>> = {
  "every collective, in a loop": {
    mesh,
    inputs: [{ batch: 4, seq: 8, embed: 12 }],
    run: alsoGradients((x) =>
      perDevice(x, (x) => {
        const [y] = scan("step", x, iota({ step: 2 }), (x) => {
          const next = ring(x, "context").mul(axisIndex("context").add(1).cast("f32") as never);
          const all = allGather(next.sin(), "seq", "context");
          const part = reduceScatter(all.cos(), "seq", "context");
          const other = allToAll(part, "embed", "seq", "context").sin();
          const back = allToAll(other, "seq", "embed", "context");
          return [back.add(allReduce(x, ["data", "context"]).mul(0.1)) as Tensor, []];
        });
        return y;
      }),
    ),
    jax: withGradients(
      sharded(
        `lambda x: lax.scan(lambda x, _: (lax.all_to_all(jnp.sin(lax.all_to_all(lax.psum_scatter(jnp.cos(lax.all_gather(jnp.sin(lax.ppermute(x, "context", [(i, (i + 1) % 4) for i in range(4)]) * (lax.axis_index("context") + 1.0)), "context", axis=1, tiled=True)), "context", scatter_dimension=1, tiled=True), "context", 2, 1, tiled=True)), "context", 1, 2, tiled=True) + 0.1 * lax.psum(x, ("data", "context")), None), x, None, length=2)[0]`,
        `P("data", "context")`,
        `P("data", "context")`,
      ),
      1,
    ),
  },
  "what devices share: weights from outside, a result that all have, a number kept for the backward pass": {
    mesh,
    inputs: [{ batch: 4, seq: 8, embed: 3 }, { embed: 3, mlp: 5 }, { mlp: 5 }],
    run: alsoGradients((x, w, scale) =>
      perDevice({ x, w }, ({ x, w }) => {
        const hidden = dot(x, w, "embed").sin();
        const peak = hidden.square().sum(hidden.names) as unknown as Tensor;
        const sum = allReduce(peak.exp().mul(0.01), ["data", "context"]);
        return allReduce(hidden.mul(scale as never).sum(["batch", "seq"]), ["data", "context"]).mul(
          sum as never,
        ) as Tensor;
      }),
    ),
    jax: withGradients(
      `lambda x, w, s: (jnp.sin(x @ w) * s).sum((0, 1)) * (0.01 * jnp.exp(jnp.square(jnp.sin(x @ w)).reshape(2, 2, 4, 2, 5).sum((1, 3, 4)))).sum()`,
      3,
    ),
  },
  "of one mesh axis, the others being the partitioner's": {
    mesh,
    inputs: [
      { batch: 4, seq: 8, embed: 3 },
      { embed: 3, mlp: 4 },
    ],
    run: alsoGradients((x, w) =>
      perDevice(
        { x, w },
        ({ x, w }) => {
          expect(x.sizes).toEqual({ batch: 4, seq: 2, embed: 3 });
          const h = remat((h: Tensor) => dot(h, w, "embed").sin())(x);
          return (h as Tensor).add(ring(h, "context", -1)).mul(axisIndex("context").cast("f32") as never) as Tensor;
        },
        { over: ["context"] },
      ),
    ),
    jax: withGradients(
      `lambda x, w: (lambda h: (h + jnp.roll(h, -2, 1)) * jnp.repeat(jnp.arange(4.0), 2)[None, :, None])(jnp.sin(x @ w))`,
      2,
    ),
  },
  "along two mesh axes at once, with a derivative of its own inside, within a scan of layers": {
    mesh,
    inputs: [
      { seq: 16, embed: 2 },
      { layer: 3, embed: 2 },
    ],
    layout: (mesh) => new Layout(mesh, { activations: { seq: ["data", "context"] } }),
    run: alsoGradients((x, w) => {
      const squared = customVjp(
        (x: Tensor) => [x.square(), x],
        (x, ct) => [ct.mul(x).mul(2)],
      );
      const [y] = scan("layer", x, w, (x, w) => [
        perDevice({ x, w }, ({ x, w }) => {
          expect(axisSize(["data", "context"])).toBe(8);
          return ring(squared(x), ["data", "context"], 3)
            .mul(w as never)
            .sin() as Tensor;
        }),
        [],
      ]);
      return y;
    }),
    jax: withGradients(`lambda x, w: lax.scan(lambda x, w: (jnp.sin(jnp.roll(x * x, 6, 0) * w), None), x, w)[0]`, 2),
  },
};

test("code of one device computes what JAX's does, and has its gradients", async () => {
  const runs = await runOnDevices(folder, Object.values(cases));
  const found = Object.fromEntries(Object.keys(cases).map((name, i) => [name, difference(runs[i]!)]));
  expect(Object.entries(found).filter(([, d]) => !(d < 1e-5))).toEqual([]);
  for (const { text } of runs) {
    expect(await verify(text)).toBeUndefined();
    expect(await canonical(text)).toContain("sdy.manual_computation");
  }
}, 120_000);

test("results that nobody reads are not computed, nor the loops that make them", async () => {
  const [run] = await runOnDevices(folder, [
    {
      mesh,
      inputs: [{ batch: 4, seq: 8 }],
      run: (x) =>
        perDevice(x, (x) => {
          const [unread] = scan("step", x, iota({ step: 3 }), (x) => [allReduce(x.sin(), "data"), []]);
          return { unread, read: x.cos() };
        }).read,
      jax: "jnp.cos",
    },
  ]);
  expect(difference(run!)).toBeLessThan(1e-6);
  expect(run!.text).toContain("sdy.manual_computation");
  expect(run!.text).toContain("stablehlo.cosine");
  for (const gone of ["stablehlo.while", "stablehlo.sine", "stablehlo.all_reduce"])
    expect(run!.text).not.toContain(gone);
  expect(run!.collectives).toEqual([]);
}, 60_000);
