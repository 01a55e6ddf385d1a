import { type TransformFailure, transform as transformAsync } from "esbuild";
import { codeFrame } from "./frame.js";
import { type Transformed, transform, transformKey, transformOptions } from "./transform.js";

/**
 * Jest's code transformer: TypeScript to ES modules by esbuild, types stripped and not checked.
 * compiler/source/position.ts computes the same map again when it needs one, because jest gives it to nobody.
 */
export default {
  process(source: string, path: string) {
    try {
      return parsed(transform(path, source));
    } catch (error) {
      throw readable(error, path);
    }
  },
  async processAsync(source: string, path: string) {
    try {
      return parsed(await transformAsync(source, transformOptions(path)));
    } catch (error) {
      throw readable(error, path);
    }
  },
  getCacheKey: (source: string, path: string) => transformKey(path, source),
};

const parsed = ({ code, map }: Transformed) => ({ code, map: JSON.parse(map) });

function readable(error: unknown, path: string): unknown {
  const first = (error as Partial<TransformFailure>).errors?.[0];
  if (!first?.location) return error;
  const { line, column } = first.location;
  // No SyntaxError: jest would take that for a lack of a transformer and explain Babel.
  return new Error(`${first.text}\n\n${path}:${line}:${column + 1}\n${codeFrame(path, line, column + 1)}\n`);
}
