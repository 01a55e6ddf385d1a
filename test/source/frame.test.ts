import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeFrame } from "../../compiler/source/frame.js";

const file = join(mkdtempSync(join(tmpdir(), "frame-")), "model.ts");
writeFileSync(
  file,
  Array.from({ length: 12 }, (_, i) =>
    i === 10 ? "\tconst scores = dot(q, k);" : `const line${i + 1} = ${i + 1};`,
  ).join("\r\n"),
);

test("shows two lines either side, the line marked, a caret with the message", () => {
  expect(codeFrame(file, 5, 7, "this one", false)).toBe(
    [
      "  3 | const line3 = 3;",
      "  4 | const line4 = 4;",
      "> 5 | const line5 = 5;",
      "    |       ^ this one",
      "  6 | const line6 = 6;",
      "  7 | const line7 = 7;",
    ].join("\n"),
  );
});

test("numbers are aligned, tabs stay tabs, the file's end ends the frame", () => {
  expect(codeFrame(file, 11, 17, "", false)).toBe(
    [
      "   9 | const line9 = 9;",
      "  10 | const line10 = 10;",
      "> 11 | \tconst scores = dot(q, k);",
      "     | \t               ^",
      "  12 | const line12 = 12;",
    ].join("\n"),
  );
});

test("without a column no caret is drawn; the first line has nothing above", () => {
  expect(codeFrame(file, 1, undefined, "", false)).toBe(
    ["> 1 | const line1 = 1;", "  2 | const line2 = 2;", "  3 | const line3 = 3;"].join("\n"),
  );
});

test("colours mark the line", () => {
  expect(codeFrame(file, 1, 1, "", true)).toContain("\x1b[31m> 1 |\x1b[39m const line1 = 1;");
});

test("a file or a line that does not exist gives nothing", () => {
  expect(codeFrame("/nowhere/model.ts", 1, 1)).toBe("");
  expect(codeFrame(file, 99, 1)).toBe("");
});
