/** A plan as one HTML file: the table, where memory goes, what the time is spent on. Nothing is fetched. */
import { gib, meshName, type Plan, type Row, rematName, time } from "./plan_text.js";
import { duration, short } from "./terminal.js";

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const MEMORY = [
  ["parameters", "#4269d0"],
  ["optimizer", "#97bbf5"],
  ["gradients", "#efb118"],
  ["activations", "#ff725c"],
  ["rest", "#9c6b4e"],
  ["code", "#9498a0"],
] as const;
const TIME = [
  ["compute", "computing", "#4269d0"],
  ["traffic", "memory traffic", "#efb118"],
  ["network", "interconnect", "#ff725c"],
] as const;

const WIDTH = 640;
const LEFT = 220;
const BAR = 20;

export function page(plan: Plan, mode: "train" | "decode"): string {
  const { target } = plan;
  const title = `${plan.name} on ${target.name}`;
  const summary = plan.instead
    ? `It does not fit on any mesh of this pod. ${plan.instead.length > 0 ? `What would: ${plan.instead.join("; ")}.` : ""}`
    : `${plan.considered} candidates in ${duration(plan.seconds)}. ${target.devices} devices of ${gib(target.chip!.usable)}.`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escape(title)}</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd }
svg { display: block; max-width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: #222 }
i { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; border-radius: 2px }
</style>
<h1>${escape(title)}</h1>
<p>${escape(summary)}</p>
${tableOf(plan.rows, mode)}
<h2>Memory of a device</h2>
<p>${MEMORY.map(([name, colour]) => legend(name, colour)).join("")}; the line is what a program can have.</p>
${bars(plan.rows, (row) => MEMORY.map(([name, colour]) => [row.estimate.memory[name], colour]), gib, target.chip!.usable)}
<h2>Time of a step, at least</h2>
<p>${TIME.map(([, name, colour]) => legend(name, colour)).join("")}: each alone; a step takes at least the longest.</p>
${TIME.map(([key, , colour]) => bars(plan.rows, (row) => [[row.estimate[key], colour]], time, undefined, Math.max(...plan.rows.map((row) => row.estimate.step)))).join("\n")}
</html>
`;
}

const legend = (name: string, colour: string): string => `<i style="background:${colour}"></i>${name}`;

function tableOf(rows: readonly Row[], mode: "train" | "decode"): string {
  const cells = rows.map((row) => [
    meshName(row.mesh),
    mode === "train" ? rematName(row.remat) : `batch ${row.batch}`,
    mode === "train" ? `${row.accumulation} x ${row.batch / row.accumulation}` : "",
    gib(row.estimate.memory.total),
    row.confirmed?.memory === undefined ? "" : gib(row.confirmed.memory),
    time(row.estimate.step),
    short(row.tokensPerSecond),
    `${(100 * row.mfu).toFixed(1)} %`,
    row.estimate.bound,
  ]);
  const line = (tag: string, texts: readonly string[]) =>
    `<tr>${texts.map((text) => `<${tag}>${escape(text)}</${tag}>`).join("")}</tr>`;
  const head = [
    "mesh",
    mode === "train" ? "remat" : "batch",
    "micro-batches",
    "memory",
    "compiler's",
    "step",
    "tokens/s",
    "MFU",
    "bound",
  ];
  return `<table>${line("th", head)}${cells.map((c) => line("td", c)).join("")}</table>`;
}

/** A row of stacked bars for each candidate, all to one scale. */
function bars(
  rows: readonly Row[],
  parts: (row: Row) => readonly (readonly [number, string])[],
  unit: (n: number) => string,
  limit?: number,
  most = Math.max(limit ?? 0, ...rows.map((row) => parts(row).reduce((n, [size]) => n + size, 0))),
): string {
  const scale = (WIDTH - 100) / (most || 1);
  const lines = rows.map((row, i) => {
    const y = i * (BAR + 6);
    let x = LEFT;
    const rects = parts(row).map(([size, colour]) => {
      const width = size * scale;
      const rect = `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`;
      x += width;
      return rect;
    });
    const total = parts(row).reduce((n, [size]) => n + size, 0);
    const name = `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escape(meshName(row.mesh))}</text>`;
    return `${name}${rects.join("")}<text x="${(x + 6).toFixed(1)}" y="${y + 15}">${unit(total)}</text>`;
  });
  const height = rows.length * (BAR + 6);
  const at = limit === undefined ? "" : LEFT + limit * scale;
  const line =
    at === ""
      ? ""
      : `<line x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="0" y2="${height}" stroke="#222" stroke-dasharray="4"/>`;
  return `<svg viewBox="0 0 ${LEFT + WIDTH} ${height}" width="${LEFT + WIDTH}" height="${height}" role="img">${lines.join("")}${line}</svg>`;
}
