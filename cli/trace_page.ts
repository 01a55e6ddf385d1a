/** A trace as one HTML file: the text by its chances, what heads attended to, activations, time and operations. Nothing is fetched. */
import { deflateRawSync } from "node:zlib";
import type { EventOf, RuntimeEvent } from "../runtime-bridge/events.js";
import { escape, facts, htmlPage } from "./page.js";
import { count, percent, short } from "./terminal.js";
import { SCRIPT } from "./trace_script.js";

/** What a trace is written of. */
export interface TraceSubject {
  /** The model's name. */
  readonly name: string;
  /** The run's folder, and the step of its checkpoint. */
  readonly run: string;
  readonly step: number;
  /** How the tokens were chosen, in words. */
  readonly sampling: string;
  /** Floating-point operations of one run of `decode_step`, by module, where they are known. */
  readonly flops?: ReadonlyMap<string, number>;
}

type Token = EventOf<"token">;

const STYLE = `
body { max-width: 70rem }
#text { font: 15px/1.9 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border-radius: .5rem; padding: 1rem 1.25rem; margin: .75rem 0 }
#text span { border-radius: 3px; padding: .1em 0; cursor: pointer; background: color-mix(in oklab, #d55e00 var(--s), transparent) }
#text .prompt { font-weight: 600 } #text .blank { color: var(--soft) } #text span:hover { outline: 1px solid var(--soft) } #text .on { outline: 2px solid var(--ink) }
#text.seen span { background: color-mix(in oklab, var(--blue) var(--a, 0%), transparent) }
:root { --blue: #0072b2 } @media (prefers-color-scheme: dark) { :root { --blue: #56b4e9 } }
.scale { display: inline-block; width: 9rem; height: .8em; border-radius: 3px; vertical-align: -.05em; margin: 0 .5em; background: linear-gradient(90deg, transparent, #d55e00); border: 1px solid var(--line) }
#token { display: grid; grid-template-columns: 15rem 1fr; gap: 1.5rem; min-height: 9.5rem; margin: .5rem 0 } @media (max-width: 40rem) { #token { grid-template-columns: 1fr } }
#token dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; margin: 0; align-content: start } dt { color: var(--soft) } dd { margin: 0; font-variant-numeric: tabular-nums }
.bar { display: grid; grid-template-columns: 7rem 1fr 4rem; gap: .6rem; align-items: center; font-variant-numeric: tabular-nums; margin: .15rem 0 }
.bar code { text-align: right; white-space: pre; overflow: hidden; text-overflow: ellipsis } .bar i { display: block; height: .9rem; border-radius: 2px; background: var(--blue); min-width: 1px } .bar.on i { background: #d55e00 }
label { color: var(--soft); font-size: .9rem; margin-right: 1rem } select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 4px }
.heads { display: grid; gap: .5rem; margin: .75rem 0; overflow-x: auto } .heads div { font-size: .75rem; color: var(--soft); white-space: nowrap; align-self: center }
canvas { width: 100%; display: block; image-rendering: pixelated; background: var(--card); border-radius: 3px; cursor: pointer } canvas[hidden] { display: none } .heads canvas.on { outline: 2px solid var(--ink) }
#large { margin: .75rem 0; max-width: 44rem } .map { display: grid; grid-template-columns: 15rem 1fr 9rem; gap: .25rem .75rem; align-items: center; font-size: .8rem } .map span:nth-child(3n+1) { text-align: right; overflow: hidden; text-overflow: ellipsis } .map span { color: var(--soft); font-variant-numeric: tabular-nums }
svg rect { fill: var(--blue) } td i { display: block; height: .8rem; background: var(--blue); border-radius: 2px } td:last-child { width: 45% }
.note { font-size: .85rem }`;

