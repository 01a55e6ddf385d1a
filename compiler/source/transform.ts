import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { TransformOptions } from "esbuild";

/** Loaded on first use: a warm run transforms nothing. Not by `import`, which takes three times as long for CommonJS. */
export const esbuild = (): typeof import("esbuild") => createRequire(import.meta.url)("esbuild");

/** JavaScript and its source map (JSON text). */
export interface Transformed {
  readonly code: string;
  readonly map: string;
}

/**
 * How one TypeScript file becomes JavaScript. Nothing is taken from a tsconfig.json: the same source gives the same code
 * and the same map anywhere, so that a position can be mapped back by transforming once more.
 */
export function transformOptions(path: string): TransformOptions {
  return {
    loader: path.endsWith("x") ? "tsx" : "ts",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcefile: path,
    sourcemap: "external",
    sourcesContent: false,
    tsconfigRaw: TSCONFIG,
  };
}

/** The TypeScript settings that change generated code, for {@link transform} and for the bundles of authors' files. */
export const TSCONFIG = { compilerOptions: { target: "es2022", useDefineForClassFields: true } } as const;

/** Strips the types of one file. Throws esbuild's `TransformFailure` on a syntax error. */
export function transform(path: string, source: string): Transformed {
  const { code, map } = esbuild().transformSync(source, transformOptions(path));
  return { code, map };
}

/** A key that changes whenever the result of {@link transform} may. */
export function transformKey(path: string, source: string): string {
  return createHash("sha256")
    .update(`${esbuild().version}\0${JSON.stringify(transformOptions(path))}\0${source}`)
    .digest("hex");
}
