/** `xenarc inspect`: what an artifact holds. */
import { deviceCount, localShape, type Mesh } from "../../compiler/mesh.js";
import { readManifest, readProgram } from "../../emit/artifact.js";
import type { Manifest, Port, Program } from "../../emit/manifest.js";
import type { EventOf } from "../../runtime-bridge/events.js";
import { requireArtifact } from "../project.js";
import { bytes, columns, count, paint, table } from "../terminal.js";

export interface InspectCommandOptions {
  readonly memory?: boolean;
  readonly shardings?: boolean;
  readonly json?: boolean;
}

type Memory = EventOf<"compiled">["memory"];

export async function inspectCommand(path: string, options: InspectCommandOptions): Promise<void> {
  const artifact = requireArtifact(path);
  const manifest = await readManifest(artifact);
  const memory = options.memory ? await memoryOf(artifact) : undefined;
  const entries = await Promise.all(
    Object.entries(manifest.programs).map(async ([name, program]) => {
      const text = await readProgram(artifact, manifest, name);
      return {
        name,
        program,
        lines: text.split("\n").length - 1,
        bytes: Buffer.byteLength(text),
        ops: histogram(text),
      };
    }),
  );
  if (options.json) {
    const programs = Object.fromEntries(
      entries.map(({ name, program: { inputs, outputs, donated }, lines, bytes, ops }) => [
        name,
        { inputs, outputs, donated, lines, bytes, ops, ...(memory && { memory: memory.get(name) }) },
      ]),
    );
    const { name, xenarc, model, config, kernels, tokenizer, mesh } = manifest;
    const report = {
      name,
      xenarc,
      ...model,
      tokenizer,
      kernels,
      config,
      ...(mesh && { mesh }),
      parameterTensors: parametersOf(manifest),
      programs,
    };
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return;
  }
  const { bold, dim } = paint(process.stdout);
  if (options.shardings) {
    process.stdout.write(`${shardings(manifest, bold).join("\n")}\n`);
    return;
  }
  const out = [
    `${bold(manifest.name)}  ${count(manifest.model.parameters)} parameters, written by xenarc ${manifest.xenarc}`,
  ];
  for (const { name, program, lines, bytes: size, ops } of entries) {
    out.push("", `${bold(name)}  ${dim(`${count(lines)} lines, ${bytes(size)}`)}`);
    out.push(...table(signature(program)));
    const known = memory?.get(name);
    if (known) out.push(`  ${dim("memory")}  ${memoryText(known)}`);
    out.push(
      ...wrap(
        Object.entries(ops).map(([op, n]) => `${op} ${count(n)}`),
        columns(process.stdout),
      ).map(dim),
    );
  }
  out.push("", bold("parameters"), ...parameterTable(manifest));
  const state = stateTable(manifest);
  if (state.length > 0) out.push("", bold("training state"), ...state);
  process.stdout.write(`${out.join("\n")}\n`);
}

/** XLA's account of every program, which compiles them. */
async function memoryOf(artifact: string): Promise<Map<string, Memory>> {
  const [{ inspect }, { during, setUpPython }] = await Promise.all([
    import("../../runtime-bridge/bridge.js"),
    import("../setup.js"),
  ]);
  await setUpPython();
  const events = await during("XLA is compiling", () => inspect({ artifact }));
  return new Map(events.map((event) => [event.program, event.memory]));
}

