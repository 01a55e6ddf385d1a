/** The page of a trace: what of it is there without its script, and what the script is given. */
import { inflateRawSync } from "node:zlib";
import { tracePage } from "../../cli/trace_page.js";
import type { EventOf } from "../../runtime-bridge/events.js";

const token = (position: number, text: string, probability: number): EventOf<"token"> => ({
  event: "token",
  position,
  id: 60,
  text,
  probability,
  rank: probability > 0.5 ? 1 : 2,
  entropy: 1,
  top: [{ id: 60, text, probability }],
  seconds: 0.002,
  first: 0,
  activations: { head: { rms: [1], mean: [null], zeros: [0] } },
  attention: { "blocks/attention": { layers: [[{ entropy: 0, keys: [[0, 1]] }]], rows: "/wA=" } },
});
const subject = { name: "m", run: "runs/<m>", step: 7, sampling: "seed 1" };
const prompt: EventOf<"prompt"> = {
  event: "prompt",
  tokens: [
    { id: 84, text: "T", probability: null },
    { id: 60, text: "<", probability: 0.25 },
  ],
};

test("the text is there as it is, the chances are in it, and nothing is fetched", () => {
  const page = tracePage([prompt, token(2, "</script>", 0.9), token(3, "\n", 0.001), token(4, "", 1)], {
    ...subject,
    flops: new Map([
      ["blocks/mlp", 3000],
      ["", 1000],
    ]),
  });
  const spans = [...page.matchAll(/<span data-i="(\d)"(?: class="(\w+)")? style="--s:([\d.]+)%">([^<]*)<\/span>/g)];
  expect(spans.map(([, i, name, surprise, text]) => [i, name, surprise, text])).toEqual([
    ["0", "prompt", "0", "T"],
    ["1", "prompt", ((Math.log(4) / Math.log(1000)) * 100).toFixed(1), "&lt;"],
    ["2", undefined, ((-Math.log(0.9) / Math.log(1000)) * 100).toFixed(1), "&lt;/script>"],
    ["3", undefined, "100.0", "↵\n"],
    ["4", "blank", "0.0", "·"],
  ]);
  expect(page).toContain("runs/&lt;m>, step 7; seed 1.");
  expect(page).toContain('<td>blocks/mlp</td><td class="r">3.00 k</td><td class="r">75.0 %</td>');
  expect(page).not.toMatch(/https?:|src=|href=/);
  expect(page.match(/<\/script>/g)).toHaveLength(1);
  const data = JSON.parse(inflateRawSync(Buffer.from(/DATA = "([^"]*)"/.exec(page)![1]!, "base64")).toString());
  expect(data.texts.join("")).toBe("T<</script>\n");
  expect(data.attention["blocks/attention"]).toMatchObject({ layers: 1, heads: 1, rows: ["/wA=", "/wA=", "/wA="] });
  expect(data.activations.head).toHaveLength(3);
});

test("a generation that was ended before its first token has a page all the same", () => {
  expect(tracePage([], subject)).toContain("No token was generated.");
});

test("without operations or modules their parts are left out, and that no attention is shown is explained", () => {
  const page = tracePage([prompt, { ...token(2, "a", 1), attention: {}, activations: {} }], subject);
  expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, name]) => name)).toEqual(["Text", "Attention"]);
  expect(page).toContain("None of the modules that were looked into shows what it attends to.");
  expect(page).not.toContain("<select");
});
