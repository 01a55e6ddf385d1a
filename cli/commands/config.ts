/** `xenarc config`: every setting of a model, its value, and where that came from; or the schema of them, for editors. */
import { relative } from "node:path";
import type { Setting } from "../../emit/config.js";
import { openModel, openProject, type Project, sortWords } from "../project.js";
import { paint } from "../terminal.js";

export async function configCommand(
  words: readonly string[],
  options: { readonly config?: string; readonly json?: boolean },
): Promise<void> {
  const { settings } = await openProject(sortWords(words), options.config);
  if (options.json) {
    const rows = settings.map((setting) => ({ ...setting, origin: originText(setting) }));
    process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
    return;
  }
  const { dim } = paint(process.stdout);
  const texts = settings.map((setting) => [setting, yamlLine(setting)] as const);
  // A longer line has its origin behind it.
  const width = Math.max(...texts.map(([, line]) => line.length).filter((length) => length <= LONGEST));
  const lines: string[] = [];
  let open: readonly string[] = [];
  // What is printed is YAML again: a configuration file to begin with.
  for (const [setting, line] of texts) {
    const sections = setting.key.split(".").slice(0, -1);
    const shared = sections.findIndex((name, depth) => name !== open[depth]);
    if (shared >= 0) sections.slice(shared).forEach((name, i) => lines.push(`${indent(shared + i)}${name}:`));
    open = sections;
    lines.push(`${line.padEnd(width)}  ${dim(`# ${originText(setting)}`)}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

export async function configSchemaCommand(target: string | undefined): Promise<void> {
  process.stdout.write(await configSchema(await openModel(target)));
}

/** The JSON Schema of a model's configuration, as a file. */
export async function configSchema({ file, model }: Pick<Project, "file" | "model">): Promise<string> {
  const { jsonSchemaOf } = await import("../../emit/config_schema.js");
  const { sourcesOf } = await import("../../compiler/source/load.js");
  return `${JSON.stringify(jsonSchemaOf(model.schema, sourcesOf(file)), undefined, 2)}\n`;
}

/** Columns of a line that others are aligned with. */
const LONGEST = 60;

const indent = (depth: number): string => "  ".repeat(depth);

function yamlLine({ key, value }: Setting): string {
  const path = key.split(".");
  const text = typeof value === "string" && /^[A-Za-z][\w./-]*$/.test(value) ? value : JSON.stringify(value);
  return `${indent(path.length - 1)}${path.at(-1)}: ${text}`;
}

const originText = ({ origin }: Setting): string =>
  typeof origin === "object" ? `${relative(".", origin.file)}:${origin.line}` : origin;
