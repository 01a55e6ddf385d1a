/** Where things are: the Python package beside this module, and the user's cache. */
import { existsSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The folder with `xenarc_runtime` and its requirements. Run from the sources it is next to this file; run from the
 * build it is under the package's root, because the build holds JavaScript only.
 */
export function pythonFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, "python"), join(here, "../../runtime-bridge/python")];
  const found = candidates.find((folder) => existsSync(join(folder, "requirements.lock")));
  if (found === undefined) throw new Error(`xenarc is not whole: none of ${candidates.join(", ")} exists`);
  return found;
}

/** `$XDG_CACHE_HOME/xenarc`, by default `~/.cache/xenarc`; the same rule as in `xenarc_runtime/pjrt.py`. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir() || userInfo().homedir, ".cache"), "xenarc");
}
