/** What people see when something they gave is wrong: the whole of it, as it stands in the terminal. */
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, project, SLOW, SMALL, TEXT, xenarc } from "./command.js";

let cwd: string;
beforeAll(async () => {
  cwd = project({ "text.txt": TEXT });
  const { code, err } = await xenarc({ cwd }, "compile", ...SMALL, "-o", "artifact");
  expect([code, err]).toEqual([0, ""]);
}, SLOW);

/** The exit code and the error of a command, the folder's name taken out. */
async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, err } = await xenarc({ cwd, env }, ...args);
  return `\nexit ${code}\n${err}`.replaceAll(cwd, "FOLDER");
}

const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(cwd, name), content);
  return name;
};

test("a wrong key", async () => {
  expect(await refusal(["compile", "train.stpes=3"])).toMatchInlineSnapshot(`
"
exit 1
error: train.stpes=3: There is no setting \`train.stpes\`. Did you mean \`train.steps\`?
"
`);
  expect(await refusal(["train", "-c", write("key.yaml", "train:\n  stpes: 3\n")])).toMatchInlineSnapshot(`
"
exit 1
error: There is no setting \`train.stpes\`. Did you mean \`train.steps\`?

  key.yaml:2:3
    1 | train:
  > 2 |   stpes: 3
      |   ^
"
`);
});

test("a wrong value", async () => {
  expect(await refusal(["compile", "-c", write("value.yaml", "train:\n  schedule: cosin\n")])).toMatchInlineSnapshot(`
"
exit 1
error: \`train.schedule\` must be "cosine", "linear", "constant", "wsd" or "inverse_sqrt", and is "cosin".

  value.yaml:2:13
    1 | train:
  > 2 |   schedule: cosin
      |             ^

Did you mean "cosine"?
"
`);
});

test("a configuration that is not there", async () => {
  expect(await refusal(["compile", "-c", "nowhere.yaml"])).toMatchInlineSnapshot(`
"
exit 2
error: There is no file nowhere.yaml.

Give the path of a YAML file.
"
`);
});

test("a model with a mistake in its syntax", async () => {
  expect(await refusal(["compile", write("syntax.ts", "export default {\n")])).toMatchInlineSnapshot(`
"
exit 1
error: Expected identifier but found end of file.

  syntax.ts:2:1
"
`);
});

/** A model file whose class does something wrong. */
const modelOf = (body: string): string =>
  `import { CharTransformer, charTransformerConfig, defineModel } from "xenarc";

class Model extends CharTransformer {
${body}
}
export default defineModel({ name: "m", config: charTransformerConfig, build: (c) => new Model(c) });
`;

test("a file that exports no model", async () => {
  expect(await refusal(["compile", write("none.ts", "export default 3;\n")])).toMatchInlineSnapshot(`
"
exit 1
error: What none.ts exports by default is no model.

  none.ts

Expected: export default defineModel({ name, config, build })
"
`);
  const named = modelOf("").replace("export default", "export const model =");
  expect(await refusal(["compile", write("named.ts", named)])).toMatchInlineSnapshot(`
"
exit 1
error: named.ts has no default export. It exports a model by the name model.

  named.ts

Expected: export default defineModel({ name, config, build })
"
`);
});

test("a model that fails as it is built", async () => {
  const broken = modelOf("  override readonly norm = (undefined as any).oops;");
  expect(await refusal(["compile", write("broken.ts", broken)])).toMatchInlineSnapshot(`
"
exit 1
error: TypeError: Cannot read properties of undefined (reading 'oops').

  broken.ts:4:47
    2 |
    3 | class Model extends CharTransformer {
  > 4 |   override readonly norm = (undefined as any).oops;
      |                                               ^
    5 | }
    6 | export default defineModel({ name: "m", config: charTransformerConfig, build: (c) => new Model(c) });
"
`);
});

test("a model whose axes do not fit", async () => {
  const wrong = modelOf(
    '  override logits(x: any): any {\n    return this.head.call(x.rename("embed", "width"));\n  }',
  );
  const said = await refusal(["compile", write("axes.ts", wrong)]);
  // What follows are the library's own lines.
  expect(`${said.slice(0, said.indexOf("  through xenarc/"))}`).toMatchInlineSnapshot(`
"
exit 1
error: dot: the left operand has no axis "embed": (batch 12, seq 64, width 128) f32.

  axes.ts:5:22
    3 | class Model extends CharTransformer {
    4 |   override logits(x: any): any {
  > 5 |     return this.head.call(x.rename("embed", "width"));
      |                      ^
    6 |   }
    7 | }
"
`);
});

test("a folder that is no artifact's", async () => {
  expect(await refusal(["compile", "-o", "."])).toMatchInlineSnapshot(`
"
exit 2
error: FOLDER is not an artifact and not empty; writing there would delete what it holds.

Give another folder.
"
`);
});

test("settings for an artifact", async () => {
  expect(await refusal(["train", "artifact", "train.steps=3"])).toMatchInlineSnapshot(`
"
exit 2
error: artifact is an artifact: its configuration is compiled into it.

Change the configuration where the model is, and train that: xenarc train MODEL.ts key=value
"
`);
});

