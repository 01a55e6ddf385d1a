/** A plan as one HTML file: the table, where memory goes, what the time is spent on, what was assumed. Nothing is fetched. */
import type { Chip } from "../compiler/plan/chips.js";
import { COLOURS, escape, facts, htmlPage } from "./page.js";
import {
  boundName,
  columns,
  gib,
  keptName,
  MEMORY,
  meshName,
  notes,
  type Plan,
  percent,
  type Row,
  type Scaled,
  TIME,
  time,
} from "./plan_text.js";
import { count, duration, short } from "./terminal.js";

const STYLE = `
td.text { white-space: normal } .wide tbody tr:first-child td { font-weight: 600 }
pre { background: var(--card); border-radius: .5rem; padding: .75rem 1rem; white-space: pre-wrap; font-size: .85rem }
.legend { font-size: .85rem } .legend i { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; border-radius: 2px } .legend i:first-child { margin-left: 0 }
svg .limit { stroke: var(--ink); stroke-dasharray: 4 3 }
polyline { fill: none; stroke: ${COLOURS[0]}; stroke-width: 2 }`;

export function page(plan: Plan): string {
  const { target, rows } = plan;
  const chip = target.chip!;
  const title = `${plan.name} on ${target.name}`;
  const what = plan.mode === "train" ? "a train step" : "decoding one token of every sequence";
  const about = `${count(target.devices)} devices (${chip.title}, ${gib(chip.usable)} for a program). ${count(plan.considered)} ways to run ${what} on them were judged in ${duration(plan.seconds)}.`;
  const body = `<p>${escape(about)}</p>
${plan.instead ? unfit(plan) : first(plan)}
<h2>Candidates</h2>
${rowsTable(plan)}
${notes(plan)
  .map((note) => `<p>${escape(note)}</p>`)
  .join("\n")}
<h2>Memory of a device</h2>
${legend(MEMORY.map(([, name]) => name))}
${memoryChart(rows, chip)}
<h2>Time of ${plan.mode === "train" ? "a step" : "a token"}</h2>
<p>What each would take alone. It takes at least the longest.</p>
${legend(TIME.map(([, name]) => name))}
${timeChart(rows)}
${plan.scaling && plan.scaling.length > 0 ? `<h2>Scaling</h2>\n<p>The best of pods of other sizes, for the same batch: tokens/s of a chip, of what the first has.</p>\n${scalingChart(plan.scaling)}` : ""}
<h2>What is assumed</h2>
${assumptions(chip)}`;
  return htmlPage(title, STYLE, body);
}

/** What matters most, of the best candidate. */
function first({ rows, run, settings, mode }: Plan): string {
  const { estimate, mfu, tokensPerSecond, batch } = rows[0]!;
  const known: (readonly [string, string])[] = [
    [gib(estimate.memory.total), "of a device's memory"],
    [time(estimate.step), mode === "train" ? "a step, at least" : "a token, at least"],
    [short(tokensPerSecond), "tokens/s, at most"],
    mode === "train" ? [percent(mfu), "MFU, at most"] : [count(batch), "sequences at once"],
    [boundName(estimate), "is the bound"],
  ];
  if (run) {
    known.push([`${run.days.toFixed(1)} days`, `for ${short(run.tokens)} tokens, at least`]);
    if (run.price !== undefined)
      known.push([`$${count(Math.round(run.dollars))}`, `at $${run.price} a chip-hour, at least`]);
  }
  return `${facts(known)}\n<pre>${escape(settings.join(" "))}</pre>`;
}

function unfit({ rows, instead }: Plan): string {
  const least = rows[0] ? gib(rows[0].estimate.memory.total) : "more";
  const would = instead!.length > 0 ? instead!.join("; ") : "neither a larger pod of this kind nor a shorter context";
  return `<div class="facts"><div><b>It does not fit</b><span>${least} a device at the least. What would: ${escape(would)}</span></div></div>`;
}

function rowsTable(plan: Plan): string {
  const shown = columns(plan);
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((text, i) => `<${tag}${shown[i]!.align ? ' class="r"' : ""}>${escape(text)}</${tag}>`).join("")}</tr>`;
  const head = line(
    "th",
    shown.map((column) => column.head),
  );
  const body = plan.rows.map((row) =>
    line(
      "td",
      shown.map((column) => column.cell(row)),
    ),
  );
  return `<div class="wide"><table><thead>${head}</thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

const legend = (names: readonly string[]): string =>
  `<p class="legend">${names.map((name, i) => `<i class="c${i}"></i>${name}`).join("")}</p>`;

const WIDTH = 960;
const LEFT = 300;
const RIGHT = 90;
const ROW = 26;
const TOP = 20;

/** A chart with a labelled row for each candidate over a common scale. */
function chart(
  rows: readonly Row[],
  most: number,
  unit: (n: number) => string,
  bars: (row: Row, y: number, scale: number) => string,
  height = ROW,
): string {
  const scale = (WIDTH - LEFT - RIGHT) / (most || 1);
  const bottom = TOP + rows.length * height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const x = (LEFT + part * most * scale).toFixed(1);
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${bottom}"/><text class="soft" x="${x}" y="12" text-anchor="middle">${unit(part * most)}</text>`;
  });
  const lines = rows.map((row, i) => {
    const y = TOP + i * height;
    const label = `${meshName(row.mesh)}, ${row.accumulation > 1 ? `${row.accumulation} x, ` : ""}${keptName(row)}`;
    const name = `<text x="${LEFT - 8}" y="${y + height / 2 + 4}" text-anchor="end">${escape(label)}</text>`;
    return name + bars(row, y, scale);
  });
  return `<svg viewBox="0 0 ${WIDTH} ${bottom + 4}" role="img">${grid.join("")}${lines.join("\n")}</svg>`;
}

