import fc from "fast-check";
import { CHIPS } from "../../compiler/plan/chips.js";
import { axesOfGroups, collectives, collectiveTable, replicaGroups } from "../../compiler/plan/collectives.js";
import { costliest, kernels, largestBuffers, totalCost } from "../../compiler/plan/costs.js";
import { type HloModule, parseOptimizedHlo } from "../../compiler/plan/optimized_hlo.js";

// Written by hand in XLA's syntax: a loop of 5 trips within one of 3, whose counter is compared as XLA:TPU leaves it; counts are worked out below.
const NESTED = `HloModule jit_step, is_scheduled=true, num_partitions=8

FileNames
1 "xenarc/models/layers/linear.ts"
2 "model.ts"

FunctionNames
1 "call"
2 "step"

FileLocations
1 {file_name_id=1 function_name_id=1 line=37 end_line=37 column=15 end_column=20}
2 {file_name_id=2 function_name_id=2 line=12 end_line=12 column=3 end_column=9}

StackFrames
1 {file_location_id=2 parent_frame_id=1}
2 {file_location_id=1 parent_frame_id=2}

%add (a: f32[], b: f32[]) -> f32[] {
  %a = f32[] parameter(0)
  %b = f32[] parameter(1)
  ROOT %sum = f32[] add(%a, %b)
}

%fused (p0: bf16[16,32], p1: bf16[32,64]) -> bf16[16,64] {
  %p0 = bf16[16,32]{1,0:T(8,128)(2,1)} parameter(0)
  %p1 = bf16[32,64]{1,0:T(8,128)(2,1)S(1)} parameter(1)
  ROOT %dot.1 = bf16[16,64]{1,0} dot(%p0, %p1), lhs_contracting_dims={1}, rhs_contracting_dims={0}, metadata={op_name="jit(step)/q (a, b)/dot" stack_frame_id=2}
}

%inner_body (arg: (s32[], bf16[16,32], bf16[32,64])) -> (s32[], bf16[16,32], bf16[32,64]) {
  %arg = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}) parameter(0)
  %i = s32[] get-tuple-element(%arg), index=0
  %x = bf16[16,32]{1,0:T(8,128)(2,1)} get-tuple-element(%arg), index=1
  %w = bf16[32,64]{1,0:T(8,128)(2,1)S(1)} get-tuple-element(%arg), index=2
  %fusion.1 = bf16[16,64]{1,0:T(8,128)(2,1)} fusion(%x, %w), kind=kOutput, calls=%fused, metadata={op_name="jit(step)/q (a, b)/dot" stack_frame_id=2}
  %all-reduce.1 = bf16[16,64]{1,0} all-reduce(%fusion.1), channel_id=1, replica_groups=[4,2]<=[8], use_global_device_ids=true, to_apply=%add, metadata={op_name="jit(step)/q (a, b)/dot" stack_frame_id=2}
  %two = s32[] constant(2)
  %next = s32[] subtract(%i, %two)
  ROOT %out = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}) tuple(%next, %x, /*index=2*/%w)
}

%inner_condition (arg.1: (s32[], bf16[16,32], bf16[32,64])) -> pred[] {
  %arg.1 = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}) parameter(0)
  %i.1 = s32[] get-tuple-element(%arg.1), index=0
  %zero = s32[] constant(0)
  ROOT %more = pred[] compare(%zero, %i.1), direction=LT
}

%async (q: f32[4,8]) -> f32[32,8] {
  %q = f32[4,8]{1,0} parameter(0)
  ROOT %all-gather.1 = f32[32,8]{1,0} all-gather(%q), channel_id=2, replica_groups={}, dimensions={0}
}, execution_thread="sparsecore"

%all-reduce-scatter.7 (r: f32[8,8]) -> f32[2,8] {
  %r = f32[8,8]{1,0} parameter(0)
  %all-reduce.2 = f32[8,8]{1,0} all-reduce(%r), channel_id=3, replica_groups={{0,2,4,6},{1,3,5,7}}, use_global_device_ids=true, to_apply=%add
  %at = s32[] constant(0)
  ROOT %part = f32[2,8]{1,0} dynamic-slice(%all-reduce.2, %at, %at), dynamic_slice_sizes={2,8}
}

%outer_body (arg.2: (s32[], bf16[16,32], bf16[32,64], f32[4,8], s32[])) -> (s32[], bf16[16,32], bf16[32,64], f32[4,8], s32[]) {
  %arg.2 = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}, f32[4,8]{1,0}, s32[]) parameter(0)
  %i.2 = s32[] get-tuple-element(%arg.2), index=0
  %x.2 = bf16[16,32]{1,0} get-tuple-element(%arg.2), index=1
  %w.2 = bf16[32,64]{1,0} get-tuple-element(%arg.2), index=2
  %s.2 = f32[4,8]{1,0} get-tuple-element(%arg.2), index=3
  %n.2 = s32[] get-tuple-element(%arg.2), index=4
  %ten = s32[] constant(10)
  %inner_start = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}) tuple(%ten, %x.2, %w.2)
  %inner = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}) while(%inner_start), condition=%inner_condition, body=%inner_body
  %gather-start = ((f32[4,8]{1,0}), f32[32,8]{1,0}) async-start(%s.2), calls=%async
  %gather-done = f32[32,8]{1,0} async-done(%gather-start)
  %permute-start = (f32[4,8]{1,0}, f32[4,8]{1,0}, u32[], u32[]) collective-permute-start(%s.2), channel_id=4, source_target_pairs={{0,2},{2,4},{4,6},{6,0},{1,3},{3,5},{5,7},{7,1}}
  %permute-done = f32[4,8]{1,0} collective-permute-done(%permute-start)
  %one = s32[] constant(1)
  %next.2 = s32[] add(%i.2, %one)
  ROOT %out.2 = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}, f32[4,8]{1,0}, s32[]) tuple(%next.2, %x.2, %w.2, %permute-done, %n.2)
}

%outer_condition (arg.3: (s32[], bf16[16,32], bf16[32,64], f32[4,8], s32[])) -> pred[] {
  %arg.3 = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}, f32[4,8]{1,0}, s32[]) parameter(0)
  %i.3 = s32[] get-tuple-element(%arg.3), index=0
  %n.3 = s32[] get-tuple-element(%arg.3), index=4
  ROOT %more.3 = pred[] compare(%i.3, %n.3), direction=LT
}

ENTRY %main (x.4: bf16[16,32], w.4: bf16[32,64], s.4: f32[4,8], big: f32[8,8]) -> f32[2,8] {
  %x.4 = bf16[16,32]{1,0} parameter(0)
  %w.4 = bf16[32,64]{1,0} parameter(1)
  %s.4 = f32[4,8]{1,0} parameter(2)
  %big = f32[8,8]{1,0} parameter(3)
  %start = s32[] constant(-1)
  %bound = s32[] constant(2)
  %copied = s32[] copy(%start)
  %first = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}, f32[4,8]{1,0}, s32[]) tuple(%copied, %x.4, %w.4, %s.4, %bound)
  %outer = (s32[], bf16[16,32]{1,0}, bf16[32,64]{1,0}, f32[4,8]{1,0}, s32[]) while(%first), condition=%outer_condition, body=%outer_body
  %kernel = f32[8,8]{1,0} custom-call(%big), custom_call_target="tpu_custom_call", frontend_attributes={kernel_metadata={
"xprof_metadata":"{\\"block\\": 1, }"
}}, backend_config={"custom_call_config":{"body":"a,b(c}","cost_estimate":{"flops":"1000","transcendentals":"0","bytes_accessed":"64"}}}
  ROOT %scattered = f32[2,8]{1,0} fusion(%kernel), kind=kCustom, calls=%all-reduce-scatter.7
}
`;

