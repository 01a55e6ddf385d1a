import { type Bench, interleave, Peer, type Row, warmUp, withPeers } from "./harness.js";
import { trace600b, traceLlama } from "./ours.js";

/** Digits apart, the text of a deep stack may not be larger than that of a shallow one. */
const withoutDigits = (text: string): number => text.replace(/\d+/g, "").length;

export default {
  name: "trace",
  claim: "tracing, differentiating and printing a 32-layer train step is 10 times faster than JAX's trace + lower",
  run: ({ pairs }) =>
    withPeers([Peer.start("jax/llama.py", ["serve"])], async (jax): Promise<Row[]> => {
      const theirs = async () => (await (jax as Peer).ask<{ seconds: number }>("go")).seconds;
      // Both sides as a long-lived process has them: V8 has compiled ours, JAX has imported and cached what it keeps.
      for (let i = 0; i < warmUp; i++) await traceLlama({ locations: true });
      for (let i = 0; i < 2; i++) await theirs();
      const plain = await interleave(pairs, () => traceLlama({ locations: false }), theirs);
      const located = await interleave(pairs, () => traceLlama({ locations: true }), theirs);
      const deep = await trace600b(96);
      // Three, because a loop of two has a constant less: its trip count is a number that the program has anyway.
      const shallow = await trace600b(3);
      return [
        { what: "Llama-shaped step, 32 layers", unit: "s", limit: 0.1, ...plain },
        // JAX's text has no locations: a figure, no claim.
        { what: "the same, locations printed too", unit: "s", ...located },
        { what: "600b configuration", unit: "s", ours: deep.seconds, limit: 1 },
        {
          what: "600b text, 96 layers against 3",
          unit: "",
          ours: withoutDigits(deep.text) / withoutDigits(shallow.text),
          limit: 1,
        },
      ];
    }),
} satisfies Bench;
