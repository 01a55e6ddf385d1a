/** What a program is compiled for: `tpu:v5p:4x4x4`, `tpu:v5e:16x16,slices=2`, `tpu:v3-256`, `gpu:h100:8`, `cpu:8`. */
import { didYouMean, XenarcError } from "../errors.js";
import { CHIPS, type Chip, type ChipName } from "./chips.js";

/** A parsed target. */
export interface Target {
  readonly platform: "cpu" | "gpu" | "tpu";
  /** As it is written in full: `tpu:v3:8x16`. Equal targets have equal names. */
  readonly name: string;
  /** XLA's devices, of all slices. */
  readonly devices: number;
  /** Of TPUs and GPUs. */
  readonly generation?: ChipName;
  readonly chip?: Chip;
  /** Chips along each dimension of a slice's torus, of TPUs. */
  readonly topology?: readonly number[];
  /** How many slices, joined by the data-centre network. 1 but for TPUs. */
  readonly slices: number;
}

const TPUS = names("tpu");
const GPUS = names("gpu");

function names(platform: Chip["platform"]): ChipName[] {
  return (Object.keys(CHIPS) as ChipName[]).filter((name) => CHIPS[name].platform === platform);
}

const EXAMPLES = "tpu:v5p:4x4x4, tpu:v5e:16x16,slices=2, tpu:v3-256, gpu:h100:8 or cpu:8";

const SMALL_2D = ["1x1", "2x2", "2x4", "4x4", "4x8", "8x8", "8x16", "16x16"];
const TORI = ["2x2x1", "2x2x2", "2x2x4", "2x4x4", "4x4x4", "4x4x8", "4x8x8", "8x8x8", "8x8x16", "8x16x16", "16x16x16"];

/** Google Cloud's names are a generation and a number: of TensorCores, of which a chip has `cores`, or of chips. These are the shapes. */
const NAMED: Readonly<Partial<Record<ChipName, { readonly cores: number; readonly shapes: readonly string[] }>>> = {
  v3: { cores: 2, shapes: ["2x2", "4x4", "4x8", "8x8", "8x16", "16x16", "16x32", "32x32"] },
  v4: { cores: 2, shapes: TORI.slice(0, -1) },
  v5e: { cores: 1, shapes: SMALL_2D },
  v5p: { cores: 2, shapes: TORI },
  v6e: { cores: 1, shapes: SMALL_2D },
};

/** @throws XenarcError (usage) for what is no target, saying which part and what would be one. */
export function parseTarget(text: string): Target {
  const [head = "", ...options] = text.trim().toLowerCase().split(",");
  const [platform = "", ...rest] = head.split(":");
  const slices = parseSlices(text, options);
  if (platform === "tpu") return tpu(text, rest, slices);
  if (slices !== 1) throw wrong(text, `${platform} has no slices.`, "slices with tpu only");
  if (platform === "cpu" && rest.length <= 1) {
    const devices = count(text, rest[0] ?? "1");
    return { platform, name: `cpu:${devices}`, devices, slices };
  }
  if (platform === "gpu" && rest.length >= 1 && rest.length <= 2) {
    const name = known(text, rest[0] as string, GPUS);
    const devices = count(text, rest[1] ?? "1");
    return { platform, name: `gpu:${name}:${devices}`, devices, generation: name, chip: CHIPS[name], slices };
  }
  throw wrong(text, undefined, EXAMPLES);
}

function tpu(text: string, parts: readonly string[], slices: number): Target {
  const [first = "", second] = parts;
  if (parts.length === 0 || parts.length > 2 || first === "") throw wrong(text, "it names no TPU.", EXAMPLES);
  const cloud = second === undefined ? /^(v5litepod|[^-]*)-(\d+)$/.exec(first) : null;
  const name = known(text, generation(cloud?.[1] ?? first), TPUS);
  const chip: Chip = CHIPS[name];
  const shape = cloud ? shapeOf(text, name, Number(cloud[2])) : second;
  const topology = (shape ?? "").split("x").map(Number);
  const dimensions = chip.interconnect.dimensions;
  if (topology.length !== dimensions || topology.some((n) => !Number.isInteger(n) || n < 1)) {
    const example = dimensions === 2 ? "4x4" : "4x4x4";
    const said = shape === undefined ? "it names no topology" : `"${shape}" is no topology of ${chip.title}`;
    throw wrong(
      text,
      `${said}.`,
      `chips along the ${dimensions} dimensions of its torus, such as tpu:${name}:${example}`,
    );
  }
  const chips = topology.reduce((a, b) => a * b, 1);
  if (chips > chip.most) {
    throw wrong(text, `${topology.join("x")} is ${chips} chips.`, `at most ${chip.most}, a pod of ${chip.title}`);
  }
  const full = `tpu:${name}:${topology.join("x")}${slices > 1 ? `,slices=${slices}` : ""}`;
  return {
    platform: "tpu",
    name: full,
    devices: chips * chip.devices * slices,
    generation: name,
    chip,
    topology,
    slices,
  };
}

/** Other names by which a generation goes. */
const generation = (name: string): string =>
  ({ v5litepod: "v5e", v5lite: "v5e", tpu7x: "7x", v7x: "7x", v6: "v6e" })[name] ?? name;

function shapeOf(text: string, name: ChipName, number: number): string {
  const named = NAMED[name];
  if (named === undefined) {
    throw wrong(text, `${CHIPS[name].title} is named by its topology.`, `a topology, as in tpu:${name}:4x4x4`);
  }
  const { cores, shapes } = named;
  const numberOf = (shape: string) => shape.split("x").reduce((n, size) => n * Number(size), cores);
  const shape = shapes.find((s) => numberOf(s) === number);
  if (shape !== undefined) return shape;
  const all = shapes.map((s) => `${name}-${numberOf(s)}`).join(", ");
  throw wrong(text, `there is no ${name}-${number}.`, `${all}, or a topology such as tpu:${name}:${shapes[3]}`);
}

function parseSlices(text: string, options: readonly string[]): number {
  let slices = 1;
  for (const option of options) {
    const [key = "", value = ""] = option.split("=");
    if (key.trim() !== "slices") throw wrong(text, `"${option}" is no option.`, "slices=N");
    slices = count(text, value.trim());
  }
  return slices;
}

function count(text: string, digits: string): number {
  if (!/^[1-9]\d{0,6}$/.test(digits)) throw wrong(text, `"${digits}" is no number of devices.`, EXAMPLES);
  return Number(digits);
}

function known(text: string, name: string, of: readonly ChipName[]): ChipName {
  const found = of.find((n) => n === name);
  if (found !== undefined) return found;
  throw wrong(text, `there is no "${name}".${didYouMean(name, of)}`, of.join(", "));
}

const wrong = (text: string, why: string | undefined, expected: string): XenarcError =>
  new XenarcError({ what: `"${text}" is no target${why === undefined ? "." : `: ${why}`}`, expected }, "usage");
