/** Compiles the package to dist/ and writes the names of the library's own variables beside it; `--clean` starts anew. */
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, root } from "./setup.mjs";

if (process.argv.includes("--clean")) rmSync(join(root, "dist"), { recursive: true, force: true });
const code = await bin("tsc", ["-p", "tsconfig.build.json"]);
if (code !== 0) process.exit(code);
const { buildNames } = await import(new URL("dist/compiler/source/names.js", `file://${root}`));
await buildNames(root);
chmodSync(join(root, "dist/cli/main.js"), 0o755);
writeFileSync(join(root, "dist/.built"), "");
