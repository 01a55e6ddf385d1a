/** Every example compiles with each of its configurations. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { folder, root, SLOW, xenarc } from "./command.js";

const configurations = readdirSync(join(root, "examples")).flatMap((name) =>
  readdirSync(join(root, "examples", name))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => [name, file] as const),
);

test.each(configurations)(
  "%s with %s",
  async (name, file) => {
    const example = join(root, "examples", name);
    const { code, out, err } = await xenarc({ cwd: folder() }, "compile", example, "-c", join(example, file), "--json");
    expect([code, err]).toEqual([0, ""]);
    const { programs } = JSON.parse(out);
    expect(Object.keys(programs).sort()).toEqual([
      "decode_step",
      "eval_step",
      "forward",
      "init",
      "prefill",
      "train_step",
    ]);
  },
  SLOW,
);
