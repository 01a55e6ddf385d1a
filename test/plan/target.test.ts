import { CHIPS, peak } from "../../compiler/plan/chips.js";
import { parseTarget } from "../../compiler/plan/target.js";

const facts = (text: string) => {
  const { name, devices, slices, topology, generation } = parseTarget(text);
  return { name, devices, slices, topology, generation };
};

test.each([
  ["tpu:v5p:4x4x4", "tpu:v5p:4x4x4", 64],
  ["tpu:v5e:16x16,slices=2", "tpu:v5e:16x16,slices=2", 512],
  ["tpu:v3:8x16", "tpu:v3:8x16", 256], // two devices a chip
  ["tpu:7x:4x4x4", "tpu:7x:4x4x4", 128],
  ["tpu:tpu7x:4x4x4", "tpu:7x:4x4x4", 128],
  ["TPU:V4:2x2x4", "tpu:v4:2x2x4", 16],
  ["cpu:8", "cpu:8", 8],
  ["cpu", "cpu:1", 1],
  ["gpu:h100:16", "gpu:h100:16", 16],
])("%s", (text, name, devices) => {
  expect(parseTarget(text)).toMatchObject({ name, devices });
});

// The names and shapes of the tables in Google's documentation of each generation.
test.each([
  ["v3-8", "2x2", 8],
  ["v3-256", "8x16", 256],
  ["v3-2048", "32x32", 2048],
  ["v4-8", "2x2x1", 4],
  ["v4-32", "2x2x4", 16],
  ["v4-256", "4x4x8", 128],
  ["v5litepod-8", "2x4", 8],
  ["v5litepod-256", "16x16", 256],
  ["v5p-64", "2x4x4", 32],
  ["v5p-256", "4x4x8", 128],
  ["v5p-1024", "8x8x8", 512],
  ["v6e-1", "1x1", 1],
  ["v6e-64", "8x8", 64],
])("Google Cloud's %s is %s", (name, topology, devices) => {
  const target = parseTarget(`tpu:${name}`);
  expect(target.topology?.join("x")).toBe(topology);
  expect(target.devices).toBe(devices);
});

test("a target's name means the target", () => {
  for (const text of ["tpu:v3-256", "tpu:v5e:4x4,slices=3", "gpu:b200", "cpu:4"]) {
    expect(facts(parseTarget(text).name)).toEqual(facts(text));
  }
});

const mistakes = [
  "tpu",
  "tpu:v5p",
  "tpu:v5p:4x4",
  "tpu:v5e:4x4x4",
  "tpu:v5e:32x16",
  "tpu:v5p:4xx4",
  "tpu:v5q:4x4x4",
  "tpu:v3-100",
  "tpu:7x-128",
  "tpu:v5e:4x4,slice=2",
  "tpu:v5e:4x4,slices=0",
  "gpu:h10:8",
  "gpu:h100:8,slices=2",
  "cpu:eight",
  "npu:4",
  "",
];
test.each(mistakes)("%p is refused", (text) => {
  expect(() => parseTarget(text)).toThrowErrorMatchingSnapshot();
});

test("rates of element types", () => {
  expect(peak(CHIPS.v5e, "bf16")).toBe(197e12);
  expect(peak(CHIPS.v5e, "s8")).toBe(393e12);
  expect(peak(CHIPS["7x"], "f8e4m3fn")).toBe(2307e12);
  expect(peak(CHIPS.v3, "f32")).toBe(61.5e12); // on TPUs in passes over bf16
  expect(peak(CHIPS.a100, "f32")).toBe(19.5e12);
});
