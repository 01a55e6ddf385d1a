import type { XenarcError } from "../../compiler/errors.js";
import { Layout, makeMesh } from "../../compiler/mesh.js";
import { collectives, collectiveTable } from "../../compiler/plan/collectives.js";
import { parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";
import { render } from "../../compiler/source/render.js";
import { compile } from "../../emit/compile.js";
import { charTransformer } from "../../models/char_transformer.js";
import { evaluationWorker } from "../../runtime-bridge/evaluate.js";
import { temporaryFolder } from "../runtime/support.js";
import { differing, gradientDifference, lossDifference, trainAll } from "./support.js";

const folder = temporaryFolder();

/** Without biases: the gradient of a key's bias is zero but for rounding, which has no relative size. */
const model = { layers: 2, heads: 4, embed: 32, context: 16, bias: false };
const train = { batch: 8, warmup: 2, steps: 10 };

const MESHES: Readonly<Record<string, object>> = {
  data: { mesh: { data: 8 } },
  "FSDP (ZeRO-3)": { mesh: { fsdp: 8 } },
  "ZeRO-1": { mesh: { data: 8 }, sharding: { optimizer: { embed: "data" } } },
  tensor: { mesh: { data: 2, tensor: 4 } },
  "tensor and sequence": { mesh: { data: 2, tensor: 4 }, sharding: { sequence: true } },
  "data, FSDP and tensor": { mesh: { data: 2, fsdp: 2, tensor: 2 } },
  "axes of the author's own": {
    mesh: { rows: 4, columns: 2 },
    sharding: { parameters: { embed: "rows", mlp: "columns" }, activations: { batch: ["rows"], mlp: "columns" } },
  },
};

/** Parameters by hand: the embedding; with it the head and the last norm; in each layer two norms, four matrices of attention, two of the MLP. */
const TABLE = 256 * 32;
const OUTER = TABLE + 32 * 256 + 32;
const INNER = 2 * (2 * 32 + 4 * 32 * 32 + 2 * 32 * 128);
const BYTES = 4;
/** One activation of the residual stream on a device of two data-parallel groups: 4 sequences of 16 positions. */
const STREAM = 4 * 16 * 32 * BYTES;
/** Room for sums over the mesh of single numbers (losses, norms) and of a number for each position. */
const SMALL = 1024;

/**
 * What each mesh has to communicate in a step, in bytes by kind and axes, and nothing else. XLA:CPU makes no reduce-scatter: gradients are
 * reduced whole, but for the embedding's, whose reduce-scatter is in the program.
 */
const COMMUNICATION: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  data: { "all-reduce data": (OUTER + INNER) * BYTES },
  // A layer's weights are gathered for the forward pass and again for the backward pass, the others once.
  "FSDP (ZeRO-3)": {
    "all-reduce fsdp": (OUTER - TABLE + INNER) * BYTES,
    "reduce-scatter fsdp": TABLE * BYTES,
    "all-gather fsdp": (OUTER + 2 * INNER) * BYTES,
  },
  "ZeRO-1": {
    "all-reduce data": (OUTER - TABLE + INNER) * BYTES,
    "reduce-scatter data": TABLE * BYTES,
    "all-gather data": (OUTER + INNER) * BYTES,
  },
  tensor: {
    // Forward the embedding, and in each layer attention and MLP; backward the inputs of query, key, value, MLP, and of the head.
    "all-reduce tensor": (1 + 2 * 2 + 2 * 4 + 1) * STREAM,
    // The gradients of a quarter of the matrices, of whole norms.
    "all-reduce data": ((INNER - 4 * 32) / 4 + 4 * 32 + (2 * 256 * 32) / 4) * BYTES,
  },
};

test("8 devices train as one does, on every mesh", async () => {
  const configs = [{}, ...Object.values(MESHES)].map((c) => ({ model, train, ...c }));
  const [one, ...runs] = await trainAll(folder, charTransformer, configs);
  for (const [i, run] of runs.entries()) {
    const name = Object.keys(MESHES)[i]!;
    const wrong = differing(run, one!, 1e-5);
    expect({ name, wrong }).toEqual({ name, wrong: [] });

    const wanted = COMMUNICATION[name];
    if (wanted === undefined) continue;
    const { mesh } = MESHES[name] as { mesh: Record<string, number> };
    const rows = collectiveTable(collectives(parseOptimizedHlo(run.hlo), makeMesh(mesh)));
    const sent = Object.fromEntries(rows.map((row) => [`${row.kind} ${row.axes.join("+")}`, row.bytes]));
    expect([name, Object.keys(sent).sort()]).toEqual([name, Object.keys(wanted).sort()]);
    for (const [kind, bytes] of Object.entries(wanted)) {
      const more = sent[kind]! - bytes;
      expect([name, kind, more, more >= 0 && more < SMALL]).toEqual([name, kind, more, true]);
    }
  }
}, 240_000);

test("accumulated micro-batches too", async () => {
  const accumulated = { ...train, batch: 8, accumulation: 3 };
  const configs = [{}, { mesh: { data: 2, fsdp: 2, tensor: 2 } }].map((c) => ({ model, train: accumulated, ...c }));
  const [one, run] = await trainAll(folder, charTransformer, configs, 3);
  expect(lossDifference(run!, one!)).toBeLessThan(1e-5);
  expect(gradientDifference(run!)[1]).toBeLessThan(1e-5);
}, 120_000);

