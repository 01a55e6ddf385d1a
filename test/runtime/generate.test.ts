import { join } from "node:path";
import { type EventOf, type GenerateOptions, generate, train } from "../../runtime-bridge/bridge.js";
import { problem, python, referenceArtifact, temporaryFolder, writeText } from "./support.js";

const folder = temporaryFolder();
const run = join(folder, "run");
let artifact: string;
beforeAll(async () => {
  artifact = await referenceArtifact(folder, 16, 60);
  await train({ artifact, run, data: writeText(folder) });
});

async function generated(options: Partial<GenerateOptions>): Promise<{ text: string; end: EventOf<"generated"> }> {
  let text = "";
  const end = await generate({ artifact, run, ...options }, (event) => {
    if (event.event === "text") text += event.text;
  });
  return { text, end };
}

test("takes the likeliest token each time, beyond the context, as JAX does with all tokens at hand", async () => {
  const state = join(folder, "state.safetensors");
  await python("dump_run.py", "state", artifact, run, state);
  for (const prompt of ["the quick", "exactly 16 bytes", "é"]) {
    const expected = JSON.parse(await python("reference_model.py", "generate", "16", "0", state, prompt, "50"));
    const { text, end } = await generated({ prompt, maxTokens: 50, temperature: 0 });
    expect(text).toBe(expected.text);
    expect(end).toMatchObject({ tokens: 50, reason: "length" });
  }
});

test("draws the same text for the same seed, another for another", async () => {
  const draw = async (seed: number) => (await generated({ prompt: "t", maxTokens: 60, temperature: 1, seed })).text;
  const first = await draw(1);
  expect(await draw(1)).toBe(first);
  expect(await draw(2)).not.toBe(first);
});

test("ends before a stop text", async () => {
  const options = { prompt: "t", maxTokens: 60, temperature: 1, seed: 1 };
  const { text } = await generated(options);
  const stop = text.slice(20, 23);
  const stopped = await generated({ ...options, stop: ["never said", stop] });
  expect(stopped.end.reason).toBe("stop");
  expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
});

test("a prompt may begin with a dash, and be longer than the context", async () => {
  const { end } = await generated({ prompt: `--temperature ${"long ".repeat(20)}`, maxTokens: 3 });
  expect(end.tokens).toBe(3);
});

test("says what is wrong", async () => {
  expect(await problem(() => generated({ prompt: "" }))).toMatch("The prompt is empty.");
  expect(await problem(() => generated({ topP: 0 }))).toMatch("--top-p must be above 0 and at most 1");
  expect(await problem(() => generated({ temperature: -1 }))).toMatch("--temperature must be 0 or more");
  expect(await problem(() => generated({ run: join(folder, "none") }))).toMatch(
    /no checkpoint in .*none\.\nTrain first/s,
  );
  expect(await problem(() => generated({ step: 5 }))).toMatch("no checkpoint of step 5");
});
