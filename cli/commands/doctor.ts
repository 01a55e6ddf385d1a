/** `xenarc doctor`: whether this machine has what xenarc needs, and what to do where it does not. */
import { XenarcError } from "../../compiler/errors.js";
import { packageVersion } from "../../compiler/source/package.js";
import { doctor, findPython } from "../../runtime-bridge/bridge.js";
import { EXIT } from "../report.js";
import { setUpPython } from "../setup.js";
import { paint, table } from "../terminal.js";

interface Check {
  readonly name: string;
  /** What was found. */
  readonly found: string;
  /** What is wrong, and what to do about it. */
  readonly problem?: string;
  readonly fix?: string;
}

export async function doctorCommand({ json }: { readonly json?: boolean }): Promise<void> {
  const checks = [node(), await compiler(), ...(await python())];
  const fine = checks.every((check) => check.problem === undefined);
  if (json) {
    process.stdout.write(`${JSON.stringify({ fine, xenarc: packageVersion(), checks }, undefined, 2)}\n`);
  } else {
    const { bold, green, red } = paint(process.stdout);
    const rows = table(checks.map(({ name, found, problem }) => [name, problem ?? found]));
    const lines = checks.flatMap(({ problem, fix }, i) => [
      `${problem === undefined ? green("✓") : red("✗")}${rows[i]}`,
      ...(fix ?? "").split("\n").flatMap((line) => (line === "" ? [] : [`    ${bold(line)}`])),
    ]);
    const verdict = fine ? "Everything that xenarc needs is here." : "Something is missing; see above.";
    process.stdout.write(`${[...lines, "", verdict].join("\n")}\n`);
  }
  if (!fine) process.exitCode = EXIT.environment;
}

function node(): Check {
  const found = process.version.slice(1);
  const tooOld = Number.parseInt(found, 10) < 20;
  return {
    name: "Node",
    found,
    ...(tooOld && { problem: `${found} is too old`, fix: "Install Node 20 or newer: https://nodejs.org" }),
  };
}

/** esbuild is a program of its own, which npm installs for the platform unless told not to. */
async function compiler(): Promise<Check> {
  const name = "esbuild";
  try {
    const { transform, version } = await import("esbuild");
    await transform("const x: number = 1", { loader: "ts" });
    return { name, found: version };
  } catch (error) {
    const problem = (error as Error).message.split("\n", 1)[0]!;
    return {
      name,
      found: "",
      problem,
      fix: "Reinstall the packages without --omit=optional and --ignore-scripts: npm install",
    };
  }
}

/** Python, its environment (made if it is not there yet), the packages in it, the devices they see. */
async function python(): Promise<Check[]> {
  const found: Check[] = [];
  const attempt = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof XenarcError)) throw error;
      const { what, expected, fix } = error.parts;
      const advice = [expected && `Expected: ${expected}`, fix].filter(Boolean).join("\n");
      found.push({ name, found: "", problem: what, ...(advice !== "" && { fix: advice }) });
      return undefined;
    }
  };
  const interpreter = await attempt("Python", findPython);
  if (interpreter === undefined) return found;
  found.push({ name: "Python", found: `${interpreter.version} (${interpreter.path})` });
  if ((await attempt("environment", setUpPython)) === undefined) return found;
  const facts = await attempt("packages", () => doctor());
  if (facts === undefined) return found;
  const packages = Object.entries(facts.packages).map(([name, version]) => `${name} ${version}`);
  found.push({ name: "packages", found: packages.join(", ") });
  const devices = facts.devices.map(({ platform, kind }) => (kind === platform ? kind : `${kind} (${platform})`));
  const kinds = [...new Set(devices)].map((kind) => `${devices.filter((device) => device === kind).length} x ${kind}`);
  found.push({ name: "devices", found: kinds.join(", ") });
  return found;
}
