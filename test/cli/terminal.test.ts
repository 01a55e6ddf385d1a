/** Numbers, tables and the curve, as they stand in a terminal. */
import { chart, type Point } from "../../cli/chart.js";
import { bytes, count, duration, short, table } from "../../cli/terminal.js";

test("numbers as people read them", () => {
  expect([0, 999, 1000, 86_987_071_744].map(count)).toEqual(["0", "999", "1,000", "86,987,071,744"]);
  expect([0, 12.4, 999, 1000, 999_999, 1.234e9, 4.2e18, 4.2e22].map(short)).toEqual([
    "0",
    "12",
    "999",
    "1.00 k",
    "1.00 M",
    "1.23 G",
    "4.20 E",
    "4.20e+4 E",
  ]);
  expect([12, 1_000, 198_000].map(bytes)).toEqual(["12 B", "1.00 kB", "198 kB"]);
  expect([0.04, 9.96, 59.6, 3599, 4000].map(duration)).toEqual([
    "0.0 s",
    "10 s",
    "1 min 0 s",
    "59 min 59 s",
    "1 h 6 min",
  ]);
});

test("a table", () => {
  expect(
    table(
      [
        ["name", "n"],
        ["a", "10"],
        ["bcd", "9"],
      ],
      "lr",
    ),
  ).toEqual(["  name   n", "  a     10", "  bcd    9"]);
});

describe("the curve", () => {
  const training: Point[] = Array.from({ length: 100 }, (_, i) => [i + 1, 1 + 4 * Math.exp(-i / 15)]);
  const validation: Point[] = [25, 50, 75, 100].map((step) => [step, 1.2 + 4 * Math.exp(-step / 15)]);

  test("falls", () => {
    expect(`\n${chart(training, validation, 60).join("\n")}\n`).toMatchInlineSnapshot(`
"
5.00 ┤⢣
     │ ⢇
     │ ⠈⢆
     │  ⠈⢆
     │    ⠱⡀
3.00 ┤     ⠘⢄
     │      ⠈⠢⡀
     │        ⠈⠢⣀
     │           ⠉⠢●⡀
     │              ⠈⠑⠢⠤⢄⣀⡀     ●
1.01 ┤                    ⠈⠉⠉⠒⠒⠒⠒⠤⠤⠤⠤⠤⠤⠤⠤⢄⣀⣀⣀⣀●⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀●
      1          ─ training  ● validation           step 100
"
`);
  });
  test("fits its width, whatever that is", () => {
    for (const width of [40, 72, 100]) {
      for (const line of chart(training, validation, width)) expect(line.length).toBeLessThanOrEqual(width);
    }
  });
  test("may be flat, or have holes", () => {
    expect(
      chart(
        [
          [1, 2],
          [2, 2],
        ],
        [],
        40,
      )[0],
    ).toContain("2.00 ┤");
    expect(
      chart(
        [
          [1, 3],
          [2, Number.NaN],
          [3, 1],
        ],
        [],
        40,
      ),
    ).toHaveLength(12);
  });
  test("is nothing for less than two points", () => {
    expect(chart([[1, 2]], [], 40)).toEqual([]);
    expect(chart([], [], 40)).toEqual([]);
  });
});