test("no Python", async () => {
  expect(await refusal(["train", "artifact"], { XENARC_PYTHON: "/nowhere/python" })).toMatchInlineSnapshot(`
"
exit 3
error: XENARC_PYTHON is /nowhere/python, which does not run.

Expected: Python 3.11 or newer.
Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), or set XENARC_PYTHON to its path.
"
`);
  const { code, out } = await xenarc({ cwd, env: { XENARC_PYTHON: "/nowhere/python" } }, "doctor");
  expect(`\nexit ${code}\n${out.replace(/\d+\.\d+\.\d+/g, "VERSION")}`).toMatchInlineSnapshot(`
"
exit 3
✓  Node     VERSION
✓  esbuild  VERSION
✗  Python   XENARC_PYTHON is /nowhere/python, which does not run.
    Expected: Python 3.11 or newer.
    Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python), or set XENARC_PYTHON to its path.

Something is missing; see above.
"
`);
});

describe("an artifact", () => {
  /** A copy of the artifact with one file changed. */
  const damaged = (name: string, change: (folder: string) => void): string => {
    cpSync(join(cwd, "artifact"), join(cwd, name), { recursive: true });
    change(join(cwd, name));
    return name;
  };

  test("that was tampered with", async () => {
    const name = damaged("tampered", (at) => appendFileSync(join(at, "programs/init.mlir"), "// x\n"));
    expect(await refusal(["inspect", name])).toMatchInlineSnapshot(`
"
exit 1
error: tampered/programs/init.mlir is not the file that the artifact was written with (its SHA-256 differs).

Compile the model again; do not edit an artifact's files.
"
`);
    expect(await refusal(["train", name])).toMatchInlineSnapshot(`
"
exit 1
error: tampered/programs/init.mlir is not the file that the artifact was written with (its SHA-256 differs).

Compile the model again; do not edit an artifact's files.
"
`);
  });

  test("whose manifest leads outside", async () => {
    const name = damaged("escaping", (at) => {
      const manifest = readFileSync(join(at, "manifest.json"), "utf8");
      writeFileSync(join(at, "manifest.json"), manifest.replace("programs/init.mlir", "../text.txt"));
    });
    expect(await refusal(["inspect", name])).toMatchInlineSnapshot(`
"
exit 1
error: The manifest is damaged: \`programs.init.file\`: must be a path inside the artifact.

  escaping/manifest.json

Compile the model again.
"
`);
  });

  test("that is corrupt", async () => {
    const name = damaged("corrupt", (at) => writeFileSync(join(at, "manifest.json"), "{"));
    // How JSON is wrong is said by Node, each version in its own words.
    expect(await refusal(["inspect", name])).toMatch(
      /^\nexit 1\nerror: The manifest is not JSON: .+\n\n.*manifest\.json\n\nCompile the model again\.\n$/,
    );
  });

  test("without the entry point asked for", async () => {
    const args = ["run", "artifact", "forwrd", "--in", "a", "--out", "b"];
    expect(await refusal(args)).toMatchInlineSnapshot(`
"
exit 2
error: The artifact has no entry point "forwrd". Did you mean "forward"?

Expected: one of decode_step, eval_step, forward, init, prefill, train_step.
"
`);
  });
});

describe("text", () => {
  const train = (data: string): Promise<string> => refusal(["train", "artifact", "--data", data]);

  test("that is not UTF-8", async () => {
    expect(await train(write("latin1.txt", Buffer.from("caf\xe9 au lait", "latin1")))).toMatchInlineSnapshot(`
"
exit 1
error: latin1.txt is not UTF-8: byte 0xe9 at offset 3 (invalid continuation byte).

Convert it (iconv -f latin1 -t utf-8), or leave it out.
"
`);
  });
  test("that is empty", async () => {
    expect(await train(write("empty.txt", ""))).toMatchInlineSnapshot(`
"
exit 1
error: There is no text in empty.txt.

Give a UTF-8 file, or a folder that holds some.
"
`);
  });
  test("that is shorter than the context", async () => {
    expect(await train(write("short.txt", "short\n"))).toMatchInlineSnapshot(`
"
exit 1
error: The text in short.txt has 6 bytes, 5 of them for training; the model's context of 16 needs at least 17.

Give more text, or compile the model with a smaller context.
"
`);
  });
  test("that is not there", async () => {
    expect(await train("nowhere.txt")).toMatchInlineSnapshot(`
"
exit 1
error: There is no file or folder nowhere.txt.

Name a UTF-8 file, a folder, a glob such as data/*.jsonl, or a URL.
"
`);
  });
});

test("a folder that init must not fill", async () => {
  const full = folder({ "notes.txt": "mine\n" });
  const { code, err } = await xenarc({ cwd: full }, "init", ".");
  expect(`\nexit ${code}\n${err}`).toMatchInlineSnapshot(`
"
exit 2
error: . is not empty: it has notes.txt.

Name a new folder: xenarc init my-model
"
`);
});
