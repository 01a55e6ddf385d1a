import { concatenate, constant } from "../../../ops/functions.js";
import { describe, type Tensor, tensorError } from "../../../ops/tensor.js";

/** Takes of a tensor the places whose turn it is; one without their axis, and nothing, stay as they are. */
type Part = <T extends Tensor | undefined>(x: T) => T;

/**
 * Places along an axis that take windows in turn: with two windows, each second place has the same. On a mesh that splits the axis every
 * device has all windows.
 * @throws XenarcError when it is not one axis of the key, or they do not come out even.
 */
export function inTurns(windows: Readonly<Record<string, readonly number[]>>, key: Tensor) {
  const [[axis, sizes] = ["", []], ...more] = Object.entries(windows);
  const rounds = sizes.length > 0 && key.has(axis) ? key.size(axis) / sizes.length : 0;
  if (more.length > 0 || rounds === 0 || !Number.isInteger(rounds)) {
    throw tensorError(`attention: the windows are ${JSON.stringify(windows)}, the key ${describe(key)}.`, [key], {
      expected: "one axis that queries and keys share, whose size is a multiple of the number of windows",
    });
  }
  const inPlace = (x: Tensor) => x.names.flatMap((n) => (n === axis ? [axis, "turn"] : [n]));
  const split = (x: Tensor, turn: number) => x.split<string, string>(axis, { [axis]: rounds, turn }) as Tensor;
  /** Neighbouring turns with the same window are one piece of work. */
  const runs = sizes.flatMap((window, from) => {
    if (from > 0 && sizes[from - 1] === window) return [];
    const next = sizes.findIndex((w, i) => i > from && w !== window);
    return [{ window, from, to: next < 0 ? sizes.length : next }];
  });

  return {
    /** The window of each place (i32). */
    each: (): Tensor => {
      const all = Array.from({ length: rounds }, () => sizes).flat();
      return constant({ [axis]: all.length }, all, "i32") as Tensor;
    },
    /** What `f` makes of the places of each window, put together. */
    join(f: (window: number, part: Part) => Tensor): Tensor {
      const pieces = runs.map(({ window, from, to }) => {
        const part = (x: Tensor | undefined) =>
          x?.has(axis)
            ? (split(x, sizes.length).slice("turn", from, to).ordered(inPlace(x)).merge([axis, "turn"], axis) as Tensor)
            : x;
        return f(window, part as Part);
      });
      const whole = concatenate(
        pieces.map((x, i) => split(x, runs[i]!.to - runs[i]!.from)),
        "turn",
      );
      return whole.ordered(inPlace(pieces[0]!)).merge([axis, "turn"], axis) as Tensor;
    },
  };
}