const rect = (x: number, y: number, width: number, height: number, colour: number, title: string): string =>
  `<rect class="c${colour}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}"><title>${escape(title)}</title></rect>`;

function memoryChart(rows: readonly Row[], { usable }: Chip): string {
  const most = Math.max(usable, ...rows.map((row) => row.estimate.memory.total));
  const stacked = (row: Row, y: number, scale: number) => {
    let x = LEFT;
    const parts = MEMORY.map(([key, name], i) => {
      const size = row.estimate.memory[key];
      const part = rect(x, y + 4, size * scale, ROW - 8, i, `${name}: ${gib(size)}`);
      x += size * scale;
      return part;
    });
    const { memory } = row.confirmed ?? {};
    const at = memory === undefined ? undefined : (LEFT + memory * scale).toFixed(1);
    const mark =
      at === undefined ? "" : `<line class="limit" x1="${at}" x2="${at}" y1="${y + 1}" y2="${y + ROW - 1}"/>`;
    return `${parts.join("")}${mark}<text x="${(x + 6).toFixed(1)}" y="${y + 17}">${gib(row.estimate.memory.total)}</text>`;
  };
  const asked = rows.some((row) => row.confirmed?.memory);
  const note = asked ? "<p>Dashed: what the compiler says.</p>" : "";
  return `${chart(rows, most, gib, stacked)}${note}<p>The scale ends at ${most === usable ? "what a program can have" : "the largest candidate"}.</p>`;
}

function timeChart(rows: readonly Row[]): string {
  const used = TIME.map(([key, name], i) => ({ key, name, i })).filter(({ key }) =>
    rows.some((row) => row.estimate[key] > 0),
  );
  const height = 8 * used.length + 10;
  const beside = (row: Row, y: number, scale: number) =>
    used
      .map(({ key, name, i }, k) => {
        const seconds = row.estimate[key];
        return rect(LEFT, y + 5 + 8 * k, seconds * scale, 7, i, `${name}: ${time(seconds)}`);
      })
      .join("") +
    `<text x="${(LEFT + row.estimate.step * scale + 6).toFixed(1)}" y="${y + height / 2 + 4}">${time(row.estimate.step)}</text>`;
  return chart(rows, Math.max(...rows.map((row) => row.estimate.step)), time, beside, height);
}

function scalingChart(scaling: readonly Scaled[]): string {
  const [height, step] = [180, (WIDTH - LEFT - RIGHT) / Math.max(1, scaling.length - 1)];
  const most = Math.max(1, ...scaling.map(({ efficiency }) => efficiency));
  const at = ({ efficiency }: Scaled, i: number) => [
    60 + i * step,
    TOP + (1 - efficiency / most) * (height - TOP - 20),
  ];
  const points = scaling.map((s, i) =>
    at(s, i)
      .map((n) => n.toFixed(1))
      .join(),
  );
  const marks = scaling.map((s, i) => {
    const [x, y] = at(s, i) as [number, number];
    return `<circle class="c0" cx="${x}" cy="${y}" r="4"/><text x="${x}" y="${y - 9}" text-anchor="middle">${percent(s.efficiency)}</text><text class="soft" x="${x}" y="${height}" text-anchor="middle">${count(s.chips)} chips, ${short(s.tokensPerSecond)}/s</text>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height + 6}" role="img"><polyline points="${points.join(" ")}"/>${marks.join("")}</svg>`;
}

/** The figures that times are reckoned with, of a device, and how. */
function assumptions(chip: Chip): string {
  const { interconnect, devices } = chip;
  const links =
    interconnect.dimensions === 0
      ? "through a switch"
      : `torus of ${interconnect.dimensions} dimensions; a collective uses both directions of one`;
  const rate = (n: number) => `${short(n)}B/s`;
  const cloud = "Google Cloud's pages of this generation";
  const vendor = chip.platform === "tpu" ? cloud : "NVIDIA's data sheet";
  const figures: (readonly [string, string, string])[] = [
    ["memory", gib(chip.usable), chip.platform === "tpu" ? "libtpu: what it leaves to a program" : vendor],
    ["computing", `${short(chip.flops.bf16)}FLOP/s in bf16`, vendor],
    ["memory bandwidth", rate(chip.hbmBandwidth), vendor],
    [
      "interconnect",
      `${rate(interconnect.link / devices)} a link, ${links}`,
      `${vendor}; jax-ml.github.io/scaling-book`,
    ],
    ["host link", rate(chip.hostLink / devices), "jax-ml.github.io/scaling-book; PCIe for GPUs"],
    ...(chip.network === undefined
      ? []
      : [["between slices", rate(chip.network / devices), `${vendor}; jax-ml.github.io/scaling-book`] as const]),
  ];
  const rows = figures.map((cells) => `<tr>${cells.map((c) => `<td class="text">${escape(c)}</td>`).join("")}</tr>`);
  return `<p>Of a device. Products of matrices run at the peak, every pass over memory at full bandwidth, and all overlap: real steps are slower.
Memory is what is alive at once in the program as it was traced, fused as XLA does; docs/planning.md says how far that is from the compiler's.</p>
<table><thead><tr><th>figure</th><th>value</th><th>source</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}