const MESH = {
  axes: [
    { name: "data", size: 4 },
    { name: "model", size: 2 },
  ],
};

test("a loop whose length is computed counts as often as the program expects", () => {
  const unknown = NESTED.replace("%bound = s32[] constant(2)", "%bound = s32[] negate(%start)");
  const body = (text: string) => {
    const module = parseOptimizedHlo(text);
    return [module.runs(module.computations.get("outer_body")!), module.unknownLoops];
  };
  expect(body(unknown)).toEqual([1, ["outer"]]);
  const told = `body=%outer_body, frontend_attributes={xenarc.expected_trips="2.5"}`;
  expect(body(unknown.replace("body=%outer_body", told))).toEqual([2.5, []]);
  expect(body(NESTED.replace("body=%outer_body", told))).toEqual([3, []]);
});

describe("a program worked out by hand", () => {
  const module = parseOptimizedHlo(NESTED);

  test("loops multiply along the calls", () => {
    const runs = Object.fromEntries([...module.computations.values()].map((c) => [c.name, module.runs(c)]));
    expect(module.unknownLoops).toEqual([]);
    // The outer loop counts -1, 0, 1; the inner 10, 8, 6, 4, 2.
    expect(runs).toMatchObject({ main: 1, outer_body: 3, outer_condition: 4, inner_body: 15, inner_condition: 18 });
    expect(runs).toMatchObject({ fused: 15, async: 3, "all-reduce-scatter.7": 1, add: 0 });
  });

  test("collectives by kind and axes", () => {
    expect(collectiveTable(collectives(module, MESH))).toEqual([
      // 16 x 64 x 2 bytes, 15 times, over two devices: 2 x 1/2.
      { kind: "all-reduce", axes: ["model"], acrossSlices: false, count: 15, bytes: 30_720, sent: 30_720 },
      // 32 x 8 x 4 bytes, over all: 7/8.
      { kind: "all-gather", axes: ["data", "model"], acrossSlices: false, count: 3, bytes: 3072, sent: 2688 },
      { kind: "collective-permute", axes: ["data"], acrossSlices: false, count: 3, bytes: 384, sent: 384 },
      // 8 x 8 x 4 bytes over four devices: 3/4.
      { kind: "reduce-scatter", axes: ["data"], acrossSlices: false, count: 1, bytes: 256, sent: 192 },
    ]);
  });

  test("costs, with the line of each", () => {
    const [first] = costliest(module, CHIPS.v5e, MESH, 1);
    expect(first).toMatchObject({
      opName: "jit(step)/q (a, b)/dot",
      stack: [
        { file: "xenarc/models/layers/linear.ts", line: 37, column: 15, function: "call" },
        { file: "model.ts", line: 12, column: 3, function: "step" },
      ],
      flops: 15 * 2 * 16 * 64 * 32,
      // The fusion reads x and writes its result, the weights lie on the chip; the all-reduce reads and writes.
      bytes: 15 * (16 * 32 * 2 + 16 * 64 * 2 + 2 * 16 * 64 * 2),
      sent: 30_720,
      runs: 30,
    });
    expect(totalCost(module, CHIPS.v5e, MESH).flops).toBe(15 * 2 * 16 * 64 * 32 + 1000);
    expect([...kernels(module)]).toEqual([["tpu_custom_call", 1]]);
    expect(largestBuffers(module, 1)[0]).toMatchObject({ bytes: 2048, shape: { dtype: "bf16", dimensions: [16, 64] } });
  });
});

