/** What pages that commands write have in common: one HTML file that fetches nothing, light or dark as the reader has it. */

export const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** Colours that are told apart with any kind of colour vision, as CSS classes of the page (Okabe and Ito, jfly.uni-koeln.de/color). */
export const COLOURS = ["#0072b2", "#56b4e9", "#e69f00", "#d55e00", "#009e73", "#999999"];

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --line: #e0e1e6; --back: #fcfcfd; --card: #f2f3f5 }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a0a4ab; --line: #363a3f; --back: #111113; --card: #1d1f22 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2.5rem auto; max-width: 62rem; padding: 0 1.25rem; color: var(--ink); background: var(--back) }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem } p { margin: .25rem 0; color: var(--soft) }
.facts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 }
.facts div { background: var(--card); border-radius: .5rem; padding: .6rem 1rem; min-width: 7rem }
.facts b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums } .facts span { color: var(--soft); font-size: .85rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; margin: .5rem 0 }
th { color: var(--soft); font-weight: 500 } th, td { padding: .3rem .75rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap }
.r { text-align: right }
svg { display: block; width: 100%; height: auto; margin-top: .5rem } svg text { font: 12px system-ui, sans-serif; fill: var(--ink) }
svg .soft { fill: var(--soft) } svg .grid { stroke: var(--line) }
${COLOURS.map((colour, i) => `.c${i} { fill: ${colour}; background: ${colour}; stroke: none }`).join(" ")}`;

/** A page of a title, styles of its own, and what stands below the title, as HTML. */
export const htmlPage = (title: string, style: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}
${style}
</style>
<h1>${escape(title)}</h1>
${body}
</html>
`;

/** What matters most: values, each with what it is of. */
export const facts = (all: readonly (readonly [value: string, name: string])[]): string =>
  `<div class="facts">${all.map(([value, name]) => `<div><b>${escape(value)}</b><span>${escape(name)}</span></div>`).join("")}</div>`;
