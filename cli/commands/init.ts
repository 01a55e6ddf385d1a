/** `xenarc init`: a project with a model, its configuration and a golden test. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { XenarcError } from "../../compiler/errors.js";
import { packageRoot, packageVersion } from "../../compiler/source/package.js";
import { makeFolder } from "../../emit/folder.js";
import { typed } from "../../runtime-bridge/launch/plan.js";
import { openModel } from "../project.js";
import { paint, table } from "../terminal.js";
import { configSchema } from "./config.js";

/** The example that a new project is a copy of. */
const EXAMPLE = "examples/char-transformer";

/** What editors check the configuration against. */
const SCHEMA = "config.schema.json";

export async function initCommand(folder: string): Promise<void> {
  refuseFull(folder);
  const files = projectFiles(projectName(folder), folder);
  makeFolder(folder);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  await writeFile(join(folder, SCHEMA), await configSchema(await openModel(folder)));
  const { bold } = paint(process.stdout);
  const enter = resolve(folder) === process.cwd() ? [] : [[bold(typed(["cd", folder]))]];
  const steps = [
    ...enter,
    [bold("npm install"), "for the editor and the tests"],
    [bold("npx xenarc train"), "on xenarc's own sources; --data FILE_OR_FOLDER takes your text"],
    [bold('npx xenarc generate --prompt "The "'), ""],
    [bold("npm test"), "the golden test of the compiled program"],
  ];
  const made = [...Object.keys(files), SCHEMA].join(", ");
  process.stdout.write(
    `${[`${folder === "." ? "This folder" : folder} has ${made}.`, "", "Next:", ...table(steps.map((s) => [...s]))].join("\n")}\n`,
  );
}

/** Only a folder that is empty, or has nothing but a repository, is filled. */
function refuseFull(folder: string): void {
  let inside: string[];
  try {
    inside = existsSync(folder) ? readdirSync(folder).filter((name) => name !== ".git") : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTDIR") throw error;
    throw new XenarcError({ what: `${folder} is a file.`, fix: "Name a folder." }, "usage");
  }
  if (inside.length === 0) return;
  const some = inside.slice(0, 3).join(", ") + (inside.length > 3 ? ` and ${inside.length - 3} more` : "");
  throw new XenarcError(
    { what: `${folder} is not empty: it has ${some}.`, fix: "Name a new folder: xenarc init my-model" },
    "usage",
  );
}

/** A name that npm takes, made of the folder's. */
function projectName(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" || name === "xenarc" ? "my-model" : name;
}

/** What `npm install` is to take for xenarc: the release that runs, or the checkout or the packed file that it is from. */
function ownAddress(folder: string): string {
  const installed = /^(.*)[\\/]node_modules[\\/][^\\/]+[\\/]$/.exec(packageRoot)?.[1];
  if (installed === undefined) return fileAddress(folder, packageRoot);
  const from = lockedAddress(join(installed, "node_modules/.package-lock.json"));
  return from?.startsWith("file:") ? fileAddress(folder, resolve(installed, from.slice(5))) : packageVersion();
}

const fileAddress = (folder: string, path: string): string =>
  `file:${relative(resolve(folder), path).replaceAll("\\", "/")}`;

/** Where npm found xenarc when it installed it, as its hidden lock file says. */
function lockedAddress(lock: string): string | undefined {
  if (!existsSync(lock)) return undefined;
  const { packages = {} } = JSON.parse(readFileSync(lock, "utf8")) as {
    packages?: Record<string, { resolved?: string }>;
  };
  return packages["node_modules/xenarc"]?.resolved;
}

function projectFiles(name: string, folder: string): Record<string, string> {
  const example = (file: string) => readFileSync(join(packageRoot, EXAMPLE, file), "utf8");
  const own = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const tool = (dependency: string) => ({ [dependency]: own.devDependencies[dependency]! });
  const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
  return {
    "package.json": json({
      name,
      private: true,
      type: "module",
      scripts: {
        train: "xenarc train",
        generate: "xenarc generate",
        schema: `xenarc config schema > ${SCHEMA}`,
        test: "node --experimental-vm-modules --no-warnings node_modules/jest/bin/jest.js",
        typecheck: "tsc",
      },
      dependencies: { xenarc: ownAddress(folder), zod: own.dependencies.zod! },
      devDependencies: { ...tool("@types/jest"), ...tool("@types/node"), ...tool("jest"), ...tool("typescript") },
    }),
    // The model's name is that of its runs and artifacts.
    "model.ts": example("model.ts").replace(/(?<=^ {2}name: )".*"/m, JSON.stringify(name.replaceAll(".", "-"))),
    "config.yaml": `# yaml-language-server: $schema=${SCHEMA}\n${example("config.yaml")}`,
    "model.test.ts": TEST,
    "jest.config.js": 'export default { preset: "xenarc" };\n',
    "tsconfig.json": json({
      compilerOptions: {
        target: "es2022",
        lib: ["es2023"],
        module: "nodenext",
        strict: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: true,
        noEmit: true,
        types: ["node", "jest"],
      },
      include: ["*.ts"],
    }),
    ".gitignore": "node_modules/\n.xenarc/\nruns/\nartifacts/\n",
    "README.md": readme(name),
  };
}

const TEST = `import "xenarc/jest";
import { compile } from "xenarc";
import model from "./model.js";

/** A change of the model, or of its configuration, shows as a diff of the program in __golden__/; if it is meant: npm test -- -u */
test("the compiled program is the one that was reviewed", async () => {
  const options = { yamlFile: "config.yaml", only: ["forward", "train_step"], locations: false };
  const compiled = await compile(model, {}, options);
  expect(compiled).toMatchGolden("model");
});
`;

const readme = (name: string): string => `# ${name}

A language model written in TypeScript, compiled to StableHLO, trained by XLA.

    npm install                               # once
    npx xenarc train                          # trains with config.yaml; --data FILE_OR_FOLDER takes your text
    npx xenarc train train.steps=5000         # a setting of the configuration, for this time
    npx xenarc generate --prompt "The "       # writes text with the newest run
    npx xenarc config                         # every setting, its value and where it came from
    npx xenarc compile                        # StableHLO, looked at with: npx xenarc inspect artifacts/${name.replaceAll(".", "-")}
    npm test                                  # the golden test of the compiled program

- \`model.ts\` is the model: a module, the schema of its configuration, and how one is built from the other.
- \`config.yaml\` is its configuration; what is not in it has the default of the schema.
- \`config.schema.json\` is what editors check \`config.yaml\` against. When the model has other settings: npm run schema
- \`model.test.ts\` compares the compiled program with \`__golden__/\`. Commit that folder: its diff shows what a change does.
`;