/** The page of a generation's events. */
export function tracePage(events: readonly RuntimeEvent[], subject: TraceSubject): string {
  const { name, run, step, sampling, flops } = subject;
  const prompt = events.find((event) => event.event === "prompt")?.tokens ?? [];
  const tokens = events.filter((event) => event.event === "token");
  const about = `<p>${escape(`${run}, step ${count(step)}; ${sampling}.`)}</p>`;
  if (tokens.length === 0) return htmlPage(`How ${name} wrote`, STYLE, `${about}<p>No token was generated.</p>`);
  const parts = [
    about,
    summary(tokens),
    `<h2>Text</h2>
<p>The more orange, the less the model expected the token<span class="scale"></span>The prompt is bold. Click a token for what else it could have been, and arrow keys to go on.</p>
<div id="text">${[...prompt.map(promptSpan), ...tokens.map((token, i) => tokenSpan(token, prompt.length + i))].join("")}</div>
<div id="token"></div>`,
    attention(tokens),
    activations(tokens),
    ...(tokens.length > 1 ? [time(tokens.slice(1))] : []),
    ...(flops === undefined ? [] : [work(flops)]),
    `<script>const DATA = "${packed(prompt, tokens)}";\n${SCRIPT}</script>`,
  ];
  return htmlPage(`How ${name} wrote`, STYLE, parts.join("\n"));
}

const milliseconds = (seconds: number): string => `${(seconds * 1e3).toPrecision(3)} ms`;

function summary(tokens: readonly Token[]): string {
  const mean = (of: (token: Token) => number) => tokens.reduce((sum, token) => sum + of(token), 0) / tokens.length;
  const surprise = mean(({ probability }) => -Math.log(Math.max(probability ?? 0, 1e-30)));
  const prompt = tokens[0]!.seconds;
  const times = tokens.slice(1).map(({ seconds }) => seconds);
  const median = times.sort((a, b) => a - b)[times.length >> 1];
  return facts([
    [count(tokens.length), "tokens"],
    [Math.exp(surprise).toPrecision(3), "perplexity of these tokens"],
    [`${mean(({ entropy }) => entropy ?? 0).toPrecision(3)} nats`, "entropy, mean"],
    [percent(mean(({ rank }) => (rank === 1 ? 1 : 0))), "were the likeliest"],
    [milliseconds(prompt), "until the first token"],
    ...(median === undefined ? [] : [[milliseconds(median), "each further one, median"] as const]),
  ]);
}

/** How orange a token is: its surprise, -log p, of that of one in a thousand. */
const surprised = (probability: number | null): string =>
  probability === null ? "0%" : percent(Math.min(1, -Math.log(Math.max(probability, 1e-9)) / Math.log(1000)));

const span = (index: number, text: string, classes: readonly string[], probability: number | null): string => {
  const all = [...classes, ...(text === "" ? ["blank"] : [])];
  const shown = text === "" ? "·" : text.replaceAll("\n", "↵\n");
  return `<span data-i="${index}"${all.length > 0 ? ` class="${all.join(" ")}"` : ""} style="--s:${surprised(probability).replace(" ", "")}">${escape(shown)}</span>`;
};

const promptSpan = ({ text, probability }: EventOf<"prompt">["tokens"][number], i: number): string =>
  span(i, text, ["prompt"], probability);

const tokenSpan = ({ text, probability }: Token, i: number): string => span(i, text, [], probability);

function attention(tokens: readonly Token[]): string {
  const paths = Object.keys(tokens[0]!.attention);
  if (paths.length === 0) {
    return `<h2>Attention</h2>
<p class="note">None of the modules that were looked into shows what it attends to. Dot-product attention does, unless <code>--look</code> leaves it out; hierarchical attention, which weighs several ways to its keys, does not.</p>`;
  }
  const options = paths.map((path) => `<option>${escape(path)}</option>`).join("");
  return `<h2>Attention</h2>
<p>A row for each token, downwards: what the token before it, from which it was found, attended to, from the first token at the left to the last. Click a head for its picture and to see its weights on the text above, which is blue then; click it again to go back.</p>
<p><label>Module <select id="module">${options}</select></label></p>
<div class="heads" id="heads"></div>
<canvas id="large" hidden></canvas><p id="where" class="note"></p>`;
}

