/** Writing text on several CPU devices, held against one. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { compile } from "../../emit/compile.js";
import { mixtral, mixtralPresets } from "../../models/index.js";
import { ensurePython } from "../../runtime-bridge/bridge.js";
import { pythonEnv } from "../../runtime-bridge/process.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();

test("a cache that is split over the mesh by position: each device writes its own part", async () => {
  const model = { ...mixtralPresets.tiny, vocab: 256 };
  const sharding = { activations: { key: ["context"] } };
  const meshes = [
    {},
    { mesh: { context: 4, tensor: 2 }, sharding },
    { mesh: { fsdp: 2, context: 2, tensor: 2 }, sharding },
  ];
  const folders = [];
  for (const [i, c] of meshes.entries()) {
    const artifact = join(folder, `serving-${i}`);
    const only = ["init", "eval_step", "forward", "prefill", "decode_step"];
    const config = { ...c, model, train: { batch: 4 }, generate: { batch: 4 } };
    const compiled = await compile(mixtral, config, { only, locations: false });
    const caches = compiled.program("decode_step").program.inputs.filter(({ role }) => role === "cache");
    for (const { axes, sharding } of caches)
      if (i > 0) expect((sharding as readonly unknown[])[axes.indexOf("key")]).toEqual(["context"]);
    await compiled.write(artifact);
    folders.push(artifact);
  }
  const out = join(folder, "serving.json");
  const script = fileURLToPath(new URL("serving.py", import.meta.url));
  const { python } = await ensurePython();
  await execa(python, [script, ...folders, "--out", out], { env: { ...pythonEnv(), JAX_PLATFORMS: "cpu" } });
  for (const differences of JSON.parse(readFileSync(out, "utf8")) as Record<string, number>[])
    expect(Object.entries(differences).filter(([, d]) => !(d < 1e-5))).toEqual([]);
}, 300_000);
