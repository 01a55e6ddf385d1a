/** What the host's memory takes off a TPU's, by the TPU compiler's account. */
import { join } from "node:path";
import { parseTarget } from "../../compiler/plan/target.js";
import { compile } from "../../emit/compile.js";
import { llama } from "../../models/llama.js";
import { compileAhead } from "../../runtime-bridge/bridge.js";
import { temporaryFolder } from "../runtime/support.js";

const folder = temporaryFolder();

test("on a TPU a device has less by the moments of the layers, and by the activations of all layers but the one at hand", async () => {
  const [layers, embed, mlp, heads, batch, context, vocab, devices] = [6, 1024, 4096, 8, 32, 512, 512, 4];
  const sizes = { layers, heads, kvHeads: heads, embed, mlp, context, vocab };
  const [bf16, f32] = [2, 4];
  const used = async (name: string, remat: unknown, offload = {}) => {
    const config = { target: "tpu:v5e:2x2", model: { ...sizes, dtype: "bf16", remat }, train: { batch, offload } };
    const artifact = join(folder, name);
    await (await compile(llama, config, { only: ["train_step"], locations: false })).write(artifact);
    const options = {
      artifact,
      entry: "train_step",
      target: parseTarget(config.target),
      out: join(folder, `${name}-xla`),
    };
    const event = await compileAhead(options);
    if (event.event !== "ahead") throw new Error("it does not fit");
    const { arguments: given, outputs, aliased, temporaries, host_arguments } = event.memory;
    return { device: given + outputs - aliased + temporaries, host: host_arguments };
  };
  const [all, moments] = [await used("all", "nothing"), await used("moments", "nothing", { optimizer: true })];
  const ofLayers = layers * (4 * embed * embed + 3 * embed * mlp + 2 * embed);
  const parameters = ofLayers + 2 * vocab * embed + embed;
  expect(moments.host / ((2 * parameters * f32) / devices)).toBeCloseTo(1, 3);
  const saved = (all.device - moments.device) / ((2 * ofLayers * f32) / devices);
  expect([saved, saved > 0.7 && saved < 1.1]).toEqual([saved, true]);

  const kept = ["attn_out", "residual", "mlp_up"];
  const [here, there] = [await used("kept", kept), await used("sent", { offload: kept })];
  const ofLayer = (batch / devices) * context * (2 * embed + mlp) * bf16;
  // All layers' but one's, which is at hand; more than all where what is kept has working copies too.
  expect(here.device - there.device).toBeGreaterThan((layers - 1) * ofLayer);
}, 600_000);