function activations(tokens: readonly Token[]): string {
  const paths = Object.keys(tokens[0]!.activations);
  if (paths.length === 0) return "";
  return `<h2>Activations</h2>
<p>Of what each module gave, by layer downwards and token by token: the stronger the colour, the larger; each module on a scale of its own, from the least to the most it gave.</p>
<p><label>Number <select id="number"><option value="rms">root mean square</option><option value="mean">mean</option><option value="zeros">share of zeros</option></select></label></p>
<div class="map" id="map"></div>`;
}

/** Of tokens after the first, whose time is the prompt's. */
function time(tokens: readonly Token[]): string {
  const [width, height, left, bottom] = [960, 150, 60, 20];
  const most = Math.max(...tokens.map(({ seconds }) => seconds));
  const each = (width - left) / tokens.length;
  const grid = [0, 0.5, 1].map((part) => {
    const y = (height - bottom) * (1 - part) + 8;
    return `<line class="grid" x1="${left}" x2="${width}" y1="${y}" y2="${y}"/><text class="soft" x="${left - 6}" y="${y + 4}" text-anchor="end">${milliseconds(most * part).replace("0.00 ms", "0")}</text>`;
  });
  const bars = tokens.map(({ seconds, position, text }, i) => {
    const h = (seconds / most) * (height - bottom);
    return `<rect x="${(left + i * each).toFixed(2)}" y="${(height - bottom + 8 - h).toFixed(2)}" width="${Math.max(0.5, each - Math.min(2, each / 4)).toFixed(2)}" height="${h.toFixed(2)}"><title>${escape(`${position} ${JSON.stringify(text)}: ${milliseconds(seconds)}`)}</title></rect>`;
  });
  return `<h2>Time of a token</h2>
<p class="note">From the start of the program that found it until the token was there, without what looked for this page. A full context is read anew with its last half, which takes as long as a prompt.</p>
<svg viewBox="0 0 ${width} ${height + 4}" role="img">${grid.join("")}${bars.join("")}</svg>`;
}

function work(flops: ReadonlyMap<string, number>): string {
  const all = [...flops].filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
  const total = all.reduce((sum, [, n]) => sum + n, 0);
  const most = all[0]?.[1] ?? 1;
  const rows = all.map(
    ([path, n]) =>
      `<tr><td>${path === "" ? "(outside of modules)" : escape(path)}</td><td class="r">${short(n)}</td><td class="r">${percent(n / total)}</td><td><i style="width:${((100 * n) / most).toFixed(1)}%"></i></td></tr>`,
  );
  return `<h2>Operations of a token</h2>
<p class="note">Floating-point operations of one run of decode_step, by the module whose own call they stand in, all layers and sequences together: ${short(total)}, as the program was traced. The time of single modules is not measured here; <code>xenarc train --profile</code> does that.</p>
<table><thead><tr><th>module</th><th class="r">FLOPs</th><th class="r">share</th><th></th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

/** What the page's script draws, deflated. */
function packed(prompt: EventOf<"prompt">["tokens"], tokens: readonly Token[]): string {
  const of = <T>(all: Readonly<Record<string, unknown>>, pick: (path: string) => T) =>
    Object.fromEntries(Object.keys(all).map((path) => [path, pick(path)]));
  const { attention, activations } = tokens[0]!;
  const data = {
    texts: [...prompt, ...tokens].map(({ text }) => text),
    prompt: prompt.map(({ id, probability }) => ({ id, probability })),
    tokens: tokens.map(({ position, id, probability, rank, entropy, top, seconds, first }) => {
      return { position, id, probability, rank, entropy, top, seconds, first };
    }),
    attention: of(attention, (path) => ({
      layers: attention[path]!.layers.length,
      heads: attention[path]!.layers[0]!.length,
      rows: tokens.map((token) => token.attention[path]!.rows),
      entropies: tokens.map((token) => token.attention[path]!.layers.map((heads) => heads.map((h) => h.entropy))),
    })),
    activations: of(activations, (path) => tokens.map((token) => token.activations[path]!)),
  };
  return deflateRawSync(JSON.stringify(data), { level: 9 }).toString("base64");
}
