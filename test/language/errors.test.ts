/** What authors are told: every mistake's message with the code frame at their line. */
import { XenarcError } from "../../compiler/errors.js";
import { render } from "../../compiler/source/render.js";
import { traceProgram } from "../../compiler/trace.js";
import { mistakes, unfinished } from "./mistakes.js";

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof XenarcError) return `\n${render(error, { colour: false })}\n`;
    throw error;
  }
  throw new Error("nothing was wrong");
}

test.each(Object.keys(mistakes))("%s", (name) => {
  expect(message(() => traceProgram("test", {}, () => ({ result: mistakes[name]!() })))).toMatchSnapshot();
});

test("a tensor operation outside of a program", () => {
  expect(message(unfinished)).toMatchSnapshot();
});
