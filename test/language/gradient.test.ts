/** What gradients are taken with respect to, what is saved for them, and what leaves a program beside its results. */

import type { RematPolicy } from "../../compiler/passes/remat.js";
import { traceProgram } from "../../compiler/trace.js";
import { leaves } from "../../compiler/tree.js";
import { tensor } from "../../ops/array.js";
import {
  assertFinite,
  cond,
  debug,
  grad,
  named,
  remat,
  scan,
  valueAndGrad,
  vjp,
  whileLoop,
} from "../../ops/control.js";
import { dot, iota, scalar } from "../../ops/functions.js";
import { zeros } from "../../ops/initializers.js";
import { Module, param, spec } from "../../ops/module.js";
import type { Scalar, Tensor } from "../../ops/tensor.js";
import { evaluate, programText } from "../../runtime-bridge/evaluate.js";
import { worker } from "../oracle/oracle.js";

const x3 = tensor({ a: 3 }, [1, 2, 3]);
const numbers = (t: unknown): number[] => Array.from((t as Tensor).data as ArrayLike<number>, Number);

describe("with respect to", () => {
  test("a tree: arrays, objects, what is not a tensor", async () => {
    const params = { w: x3, list: [x3, tensor({}, [2])] as const, name: "layer", size: 3, none: undefined };
    const g = await evaluate((p) => grad((q: typeof params) => q.w.mul(q.list[0]).sum("a").mul(q.list[1]))(p), params);
    expect(numbers(g.w)).toEqual([2, 4, 6]);
    expect(numbers(g.list[0])).toEqual([2, 4, 6]);
    expect(numbers(g.list[1])).toEqual([14]);
    expect([g.name, g.size, g.none]).toEqual(["layer", 3, undefined]);
  });

  test("a module: the gradient is one of the same class, its methods work", async () => {
    class Scale extends Module {
      readonly by = param({ a: 3 }, zeros);
      readonly label = "scale";
      call(x: Tensor<"a">): Tensor<"a"> {
        return x.mul(this.by);
      }
      total(): Scalar {
        return this.by.sum("a");
      }
    }
    class Model extends Module {
      readonly layers = [new Scale(), new Scale()];
      call(x: Tensor<"a">): Tensor<"a"> {
        return this.layers.reduce((y, layer) => layer.call(y), x);
      }
    }
    const [loss, g, total] = await evaluate((x) => {
      const model = new Model();
      for (const [i, layer] of model.layers.entries()) Object.assign(layer, { by: x.add(i) });
      const [value, gradient] = valueAndGrad((m: Model) => m.call(x).sum("a"))(model);
      return [value, gradient, gradient.layers[0]!.total()] as const;
    }, x3);
    expect(g).toBeInstanceOf(Model);
    expect(g.layers[0]).toBeInstanceOf(Scale);
    expect(g.layers[0]!.label).toBe("scale");
    // loss = sum(x * x * (x + 1))
    expect(numbers(loss)).toEqual([2 + 12 + 36]);
    expect(numbers(g.layers[0]!.by)).toEqual([2, 6, 12]);
    expect(numbers(g.layers[1]!.by)).toEqual([1, 4, 9]);
    expect(numbers(total)).toEqual([20]);
  });

  test("the argument alone: the same tensor from outside is a constant", async () => {
    const [g, both, second] = await evaluate(
      (x) => [
        grad((y: Tensor<"a">) => y.mul(x).sum("a"))(x),
        grad((y: Tensor<"a">, z: Tensor<"a">) => y.mul(z).sum("a"))(x, x),
        grad((y: Tensor<"a">) => grad((z: Tensor<"a">) => z.mul(y).mul(x).sum("a"))(y).sum("a"))(x),
      ],
      x3,
    );
    expect([g, both, second].map(numbers)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  test("leaves that are not floating point, or that nothing depends on, have the gradient zero", async () => {
    const params = { n: tensor({ a: 3 }, [1, 2, 3], "i32"), t: tensor({ a: 3 }, [1, 0, 1], "i1"), unused: x3, x: x3 };
    const g = await evaluate((p) => grad((q: typeof params) => q.x.mul(q.n.cast("f32")).sum("a"))(p), params);
    expect([g.n.dtype, g.t.dtype, g.unused.dtype]).toEqual(["i32", "i1", "f32"]);
    expect([g.n, g.t, g.unused, g.x].map(numbers)).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
      [1, 2, 3],
    ]);
  });

  test("valueAndGrad returns what stands beside the loss", async () => {
    const [[loss, { mean, count }], g] = await evaluate(
      (x) =>
        valueAndGrad((y: Tensor<"a">) => {
          const m = y.square().mean("a");
          return [m.mul(3), { mean: m, count: scalar(7, "i32") }] as const;
        })(x),
      x3,
    );
    expect([loss, mean, count, g].map(numbers)).toEqual([[14], [expect.closeTo(14 / 3, 5)], [7], [2, 4, 6]]);
  });

  test("vjp takes a cotangent with the axes in another order, for a tree of results", async () => {
    const m = tensor({ a: 2, b: 3 }, [1, 2, 3, 4, 5, 6]);
    const ct = tensor({ b: 3, a: 2 }, [1, 0, 0, 2, 0, 3]);
    const [g] = await evaluate(
      (x, c) => {
        const [, pull] = vjp((y: Tensor<"a" | "b">) => ({ square: y.square(), total: y.sum(["a", "b"]) }), x);
        return pull({ square: c, total: scalar(10) });
      },
      m,
      ct,
    );
    expect(numbers(g)).toEqual([12, 10, 10, 10, 30, 46]);
  });

  test("gradients of a program's own gradients: Newton's method", async () => {
    const [root] = await evaluate(
      (x) => {
        const f = (y: Scalar) => y.mul(y).mul(y).sub(y.mul(2));
        let at: Scalar = x;
        for (let i = 0; i < 6; i++) at = at.sub(grad(f)(at).div(grad(grad(f))(at)));
        return [at];
      },
      tensor({}, [1.5]),
    );
    expect(numbers(root)[0]).toBeCloseTo(Math.sqrt(2 / 3), 6);
  });
});

/** A program's text. */
const textOf = <T extends readonly unknown[]>(f: (...xs: T) => unknown, ...inputs: T): string =>
  programText(traceProgram("test", { argument: inputs }, ({ argument }) => ({ result: f(...(argument as T)) })));
const count = (text: string, what: string): number => text.split(what).length - 1;

describe("what is saved", () => {
  type X = Tensor<"b" | "h">;
  type W = Tensor<"h" | "o">;
  const [x, w]: [X, W] = [spec({ b: 4, h: 8 }), spec({ h: 8, o: 8 })];
  const layer = (p: X, q: W): X => {
    const hidden = named(dot(p, q, "h").tanh(), "hidden").rename("o", "h");
    return dot(hidden, q, "h").sin().rename("o", "h");
  };
  const loss = (policy: RematPolicy) => (p: X, q: W) => remat(layer, policy)(p, q).sum(["b", "h"]);
  const dots = (policy: RematPolicy) => {
    const step = (p: X, q: W) => valueAndGrad((both: readonly [X, W]) => loss(policy)(...both))([p, q]);
    return count(textOf(step, x, w), "stablehlo.dot_general");
  };

  test("remat: products are computed again unless a named value spares them", () => {
    // Two forward, four backward; without residuals both again, with the hidden layer the second alone.
    expect(dots("everything")).toBe(6);
    expect(dots("nothing")).toBe(8);
    expect(dots(["hidden"])).toBe(7);
    expect(dots(["unknown"])).toBe(8);
  });

  test("remat: what is computed again is held behind a barrier, with the cotangent", () => {
    const text = textOf((p, q) => grad((y: X) => loss("nothing")(y, q))(p), x, w);
    expect(text).toMatch(/optimization_barrier/);
    expect(textOf((p, q) => grad((y: X) => loss("everything")(y, q))(p), x, w)).not.toMatch(/optimization_barrier/);
  });

  test("scan: inputs are sliced again, not stacked; what costs nothing is made again", () => {
    const text = textOf(
      (p: X, q: Tensor<"layer" | "h" | "o">) =>
        grad((weights: typeof q) => {
          const [y] = scan("layer", p, weights, (c, v) => {
            const masked = c.mul(iota({ h: 8 }).ge(2).cast("f32"));
            return [dot(masked, v, "h").tanh().rename("o", "h"), []];
          });
          return y.sum(["b", "h"]);
        })(q),
      x,
      spec({ layer: 5, h: 8, o: 8 }),
    );
    // Stacked for the backward loop: the masked carry, which the product reads, and the tanh. Not the mask, not the weights.
    const whiles = text.split("\n").filter((l) => l.includes("stablehlo.while"));
    expect(whiles).toHaveLength(2);
    expect(count(text, "tensor<5x4x8xf32>, ") >= 1).toBe(true);
    expect(text).not.toMatch(/tensor<5x8xf32>/);
    expect(text).not.toMatch(/tensor<5x8xi1>/);
    expect(count(text, "stablehlo.dynamic_update_slice")).toBe(3);
  });

  test("scan: residuals' policies in XLA's memory", async () => {
    const steps = 64;
    const temporary = async (policy: RematPolicy): Promise<number> => {
      const text = textOf(
        (p: X, q: Tensor<"t" | "h" | "o">) =>
          grad((ws: typeof q) => {
            const body = remat((c: X, v: W) => {
              const hidden = named(dot(c, v, "h").sin(), "hidden");
              return hidden.exp().cos().tanh().mul(hidden.sigmoid()).rename("o", "h");
            }, policy);
            return scan("t", p, ws, (c, v) => [body(c, v), []])[0].sum(["b", "h"]);
          })(q),
        spec({ b: 32, h: 64 }),
        spec({ t: steps, h: 64, o: 64 }),
      );
      const { memory } = await (await worker()).hlo(text);
      return memory.temporaries / (steps * 32 * 64 * 4);
    };
    // In stacks of one value a step: the carry alone, the named value besides, all that the backward pass reads.
    const [nothing, kept, everything] = [
      await temporary("nothing"),
      await temporary(["hidden"]),
      await temporary("everything"),
    ];
    expect(nothing).toBeLessThan(kept - 0.5);
    expect(kept).toBeLessThan(everything - 0.5);
  });
});

describe("what leaves a program beside its results", () => {
  const printed = async (run: () => Promise<unknown>): Promise<string[]> => {
    const lines: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = (text: unknown) => lines.push(String(text)) > 0;
    try {
      await run();
    } finally {
      process.stderr.write = write;
    }
    return lines;
  };

  test("debug.print, at top level, in a scan, in a remat, in the branch that ran", async () => {
    const lines = await printed(() =>
      evaluate((x) => {
        debug.print("x {}", x);
        const [last] = scan("a", scalar(0), x, (c, y) => {
          debug.print("carry {}", c);
          return [c.add(y), []];
        });
        debug.print("last {}", last);
        const twice = remat((y: Scalar) => {
          debug.print("inside {}", y);
          return y.mul(2);
        })(last);
        return cond(
          twice.gt(100),
          () => {
            debug.print("large {}", twice);
            return twice;
          },
          () => {
            debug.print("small {}", twice);
            return twice;
          },
        );
      }, x3),
    );
    expect(lines).toEqual(["x 1 2 3\n", "carry 0 1 3\n", "last 6\n", "inside 6\n", "small 12\n"]);
  });

  test("debug.print in a whileLoop shows the last step", async () => {
    const lines = await printed(() =>
      evaluate(
        (x) =>
          whileLoop(
            x,
            (c) => c.lt(100),
            (c) => {
              debug.print("c {}", c);
              return c.mul(2);
            },
          ),
        tensor({}, [3]),
      ),
    );
    expect(lines).toEqual(["c 96\n"]);
  });

  test("debug.print does not disturb gradients", async () => {
    const gradients: unknown[] = [];
    await printed(async () => {
      const g = await evaluate(
        (x) =>
          grad((y: Tensor<"a">) => {
            const [total] = scan("a", scalar(0), y, (c, e) => {
              debug.print("e {}", e);
              return [c.add(e.mul(e)), []];
            });
            return total;
          })(x),
        x3,
      );
      gradients.push(numbers(g));
    });
    expect(gradients).toEqual([[2, 4, 6]]);
  });

  test("assertFinite stops the run with its message, wherever it stands", async () => {
    const zero = tensor({ a: 3 }, [1, 0, 2]);
    await expect(evaluate((x) => assertFinite(x.log(), "the log of x"), zero)).rejects.toThrow("the log of x");
    await expect(
      evaluate((x) => scan("a", scalar(0), x, (c, y) => [c.add(assertFinite(y.log(), "a step")), []])[0], zero),
    ).rejects.toThrow("a step");
    await expect(evaluate((x) => assertFinite(x), zero)).resolves.toBeDefined();
    await expect(
      evaluate(
        (x) =>
          cond(
            x.sum("a").gt(0),
            () => x,
            () => assertFinite(x.log(), "not run"),
          ),
        zero,
      ),
    ).resolves.toBeDefined();
  });

  test("evaluate refuses what holds no elements, and takes trees", async () => {
    await expect(evaluate((x) => x, spec({ a: 3 }))).rejects.toThrow(/holds no elements/);
    const { y, list } = await evaluate(({ p }) => ({ y: p.x.mul(2), list: [p.x, "text"] as const }), { p: { x: x3 } });
    expect(numbers(y)).toEqual([2, 4, 6]);
    expect(y.toArray()).toEqual([2, 4, 6]);
    expect(list[1]).toBe("text");
    expect(leaves(list)).toHaveLength(1);
  });
});
