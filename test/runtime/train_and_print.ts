/** Trains and prints a word per event: the process that the Ctrl-C test interrupts. */
import { train } from "../../runtime-bridge/bridge.js";

const [artifact = "", run = "", data = ""] = process.argv.slice(2);
const done = await train({ artifact, run, data }, (event) => {
  if (event.event === "progress") console.log(`progress ${event.step}`);
});
console.log(`done ${done.step} ${done.interrupted ? "interrupted" : "whole"}`);