/** A program of one instruction on two operands. */
function single(result: string, left: string, right: string, call: string): HloModule {
  return parseOptimizedHlo(`HloModule m
ENTRY %main (a: ${left}, b: ${right}) -> ${result} {
  %a = ${left} parameter(0)
  %b = ${right} parameter(1)
  ROOT %r = ${result} ${call}
}
`);
}

describe("operations of convolutions", () => {
  test("of an image, whose border reads padding", () => {
    // 4 x 4 pixels, a window of 3 x 3 with a border of 1: along a dimension 2 + 3 + 3 + 2 positions are inside.
    const call = "convolution(%a, %b), window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_01io->b01f";
    expect(totalCost(single("f32[2,4,4,7]", "f32[2,4,4,5]", "f32[3,3,5,7]", call)).flops).toBe(2 * 2 * 7 * 5 * 10 * 10);
  });

  test("of a product of matrices with a batch, as XLA:TPU writes it", () => {
    // The batch of 6 is a window of 6 over an input of 6 dilated by 5: each output meets one position.
    const call = "convolution(%a, %b), window={size=6 stride=5 pad=0_0 lhs_dilate=6}, dim_labels=0bf_0io->0bf";
    expect(totalCost(single("f32[6,8,16]", "f32[6,8,32]", "f32[6,32,16]", call)).flops).toBe(2 * 6 * 8 * 16 * 32);
  });

  test("of two contracted dimensions", () => {
    const call = "convolution(%a, %b), window={size=2}, dim_labels=0fb_0io->bf0";
    expect(totalCost(single("f32[8,16,1]", "f32[2,32,8]", "f32[2,32,16]", call)).flops).toBe(2 * 8 * 16 * 2 * 32);
  });
});