const memoryText = (m: Memory): string =>
  [
    `${bytes(m.arguments)} of arguments`,
    `${bytes(m.outputs)} of results${m.aliased > 0 ? ` (${bytes(m.aliased)} in the arguments' place)` : ""}`,
    `${bytes(m.temporaries)} of temporaries`,
  ].join(", ");

/** How often each operation stands in a program's text, the most frequent first. */
export function histogram(text: string): Record<string, number> {
  const counts = new Map<string, number>();
  // An operation begins a line, perhaps after its results; generic form has its name in quotes.
  for (const [, op] of text.matchAll(/^\s*(?:%[^=\n]*= )?"?((?:stablehlo|chlo|sdy|mhlo)\.[a-z_0-9]+|call)\b/gm)) {
    const name = op!.replace(/^stablehlo\./, "");
    // What ends a region is no operation of the program.
    if (name !== "return") counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

/** A line for each input and output, the state in one. */
function signature({ inputs, outputs, donated }: Program): string[][] {
  const side = (ports: readonly Port[], arrow: string, note: (port: Port) => string) => {
    const state = ports.filter((port) => port.role === "state");
    const rest = ports.filter((port) => port.role !== "state");
    const total = state.reduce((sum, port) => sum + sizeOf(port), 0);
    const rows = rest.map((port) => [arrow, port.name, type(port), [port.role, note(port)].filter(Boolean).join(", ")]);
    if (state.length === 0) return rows;
    const all = state.every((port) => note(port) !== "");
    return [
      [arrow, `${count(state.length)} tensors`, bytes(total), all ? `state, ${note(state[0]!)}` : "state"],
      ...rows,
    ];
  };
  const given = new Set(donated.map(([input]) => inputs[input]));
  return [...side(inputs, "<-", (port) => (given.has(port) ? "donated" : "")), ...side(outputs, "->", () => "")];
}

const type = ({ axes, shape, dtype }: Port): string =>
  `${dtype}[${axes.map((axis, i) => `${axis}=${shape[i]}`).join(", ")}]`;

/** Bytes, as MLIR's name of the element type tells them. */
const sizeOf = ({ shape, dtype }: Port): number => {
  const bits = Number(/\d+/.exec(dtype)?.[0] ?? 8) * (dtype.startsWith("complex") ? 2 : 1);
  return (shape.reduce((a, b) => a * b, 1) * Math.max(8, bits)) / 8;
};

/** The trained tensors: the state of that name, which several entry points share. */
function parametersOf({ programs }: Manifest): Port[] {
  const ports = Object.values(programs).flatMap((program) => [...program.inputs, ...program.outputs]);
  const trained = ports.filter((port) => port.role === "state" && port.name.startsWith("params/"));
  return [...new Map(trained.map((port) => [port.name, port])).values()];
}

function parameterTable(manifest: Manifest): string[] {
  const elements = ({ shape }: Port) => shape.reduce((a, b) => a * b, 1);
  const ports = parametersOf(manifest);
  const rows = ports.map((port) => [
    port.name.slice("params/".length),
    type(port),
    count(elements(port)),
    bytes(sizeOf(port)),
  ]);
  const total = (of: (port: Port) => number) => ports.reduce((sum, port) => sum + of(port), 0);
  return table([...rows, [`${count(ports.length)} tensors`, "", count(total(elements)), bytes(total(sizeOf))]], "llrr");
}

/** What training carries, by its parts: `params`, `optimizer/mu`, `ema`. */
function stateTable({ programs }: Manifest): string[] {
  const ports = programs.train_step?.inputs.filter((port) => port.role === "state") ?? [];
  const part = ({ name }: Port) => /^(optimizer\/[^/]+|[^/]+)/.exec(name)![0];
  const rows = [...new Set(ports.map(part))].map((name) => {
    const all = ports.filter((port) => part(port) === name);
    return [name, `${count(all.length)} tensors`, bytes(all.reduce((sum, port) => sum + sizeOf(port), 0))];
  });
  const total = ports.reduce((sum, port) => sum + sizeOf(port), 0);
  return rows.length === 0 ? [] : table([...rows, ["in all", `${count(ports.length)} tensors`, bytes(total)]], "lrr");
}

/** Every parameter as it lies on the mesh: global shape, what each axis is split over, bytes on one device. */
function shardings(manifest: Manifest, bold: (text: string) => string): string[] {
  const { mesh } = manifest;
  const ports = parametersOf(manifest);
  const heading = mesh ? meshOf(mesh) : "one device";
  const local = (port: Port) =>
    sizeOf({ ...port, shape: mesh ? localShape(mesh, port.sharding ?? [], port.shape) : port.shape });
  const rows = ports.map((port) => [
    port.name.slice("params/".length),
    type(port),
    port.axes.flatMap((axis, d) => split(axis, port.sharding?.[d])).join(", ") || "whole",
    bytes(local(port)),
  ]);
  const total = ports.reduce((sum, port) => sum + local(port), 0);
  return [
    `${bold("mesh")}  ${heading}`,
    "",
    ...table([...rows, [`${count(ports.length)} tensors`, "", "a device", bytes(total)]], "lllr"),
  ];
}

const split = (axis: string, over: readonly string[] = []): string[] =>
  over.length === 0 ? [] : [`${axis} over ${over.join(" x ")}`];

const meshOf = (mesh: Mesh): string =>
  `${mesh.axes.map((a) => `${a.name} ${a.size}${a.slices ? ` (${a.slices} across slices)` : ""}`).join(", ")}: ${count(deviceCount(mesh))} devices`;

/** Words in lines of at most `width` characters. */
function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = " ";
  for (const word of words) {
    if (line.length + word.length + 2 > width && line.trim() !== "") {
      lines.push(line);
      line = " ";
    }
    line += ` ${word}${word === words.at(-1) ? "" : ","}`;
  }
  return line.trim() === "" ? lines : [...lines, line];
}
