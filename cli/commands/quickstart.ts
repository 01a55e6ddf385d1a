/** `xenarc quickstart`: a model trained from nothing and heard, in a few minutes. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../compiler/source/package.js";
import { openProject, RUNS, sortWords } from "../project.js";
import { EXIT } from "../report.js";
import { refuseForeign } from "../run_folder.js";
import { COMMAND, paint } from "../terminal.js";
import { generateFrom } from "./generate.js";
import { trainModel } from "./train.js";

export interface QuickstartCommandOptions {
  readonly data?: string;
  readonly run?: string;
  readonly prompt: string;
  readonly maxTokens: number;
}

/** The example that it trains. */
const EXAMPLE = "examples/char-transformer";

export async function quickstartCommand(words: readonly string[], options: QuickstartCommandOptions): Promise<void> {
  const { overrides } = sortWords(words);
  const { bold, dim } = paint(process.stdout);
  const run = options.run ?? join(RUNS, "quickstart");
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(dim(`The model is ${EXAMPLE}/model.ts, its configuration config.yaml beside it.`));
  refuseForeign(run);
  if (existsSync(run)) say(dim(`An earlier run in ${run} is replaced.`));
  const project = await openProject({ target: join(packageRoot, EXAMPLE), overrides }, undefined);
  const done = await trainModel(project, run, {
    overwrite: true,
    ...(options.data !== undefined && { data: options.data }),
  });
  if (done.interrupted) {
    const data = options.data === undefined ? "" : ` --data ${options.data}`;
    say(`Go on: ${bold(`${COMMAND} train ${EXAMPLE} --run ${run}${data} --resume`)}`);
    say(`It can write all the same: ${bold(`${COMMAND} generate --run ${run} --prompt "${options.prompt}"`)}`);
    process.exitCode = EXIT.interrupted;
    return;
  }
  say(`\n${bold("What it writes:")}\n`);
  const { prompt, maxTokens } = options;
  const generated = await generateFrom(run, { prompt, maxTokens });
  if (generated.reason === "interrupted") process.exitCode = EXIT.interrupted;
  say(`\nYour own model: ${bold(`${COMMAND} init my-model`)}`);
}
