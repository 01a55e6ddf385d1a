import { fileURLToPath } from "node:url";

/**
 * Settings for projects whose tests are TypeScript and ES modules: `preset: "xenarc"` in jest.config.js, and jest started
 * with `node --experimental-vm-modules`.
 */
const preset: {
  testEnvironment: string;
  extensionsToTreatAsEsm: string[];
  moduleFileExtensions: string[];
  transform: Record<string, string>;
  moduleNameMapper: Record<string, string[]>;
  testMatch: string[];
} = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  moduleFileExtensions: ["ts", "mjs", "js", "cjs", "json", "node"],
  transform: { "\\.ts$": fileURLToPath(new URL("./jest-transform.js", import.meta.url)) },
  // TypeScript's `import "./x.js"` means x.ts; packages' own files keep theirs.
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": ["$1.js", "$1.ts"] },
  testMatch: ["**/*.test.ts"],
};

export default preset;