test("what is emitted for a mesh is what jaxlib prints", async () => {
  const worker = await evaluationWorker();
  const config = { model, train, mesh: { data: 2, fsdp: 2, tensor: 2 } };
  const compiled = await compile(charTransformer, config, { names: "canonical", locations: false });
  for (const { text } of compiled.programs) {
    expect(await worker.verify(text)).toBeUndefined();
    expect(await worker.canonical(text)).toBe(text);
  }
}, 120_000);

const failure = async (config: object, entry = "train_step"): Promise<string> => {
  try {
    await compile(charTransformer, { model, train, ...config }, { only: [entry] });
  } catch (error) {
    // Where inside of xenarc is for the next lines of our own, and changes with them.
    return render(error as XenarcError, { colour: false }).replace(/^( {2}through xenarc\/[^:]+):[\d:]+$/gm, "$1");
  }
  throw new Error("nothing was wrong");
};

test.each<[what: string, config: object]>([
  ["an axis that does not divide", { mesh: { tensor: 3 } }],
  ["a batch that does not divide", { mesh: { data: 16 } }],
  ["a mesh axis used twice", { mesh: { tensor: 2 }, sharding: { parameters: { embed: "tensor", vocab: "tensor" } } }],
  ["a rule for an axis the mesh lacks", { mesh: { tensor: 2 }, sharding: { parameters: { embed: "tesnor" } } }],
  ["a rule for an axis the model lacks", { mesh: { tensor: 2 }, sharding: { parameters: { haeds: "tensor" } } }],
  ["sizes that are not the target's", { mesh: { tensor: 2, data: 3 }, target: "cpu:8" }],
  ["two open sizes", { mesh: { tensor: -1, data: -1 }, target: "cpu:8" }],
  ["an open size without a target", { mesh: { tensor: -1 } }],
  ["slices of an axis that is not there", { mesh: { tensor: 2 }, slices: { data: 2 } }],
])("%s is said", async (_, config) => {
  expect(await failure(config)).toMatchSnapshot();
});

test("the author's line is shown by the program that makes the parameters too, the first to be compiled", async () => {
  const config = { mesh: { tensor: 3 } };
  expect(await failure(config, "init")).toBe(await failure(config));
});

test("an open size is what is left", () => {
  expect(makeMesh({ data: -1, tensor: 4 }, { data: 2 }, 64).axes).toEqual([
    { name: "data", size: 16, slices: 2 },
    { name: "tensor", size: 4 },
  ]);
});

test("rules by hand: heads over tensor, the rest whole, a dimension of one left alone", () => {
  const layout = new Layout(makeMesh({ data: 2, fsdp: 2, tensor: 2 }));
  const spec = (kind: "parameters" | "activations", sizes: Record<string, number>) =>
    layout.spec(kind, { name: "x", axes: Object.keys(sizes), shape: Object.values(sizes) });
  expect(spec("parameters", { layers: 3, embed: 8, heads: 4, headDim: 5 })).toEqual([[], ["fsdp"], ["tensor"], []]);
  expect(spec("activations", { batch: 4, seq: 3, heads: 4, other: 7 })).toEqual([
    ["data", "fsdp"],
    [],
    ["tensor"],
    undefined,
  ]);
  expect(spec("activations", { batch: 1, key: 9 })).toEqual([[], []]);
});

test("rules by hand: a mesh axis goes to the axis whose first it is, to the author's before a default one", () => {
  const mesh = makeMesh({ fsdp: 2, expert: 2 });
  const spec = (layout: Layout, axes: string[]) =>
    layout.spec("parameters", { name: "x", axes, shape: axes.map(() => 8) });
  const layout = new Layout(mesh);
  expect(spec(layout, ["embed", "heads"])).toEqual([["fsdp", "expert"], []]);
  expect(spec(layout, ["expert", "embed", "mlp"])).toEqual([["expert"], ["fsdp"], []]);
  expect(spec(layout, ["embed", "expert"])).toEqual([["fsdp"], ["expert"]]);
  const noFsdp = new Layout(makeMesh({ expert: 2 }));
  expect(spec(noFsdp, ["embed", "mlp"])).toEqual([["expert"], []]);
  expect(spec(noFsdp, ["expert", "embed"])).toEqual([["expert"], []]);
  const own = new Layout(mesh, { parameters: { embed: ["fsdp", "expert"] } });
  expect(spec(own, ["expert", "embed"])).toEqual([["expert"], ["fsdp"]]);
  const ownFirst = new Layout(mesh, { parameters: { embed: ["expert"] } });
  expect(spec(ownFirst, ["expert", "embed"])).toEqual([[], ["expert"]]);
  const both = new Layout(mesh, { parameters: { embed: ["expert"], expert: ["expert"] } });
  expect(() => spec(both, ["expert", "embed"])).toThrow(
    "the rules split both expert and embed over the mesh axis expert",
  );
  const latent = new Layout(makeMesh({ fsdp: 2, context: 2, tensor: 2 }), {
    parameters: { embed: ["fsdp", "context"], latent: ["context", "fsdp", "tensor"] },
  });
  expect(spec(latent, ["embed", "latent"])).toEqual([["fsdp"], ["context", "tensor"]]);
  expect(spec(latent, ["latent", "heads"])).toEqual([["context", "fsdp"], ["tensor"]]);
  expect(spec(latent, ["embed", "heads"])).toEqual([["fsdp", "context"], ["tensor"]]);
  const overTensor = new Layout(makeMesh({ fsdp: 2, tensor: 2 }), { parameters: { expert: ["tensor"] } });
  expect(spec(overTensor, ["expert", "embed", "mlp"])).toEqual([["tensor"], ["fsdp"], []]);
  expect(spec(overTensor, ["embed", "mlp"])).toEqual([["fsdp"], ["tensor"]]);
});
