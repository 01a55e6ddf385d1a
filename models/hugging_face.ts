/** How a model's tensors are called, and lie, where Hugging Face's libraries look for them: data, which the runtime applies. */
import { XenarcError } from "../compiler/errors.js";
import { type Parameter, parameters } from "../ops/module.js";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What stands beside a model family whose weights `transformers` can open. */
export interface HuggingFaceMap {
  /** The fields of config.json. */
  readonly config: Readonly<Record<string, Json>>;
  /** Keys of it, at any depth, whose numbers are floating ones: JavaScript's 0 is written as 0.0, which `transformers` insists on. */
  readonly floats: readonly string[];
  /**
   * By a parameter's path: its name there, in which `{layers}` stands for the number along the axis `layers`, and what each dimension there
   * is: an axis, or several as one (`heads headDim`), the first outermost.
   */
  readonly tensors: Readonly<Record<string, readonly [name: string, ...dimensions: string[]]>>;
}

/** The map of a built model, as it stands in the manifest. */
export interface ResolvedHuggingFaceMap {
  readonly config: Record<string, Json>;
  readonly floats: string[];
  readonly tensors: Record<string, { name: string; dimensions: string[][] }>;
}

const PLACE = /\{([\w ]+)\}/g;

/**
 * Checks that a map speaks of every parameter and of each of its axes once. Where layers come round more than once in a pipeline, the axis
 * that tells the rounds apart is part of the layer's number. `isOurs`: parameters that the map need not know.
 * @throws XenarcError that names the parameter.
 */
export function resolveHuggingFace(
  map: HuggingFaceMap,
  module: unknown,
  isOurs: (path: string) => boolean,
): ResolvedHuggingFaceMap {
  const resolved = parameters(module)
    .filter(([path]) => !isOurs(path))
    .map(([path, p]) => [path, resolvedTensor(map, path, p)] as const);
  return { config: map.config, floats: [...map.floats], tensors: Object.fromEntries(resolved) };
}

function resolvedTensor(map: HuggingFaceMap, path: string, p: Parameter) {
  const wrong = (what: string) =>
    new XenarcError({
      what: `The map to Hugging Face's names ${what}.`,
      where: p.value.declared ? [{ site: p.value.declared }] : [],
      fix: "Write it where the model is defined (defineModel's huggingFace), or leave the map out: then weights are exported under xenarc's names.",
    });
  const entry = map.tensors[path];
  if (entry === undefined) throw wrong(`does not know the parameter ${path}`);
  const [template, ...rest] = entry;
  const repeated = (axes: string) => (axes === p.stack && p.names.includes("repeat") ? `repeat ${axes}` : axes);
  const name = template.replaceAll(PLACE, (_, axes: string) => `{${repeated(axes)}}`);
  const dimensions = rest.map((axes) => axes.split(" "));
  const used = [...[...name.matchAll(PLACE)].flatMap(([, axes]) => axes!.split(" ")), ...dimensions.flat()];
  if ([...used].sort().join() !== [...p.names].sort().join())
    throw wrong(`gives ${path} the axes ${used.join(", ")}; it has ${p.names.join(", ")}`);
  return { name, dimensions };
}