test("what slices an array, or writes a slice into it, touches no more", () => {
  const module = parseOptimizedHlo(`HloModule m
%fused (p0: f32[8,16,4], p1: f32[16,4], p2: s32[]) -> f32[8,16,4] {
  %p0 = f32[8,16,4]{2,1,0} parameter(0)
  %p1 = f32[16,4]{1,0} parameter(1)
  %p2 = s32[] parameter(2)
  %zero = s32[] constant(0)
  %slice = f32[1,16,4]{2,1,0} dynamic-slice(%p0, %p2, %zero, %zero), dynamic_slice_sizes={1,16,4}
  %row = f32[16,4]{1,0} bitcast(%slice)
  %sum = f32[16,4]{1,0} add(%row, %p1)
  %update = f32[1,16,4]{2,1,0} bitcast(%sum)
  ROOT %written = f32[8,16,4]{2,1,0} dynamic-update-slice(%p0, %update, %p2, %zero, %zero)
}

ENTRY %main (a: f32[8,16,4], b: f32[16,4], i: s32[]) -> f32[8,16,4] {
  %a = f32[8,16,4]{2,1,0} parameter(0)
  %b = f32[16,4]{1,0} parameter(1)
  %i = s32[] parameter(2)
  ROOT %r = f32[8,16,4]{2,1,0} fusion(%a, %b, %i), kind=kLoop, calls=%fused
}
`);
  const row = 16 * 4 * 4;
  expect(totalCost(module).bytes).toBe(row + row + 4 + row);
});

test("so does a fusion inside another", () => {
  const inside = (body: string) =>
    parseOptimizedHlo(`HloModule m
%inner (q0: f32[8,16,4], q1: s32[]) -> f32[16,4] {
  %q0 = f32[8,16,4]{2,1,0} parameter(0)
  %q1 = s32[] parameter(1)
  %zero = s32[] constant(0)
  ${body}
  ROOT %row = f32[16,4]{1,0} bitcast(%slice)
}

%fused (p0: s32[], p1: f32[8,16,4]) -> f32[16,4] {
  %p0 = s32[] parameter(0)
  %p1 = f32[8,16,4]{2,1,0} parameter(1)
  %taken = f32[16,4]{1,0} fusion(%p1, %p0), kind=kLoop, calls=%inner
  ROOT %negated = f32[16,4]{1,0} negate(%taken)
}

ENTRY %main (a: f32[8,16,4], i: s32[]) -> f32[16,4] {
  %a = f32[8,16,4]{2,1,0} parameter(0)
  %i = s32[] parameter(1)
  ROOT %r = f32[16,4]{1,0} fusion(%i, %a), kind=kOutput, calls=%fused
}
`);
  const row = 16 * 4 * 4;
  const slice = "%slice = f32[1,16,4]{2,1,0} dynamic-slice(%q0, %q1, %zero, %zero), dynamic_slice_sizes={1,16,4}";
  expect(totalCost(inside(slice)).bytes).toBe(row + 4 + row);
  const whole = "%twice = f32[8,16,4]{2,1,0} add(%q0, %q0)";
  const ofTwice = slice.replace("(%q0,", "(%twice,");
  expect(totalCost(inside(`${whole}\n  ${ofTwice}`)).bytes).toBe(8 * row + 4 + row);
});

test("a copy ahead of its use costs what it moves, and belongs to its user", () => {
  const module = parseOptimizedHlo(`HloModule m

ENTRY %main (a: f32[4,128,512]) -> f32[128,512] {
  %a = f32[4,128,512]{2,1,0:T(8,128)} parameter(0), metadata={op_name="a"}
  %start = ((f32[4,128,512]{2,1,0:T(8,128)}), f32[1,128,512]{2,1,0:T(8,128)S(1)}, s32[]{:S(2)}) slice-start(%a), slice={[0:1], [0:128], [0:512]}
  %done = f32[1,128,512]{2,1,0:T(8,128)S(1)} slice-done(%start)
  %row = f32[128,512]{1,0:T(8,128)S(1)} bitcast(%done)
  ROOT %r = f32[128,512]{1,0:T(8,128)} negate(%row), metadata={op_name="mlp/negate" source_file="model.ts" source_line=7}
}
`);
  const row = 128 * 512 * 4;
  // The slice is read once; the result is written from the chip.
  expect(costliest(module, CHIPS.v5e)).toMatchObject([
    { opName: "mlp/negate", bytes: 2 * row, runs: 2, stack: [{ file: "model.ts", line: 7 }] },
  ]);
  expect(largestBuffers(module)).toMatchObject([{ bytes: row, opName: "mlp/negate" }]);
});

