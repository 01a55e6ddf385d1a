/** TypeScript as a library: what the compiler says of a file, what the editor shows, what a check costs. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config,
  ts.sys,
  root,
);

const folder = resolve(root, "test/types/cases");
export const caseFile = (name: string): string => resolve(folder, name);

/** Mistakes are expected where tsc checks the repository, and shown here. */
const unsuppressed = (text: string): string => text.replaceAll("@ts-expect-error", "expected:");

/** A language service over files; `virtual` ones exist here alone. */
export function service(files: readonly string[], virtual: Readonly<Record<string, string>> = {}): ts.LanguageService {
  const text = (file: string): string | undefined =>
    virtual[file] ?? (ts.sys.fileExists(file) ? readFileSync(file, "utf8") : undefined);
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...files],
    getScriptVersion: () => "1",
    getScriptSnapshot(file) {
      const source = text(file);
      if (source === undefined) return undefined;
      return ts.ScriptSnapshot.fromString(dirname(file) === folder ? unsuppressed(source) : source);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (file) => file in virtual || ts.sys.fileExists(file),
    readFile: text,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
}

/** An error: the line it stands in (from 0) and tsc's words, the deeper the more indented. */
export interface Mistake {
  readonly line: number;
  readonly message: string;
}

export function mistakes(from: ts.LanguageService, file: string): Mistake[] {
  return [...from.getSyntacticDiagnostics(file), ...from.getSemanticDiagnostics(file)].map(
    ({ file: source, start, messageText }) => ({
      line: source!.getLineAndCharacterOfPosition(start!).line,
      message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    }),
  );
}

/** What the editor shows of the names that `^?` points to, with what stands behind the pointer. */
export function hovers(from: ts.LanguageService, file: string): { expected: string; shown: string }[] {
  const source = from.getProgram()!.getSourceFile(file)!;
  const lines = source.text.split("\n");
  return lines.flatMap((line, i) => {
    const column = line.indexOf("^?");
    if (column < 0 || !line.trimStart().startsWith("//")) return [];
    let target = i - 1;
    while (lines[target]!.includes("^?")) target--;
    const info = from.getQuickInfoAtPosition(file, source.getPositionOfLineAndCharacter(target, column));
    const shown = ts.displayPartsToString(info?.displayParts).replaceAll(/\s+/g, " ");
    return [{ expected: line.slice(column + 2).trim(), shown }];
  });
}

/** What checking a file costs, by TypeScript's own count, beyond a program that has been checked before. */
export function checkingCost(
  name: string,
  text: string,
): { instantiations: number; types: number; milliseconds: number; errors: string[] } {
  const file = caseFile(name);
  const program = service([file], { [file]: text }).getProgram()!;
  // What the libraries cost is paid by the first check, of a file that imports the same.
  const started = performance.now();
  const errors = program
    .getSemanticDiagnostics(program.getSourceFile(file))
    .map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"));
  return {
    instantiations: program.getInstantiationCount(),
    types: program.getTypeCount(),
    milliseconds: performance.now() - started,
    errors,
  };
}
