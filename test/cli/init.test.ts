/** A project made by the packed package, in an empty folder, with nothing of this repository around it. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { folder, root, run, SLOW } from "./command.js";

test(
  "init makes a project that compiles, type-checks and passes its test",
  async () => {
    const { ensureBuild } = await import(new URL("../../scripts/setup.mjs", import.meta.url).href);
    await ensureBuild();
    const cwd = folder();
    const npm = (...args: string[]) => run({ cwd: root }, "npm", ...args);
    const packed = await npm("pack", "--ignore-scripts", "--silent", "--pack-destination", cwd);
    expect([packed.code, packed.err]).toEqual([0, ""]);

    // What `npm install` of the tarball makes, without the network: the dependencies are this repository's.
    const modules = join(cwd, "node_modules");
    mkdirSync(join(modules, "xenarc"), { recursive: true });
    await run({ cwd }, "tar", "-xzf", packed.out.trim(), "--strip-components=1", "-C", join(modules, "xenarc"));
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (name !== "xenarc" && name !== ".bin") symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    const xenarc = (where: string, ...args: string[]) =>
      run({ cwd: where }, process.execPath, join(modules, "xenarc/dist/cli/main.js"), ...args);

    const made = await xenarc(cwd, "init", "My Model");
    expect([made.code, made.err]).toEqual([0, ""]);
    expect(made.out).toContain("\n  cd 'My Model'");
    const project = join(cwd, "My Model");
    symlinkSync(modules, join(project, "node_modules"));
    const settings = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
    expect(settings).toMatchObject({ name: "my-model", dependencies: { xenarc: expect.stringMatching(/^\d/) } });
    const model = readFileSync(join(project, "model.ts"), "utf8");
    const imported = [...model.matchAll(/from "([\w-]+)/g)].map(([, name]) => name);
    expect(Object.keys(settings.dependencies)).toEqual(expect.arrayContaining(imported));
    // Editors find the schema from the first line of the configuration.
    const yaml = readFileSync(join(project, "config.yaml"), "utf8");
    const address = /^# yaml-language-server: \$schema=(\S+)\n/.exec(yaml)![1]!;
    const schema = JSON.parse(readFileSync(join(project, address), "utf8"));
    expect(schema).toEqual(JSON.parse((await xenarc(project, "config", "schema")).out));
    expect(settings.scripts.schema).toBe(`xenarc config schema > ${address}`);
    // A checkout is not the release of the same number.
    expect((await run({ cwd }, process.execPath, join(root, "dist/cli/main.js"), "init", "here")).code).toBe(0);
    const { dependencies } = JSON.parse(readFileSync(join(cwd, "here/package.json"), "utf8"));
    expect(resolve(cwd, "here", dependencies.xenarc.replace(/^file:/, ""))).toBe(resolve(root));

    const compiled = await xenarc(project, "compile", "--json");
    expect([compiled.code, compiled.err]).toEqual([0, ""]);
    expect(JSON.parse(compiled.out)).toMatchObject({ name: "my-model", artifact: "artifacts/my-model" });
    const types = await run({ cwd: project }, process.execPath, "node_modules/typescript/bin/tsc");
    expect([types.code, types.out]).toEqual([0, ""]);

    const jest = (...args: string[]) =>
      run({ cwd: project }, process.execPath, ...settings.scripts.test.split(" ").slice(1), ...args);
    // Jest takes CI=true for --ci, under which nothing is written.
    const first = await jest("--ci=false");
    expect(first.err).toContain("1 snapshot written");
    const second = await jest("--ci");
    expect([second.code, second.err]).toEqual([0, expect.stringContaining("1 passed")]);
    const golden = readFileSync(join(project, "__golden__/model.mlir"), "utf8");
    expect(golden).toContain("stablehlo.dot_general");
    expect(golden).not.toContain(cwd);
    // It is the program that is trained: what config.yaml says is in it.
    writeFileSync(join(project, "config.yaml"), yaml.replace("embed: 128", "embed: 64"));
    const narrower = await jest("--ci");
    expect([narrower.code, narrower.err]).toEqual([1, expect.stringContaining("1 failed")]);

    // The raw vocabulary is that of the installed package's own tracer.
    const script = `import { lower, spec, Tensor } from "xenarc";
      import { hlo } from "xenarc/hlo";
      const ones = (x) => new Tensor(x.names, hlo().popcnt(x.value));
      console.log(await lower(ones, spec({ row: 2 }, "i32")));`;
    const raw = await run({ cwd: project }, process.execPath, "--input-type=module", "-e", script);
    expect([raw.code, raw.out]).toEqual([0, expect.stringContaining("stablehlo.popcnt %_0 : tensor<2xi32>")]);
  },
  SLOW,
);