describe("groups of devices", () => {
  test.each<[text: string, groups: number[][]]>([
    [
      "{{0,1},{2,3}}",
      [
        [0, 1],
        [2, 3],
      ],
    ],
    ["{}", [[0, 1, 2, 3, 4, 5, 6, 7]]],
    [
      "[2,4]<=[8]",
      [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
      ],
    ],
    [
      "[2,4]<=[4,2]T(1,0)",
      [
        [0, 2, 4, 6],
        [1, 3, 5, 7],
      ],
    ],
    [
      "[4,2]<=[2,2,2]T(1,2,0)",
      [
        [0, 4],
        [1, 5],
        [2, 6],
        [3, 7],
      ],
    ],
    [
      "mesh['axis_0'=4,'axis_1'=2] {'axis_0'}",
      [
        [0, 2, 4, 6],
        [1, 3, 5, 7],
      ],
    ],
    ["mesh['axis_0'=4,'axis_1'=1,'axis_2'=2] {'axis_0','axis_2'}", [[0, 1, 2, 3, 4, 5, 6, 7]]],
    [
      "mesh['axis_0'=2,'axis_1'=4], device_ids=([4,2]T(1,0)) {'axis_1'}",
      [
        [0, 2, 4, 6],
        [1, 3, 5, 7],
      ],
    ],
    [
      "mesh['axis_0'=8] {'axis_0':(2)2}",
      [
        [0, 2],
        [1, 3],
        [4, 6],
        [5, 7],
      ],
    ],
  ])("%s", (text, groups) => {
    expect(replicaGroups(text, 8)).toEqual(groups);
  });

  test("along any axes of any mesh are found", () => {
    const meshes = fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(meshes, fc.infiniteStream(fc.boolean()), (sizes, coins) => {
        const axes = sizes.map((size, i) => ({ name: `a${i}`, size }));
        const used = axes.filter(() => coins.next().value);
        const groups = new Map<string, number[]>();
        const devices = sizes.reduce((a, b) => a * b, 1);
        for (let device = 0; device < devices; device++) {
          let rest = device;
          const coordinates = [...axes].reverse().map(({ name, size }) => {
            const at = rest % size;
            rest = Math.floor(rest / size);
            return used.some((axis) => axis.name === name) ? "" : `${name}=${at}`;
          });
          const key = coordinates.join();
          groups.set(key, [...(groups.get(key) ?? []), device]);
        }
        expect(axesOfGroups([...groups.values()], axes)).toEqual(used.map((axis) => axis.name));
      }),
    );
  });
});

test("a text that is no HLO is refused", () => {
  expect(() => parseOptimizedHlo("module {}")).toThrow("This is no HLO module: it has no ENTRY computation.");
});

test("50 MB take seconds", () => {
  const filler = `  %f.N = f32[1024,1024]{1,0:T(8,128)} add(%a, %b), metadata={op_name="jit(step)/add" stack_frame_id=1}, backend_config={"window_config":{"estimated_cycles":"13539","x":"${"y".repeat(300)}"}}\n`;
  const lines = Array.from({ length: 120_000 }, (_, i) => filler.replace("f.N", `f.${i}`)).join("");
  const text = `HloModule m

ENTRY %main (a: f32[1024,1024], b: f32[1024,1024]) -> f32[1024,1024] {
  %a = f32[1024,1024]{1,0:T(8,128)} parameter(0)
  %b = f32[1024,1024]{1,0:T(8,128)} parameter(1)
${lines}  ROOT %r = f32[1024,1024]{1,0:T(8,128)} add(%a, %b)
}
`;
  expect(text.length).toBeGreaterThan(50e6);
  const started = performance.now();
  const module = parseOptimizedHlo(text);
  collectives(module, MESH);
  costliest(module, CHIPS.v5p, MESH);
  expect(module.entry.instructions.size).toBe(120_003);
  expect(performance.now() - started).toBeLessThan(20_000);
});
