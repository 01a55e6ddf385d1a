/** What draws a trace's pictures in the reader's browser: plain JavaScript over DATA, which the page holds deflated. */
export const SCRIPT = String.raw`
(async () => {
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const inflated = new Blob([bytes(DATA)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
const data = await new Response(inflated).json();
const $ = (id) => document.getElementById(id);
const spans = [...$("text").children];
const start = data.prompt.length;
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const [r, g, b] = dark ? [86, 180, 233] : [0, 114, 178];
const number = (x, digits = 3) => x === null || x === undefined ? "?" : x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(digits)));
const element = (tag, props = {}, ...children) => { const e = Object.assign(document.createElement(tag), props); e.append(...children); return e; };
const shown = (text) => JSON.stringify(text).slice(1, -1).replaceAll(" ", "␣");

// Pixels by a function of row and column to 0..1.
const paint = (canvas, rows, columns, value) => {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) image.data.set([r, g, b, 255 * value(y, x)], 4 * (y * columns + x));
  context.putImageData(image, 0, 0);
};
const placeIn = (canvas, event) => {
  const box = canvas.getBoundingClientRect();
  const along = (at, size, n) => Math.min(n - 1, Math.max(0, Math.floor(at / size * n)));
  return [along(event.clientY - box.top, box.height, canvas.height), along(event.clientX - box.left, box.width, canvas.width)];
};

let chosen = start, head;
const modules = data.attention;
const module = () => modules[$("module").value];
for (const m of Object.values(modules)) m.rows = m.rows.map(bytes);
const columns = data.texts.length - 1;
// The root of the weight of a head on a token, 0..1, as a generated token was found.
const weight = (m, layer, h, i, position) => {
  const { first, position: end } = data.tokens[i];
  const length = end - first;
  if (position < first || position >= end) return 0;
  return m.rows[i][(layer * m.heads + h) * length + position - first] / 255;
};

const row = (name, value) => [element("dt", {}, name), element("dd", {}, value)];
function show() {
  spans.forEach((span, i) => span.classList.toggle("on", i === chosen));
  const token = data.tokens[chosen - start];
  const { id, probability } = token ?? data.prompt[chosen];
  const list = element("dl", {}, ...row("token", shown(data.texts[chosen]) + "  (" + id + ")"), ...row("position", String(chosen)), ...row("probability", number(probability)));
  const bars = element("div");
  if (token) {
    list.append(...row("rank", String(token.rank)), ...row("entropy", number(token.entropy) + " nats"), ...row("time", number(token.seconds * 1e3) + " ms"));
    if (token.first > 0) list.append(...row("found from", token.first + " to " + (token.position - 1)));
    const all = token.top.some((t) => t.id === id) ? token.top : [...token.top, { id, text: data.texts[chosen], probability }];
    for (const t of all)
      bars.append(element("div", { className: t.id === id ? "bar on" : "bar" }, element("code", { title: String(t.id) }, shown(t.text)), element("i", { style: "width:" + 100 * t.probability + "%" }), number(t.probability)));
  } else bars.append(element("p", { className: "note" }, "A token of the prompt: nothing was generated here."));
  $("token").replaceChildren(list, bars);
  shade();
  if (head) enlarge();
}

// The text by the weights of the chosen head; without one, by its chances.
function shade() {
  const seen = head !== undefined && chosen >= start;
  $("text").classList.toggle("seen", seen);
  if (seen) spans.forEach((span, i) => span.style.setProperty("--a", 85 * weight(module(), ...head, chosen - start, i) + "%"));
}

function heads() {
  const m = module();
  const grid = $("heads");
  grid.style.gridTemplateColumns = "auto repeat(" + m.heads + ", minmax(5rem, 1fr))";
  grid.replaceChildren();
  for (let layer = 0; layer < m.layers; layer++) {
    grid.append(element("div", {}, m.layers > 1 ? "layer " + layer : ""));
    for (let h = 0; h < m.heads; h++) {
      const canvas = element("canvas", { title: "layer " + layer + ", head " + h });
      paint(canvas, data.tokens.length, columns, (i, x) => weight(m, layer, h, i, x));
      canvas.style.aspectRatio = Math.max(1, Math.min(3, columns / data.tokens.length));
      canvas.onclick = () => {
        const again = head && head[0] === layer && head[1] === h;
        head = again ? undefined : [layer, h];
        for (const c of grid.querySelectorAll("canvas")) c.classList.toggle("on", c === canvas && !again);
        $("large").hidden = again === true;
        $("where").textContent = "";
        shade();
        if (head) enlarge();
      };
      grid.append(canvas);
    }
  }
}

function enlarge() {
  const large = $("large");
  const [layer, h] = head;
  paint(large, data.tokens.length, columns, (i, x) => weight(module(), layer, h, i, x));
  large.style.aspectRatio = Math.max(1, columns / data.tokens.length);
  const i = chosen - start;
  if (i >= 0) { const c = large.getContext("2d"); c.fillStyle = "rgba(213,94,0,.25)"; c.fillRect(0, i, columns, 1); }
  const entropy = i >= 0 ? module().entropies[i][layer][h] : undefined;
  $("where").textContent = "Layer " + layer + ", head " + h + (i >= 0 ? ": entropy " + number(entropy) + " nats at the chosen token, whose row is orange." : ".");
}

function maps() {
  const map = $("map");
  const key = $("number").value;
  map.replaceChildren();
  for (const [path, all] of Object.entries(data.activations)) {
    const values = all.map((numbers) => numbers[key]);
    const known = values.flat().filter((x) => x !== null);
    const [least, most] = [Math.min(...known), Math.max(...known)];
    const canvas = element("canvas", { title: path });
    const layers = values[0].length;
    paint(canvas, layers, values.length, (layer, i) => values[i][layer] === null ? 1 : (values[i][layer] - least) / (most - least || 1) * .92 + .08);
    canvas.style.height = Math.max(14, Math.min(8 * layers, 96)) + "px";
    canvas.onmousemove = (event) => { const [layer, i] = placeIn(canvas, event); canvas.title = path + (layers > 1 ? ", layer " + layer : "") + ", token " + data.tokens[i].position + " " + shown(data.texts[start + i]) + ": " + number(values[i][layer], 4); };
    canvas.onclick = (event) => { chosen = start + placeIn(canvas, event)[1]; show(); };
    map.append(element("span", { title: path }, path), canvas, element("span", {}, number(least) + " to " + number(most)));
  }
}

spans.forEach((span, i) => { span.onclick = () => { chosen = i; show(); }; });
spans.slice(start).forEach((span, i) => { const t = data.tokens[i]; span.title = t.top.map((o) => shown(o.text) + "  " + number(o.probability)).join("\n"); });
addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || event.target.tagName === "SELECT") return;
  chosen = Math.min(spans.length - 1, Math.max(0, chosen + step));
  event.preventDefault();
  show();
});
if ($("module")) {
  $("module").onchange = () => { head = undefined; $("large").hidden = true; $("where").textContent = ""; heads(); shade(); };
  heads();
  $("large").onclick = (event) => { chosen = start + placeIn($("large"), event)[0]; show(); };
  $("large").onmousemove = (event) => { const [i, x] = placeIn($("large"), event); $("large").title = shown(data.texts[start + i]) + " from " + shown(data.texts[x]) + ": " + number(weight(module(), ...head, i, x) ** 2); };
}
if ($("number")) { $("number").onchange = maps; maps(); }
show();
})();
`;
