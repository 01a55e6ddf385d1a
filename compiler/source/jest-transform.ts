import { transform as transformAsync } from "esbuild";
import { transform, transformKey, transformOptions } from "./transform.js";

/**
 * Jest's code transformer: TypeScript to ES modules by esbuild, types stripped and not checked.
 * `inline` is how jest expects the map; `compiler/source/position.ts` computes the same map again when it needs one.
 */
export default {
  process: (source: string, path: string) => withMap(transform(path, source)),
  processAsync: async (source: string, path: string) => withMap(await transformAsync(source, transformOptions(path))),
  getCacheKey: (source: string, path: string) => transformKey(path, source),
};

function withMap({ code, map }: { code: string; map: string }) {
  return { code, map: JSON.parse(map) };
}
