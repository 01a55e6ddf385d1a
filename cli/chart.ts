/** The loss curve in the terminal: a line of braille dots for training, a mark for each validation. */

/** A point: step and loss. */
export type Point = readonly [step: number, loss: number];

const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** Draws the two curves into `width` x `height` characters, the axes' labels included. */
export function chart(training: readonly Point[], validation: readonly Point[], width: number, height = 12): string[] {
  const points = [...training, ...validation].filter(([, y]) => Number.isFinite(y));
  if (points.length < 2) return [];
  const range = (values: number[]) => [Math.min(...values), Math.max(...values)] as const;
  const [x0, x1] = range(points.map(([x]) => x));
  const [y0, y1] = range(points.map(([, y]) => y));
  const rows = height - 1;
  const label = (row: number) => (y1 - ((y1 - y0) * row) / (rows - 1)).toFixed(2);
  const margin = Math.max(label(0).length, label(rows - 1).length);
  const cells = Math.max(10, width - margin - 2);
  const grid = Array.from({ length: rows }, () => new Array<number>(cells).fill(0));
  const marks = new Set<number>();
  /** The dot of a point: two in a character's width, four in its height. */
  const dot = ([x, y]: Point) =>
    [
      Math.round(((x - x0) / (x1 - x0 || 1)) * (cells * 2 - 1)),
      Math.round(((y1 - y) / (y1 - y0 || 1)) * (rows * 4 - 1)),
    ] as const;

  let last: readonly [number, number] | undefined;
  for (const [x, y] of training.filter(([, y]) => Number.isFinite(y)).map(dot)) {
    const [fromX, fromY] = last ?? [x, y];
    const length = Math.max(Math.abs(x - fromX), Math.abs(y - fromY), 1);
    for (let i = 0; i <= length; i++) {
      const dx = Math.round(fromX + ((x - fromX) * i) / length);
      const dy = Math.round(fromY + ((y - fromY) * i) / length);
      grid[dy >> 2]![dx >> 1]! |= DOTS[dy & 3]![dx & 1]!;
    }
    last = [x, y];
  }
  for (const [x, y] of validation.filter(([, y]) => Number.isFinite(y)).map(dot)) {
    marks.add((y >> 2) * cells + (x >> 1));
  }
  const lines = grid.map((row, r) => {
    const line = row.map((bits, c) =>
      marks.has(r * cells + c) ? "●" : bits ? String.fromCharCode(0x2800 + bits) : " ",
    );
    const tick = r % 5 === 0 || r === rows - 1 ? `${label(r).padStart(margin)} ┤` : `${" ".repeat(margin)} │`;
    return (tick + line.join("")).trimEnd();
  });
  const end = `step ${x1}`;
  const legend = validation.length > 0 ? "─ training  ● validation" : "";
  const gap = Math.max(1, cells - String(x0).length - end.length - legend.length);
  const left = Math.floor(gap / 2);
  return [...lines, `${" ".repeat(margin + 2)}${x0}${" ".repeat(left)}${legend}${" ".repeat(gap - left)}${end}`];
}
