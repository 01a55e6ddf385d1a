/** How constants are written, down to the byte, for all element types: those, too, that programs do not compute with here. */
import fc from "fast-check";
import { type DType, Region } from "../../compiler/ir.js";
import { printModule } from "../../emit/print.js";
import { HloBuilder } from "../../ops/hlo/index.js";
import { arrayOf, floatBits } from "../../ops/hlo/literal.js";
import { canonical, encode } from "../oracle/oracle.js";

const formats: readonly (readonly [DType, bits: number])[] = [
  ["f8E4M3FN", 8],
  ["f8E5M2", 8],
  ["bf16", 16],
  ["f16", 16],
  ["f32", 32],
  ["f64", 64],
  ["i2", 2],
  ["i4", 4],
  ["ui2", 2],
  ["ui4", 4],
  ["i16", 16],
  ["ui16", 16],
];

/** Bit patterns, decimal fractions (which print short) and integers. */
const elements = (dtype: DType, bits: number) =>
  dtype.startsWith("i") || dtype.startsWith("ui")
    ? fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n })
    : fc.oneof(
        fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }),
        fc
          .record({ digits: fc.integer({ min: -9_999_999, max: 9_999_999 }), power: fc.integer({ min: -12, max: 8 }) })
          .map(({ digits, power }) => floatBits(Number(`${digits}e${power}`), dtype)),
      );

const constants = fc.tuple(
  ...formats.map(([dtype, bits]) =>
    fc.record({
      dtype: fc.constant(dtype),
      bits: fc.constant(bits),
      // A list, or more than a hundred: a blob.
      words: fc.oneof(...[1, 60, 101].map((n) => fc.array(elements(dtype, bits), { minLength: n, maxLength: n }))),
    }),
  ),
);

test("constants of every type are written as MLIR writes them", () =>
  fc.assert(
    fc.asyncProperty(constants, async (drawn) => {
      const body = new Region();
      const b = HloBuilder.into(body);
      for (const { dtype, bits, words } of drawn) {
        const data = new (arrayOf(dtype))(words.length) as Uint8Array;
        const view = new DataView(data.buffer);
        const signed = dtype.startsWith("i");
        words.forEach((word, i) => {
          if (bits <= 8) view.setUint8(i, Number(signed ? BigInt.asIntN(bits, word) : word));
          else if (bits === 16) view.setUint16(2 * i, Number(word), true);
          else if (bits === 32) view.setUint32(4 * i, Number(word), true);
          else view.setBigUint64(8 * i, word, true);
        });
        body.results.push(b.constantData({ shape: [words.length], dtype }, data));
      }
      const text = printModule({ name: "test", funcs: [{ name: "main", body }] }, { names: "canonical" });
      expect(text).toBe(await canonical(text));
    }),
    { numRuns: 20, endOnFailure: true },
  ));

test("numbers are rounded to the nearest of a format, ties to even", () =>
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.double({ min: -7e4, max: 7e4 })), (x) => {
      const bitsOf = (dtype: DType, y: number) => Buffer.from(encode(dtype, [], [y]).data).readUInt16LE();
      expect(Number(floatBits(x, "f16"))).toBe(bitsOf("f16", x));
      expect(Number(floatBits(Math.fround(x), "bf16"))).toBe(bitsOf("bf16", Math.fround(x)));
    }),
    { numRuns: 2000 },
  ));
