/** The tokenizer of a project: found from where it was named, and held against the model's vocabulary. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XenarcError } from "../compiler/errors.js";
import {
  hasTemplate,
  readTokenizer,
  readTokenizerFile,
  type TokenizerSource,
  withTemplate,
} from "../emit/tokenizer.js";
import { configuredData, configuredTemplate, configuredTokenizer, type Project } from "./project.js";

/** The tokenizer that a project's `data.tokenizer` names. `data`: the text, of which the vocabulary of `characters` is made. */
export async function projectTokenizer(
  project: Project,
  data: string | readonly string[] | undefined = configuredData(project),
): Promise<TokenizerSource> {
  const name = configuredTokenizer(project);
  const tokenizer =
    name === "characters" && data !== undefined ? await charactersOf(project, data) : readTokenizer(name);
  checkVocabulary(project, tokenizer);
  const whole = withTemplate(tokenizer, configuredTemplate(project));
  checkTemplate(project, whole);
  return whole;
}

/** Conversations are nothing without what makes text of them. */
function checkTemplate({ config, settings }: Project, tokenizer: TokenizerSource): void {
  if (config.data.format !== "chat" || hasTemplate(tokenizer)) return;
  const origin = settings.find(({ key }) => key === "data.format")?.origin;
  throw new XenarcError({
    what: `\`data.format\` is chat, and the tokenizer ${config.data.tokenizer} has no chat template, which makes text of messages.`,
    where: typeof origin === "object" ? [origin] : [],
    fix: "Name a file with one: data.chatTemplate=FILE.jinja; or take another tokenizer.",
  });
}

/** Reads the text as training will, to know its characters. */
async function charactersOf({ config }: Project, data: string | readonly string[]): Promise<TokenizerSource> {
  const [{ characters }, { during, setUpPython }] = await Promise.all([
    import("../runtime-bridge/bridge.js"),
    import("./setup.js"),
  ]);
  await setUpPython();
  const folder = mkdtempSync(join(tmpdir(), "xenarc-"));
  try {
    const output = join(folder, "tokenizer.json");
    const sources = [data].flat().map((path, number) => {
      const { kind, field } = config.data.sources?.[number] ?? config.data;
      return { path, kind, field };
    });
    const skipBad = config.data.onBadRecord === "skip";
    await during("collecting the characters of the text", () => characters({ sources, skipBad, output }));
    return readTokenizerFile("characters", output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ids beyond the model's vocabulary have no embedding. */
function checkVocabulary({ settings }: Project, { vocabulary }: TokenizerSource): void {
  const setting = settings.find(({ key }) => key === "model.vocab");
  const chosen = settings.find(({ key }) => key === "data.tokenizer");
  // Whoever names no tokenizer may have tokens of their own, ready-made.
  if (chosen?.origin === "default" || typeof setting?.value !== "number" || vocabulary <= setting.value) return;
  const size = vocabulary.toLocaleString("en");
  throw new XenarcError({
    what: `The tokenizer ${chosen?.value} has ${size} ids, and \`model.vocab\` is ${setting.value.toLocaleString("en")}.`,
    where: [setting, chosen].flatMap((found) => (typeof found?.origin === "object" ? [found.origin] : [])).slice(0, 1),
    expected: `model.vocab=${vocabulary} or more`,
  });
}
