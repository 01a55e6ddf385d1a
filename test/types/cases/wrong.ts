/** Programs that must not compile; types.test.ts shows what tsc says of each. Nothing here runs. */
import {
  Attention,
  argmax,
  Block,
  concatenate,
  cond,
  customVjp,
  dot,
  gather,
  grad,
  Linear,
  Module,
  param,
  RmsNorm,
  random,
  remat,
  type Scalar,
  Stack,
  scan,
  scatterAdd,
  softmax,
  stack,
  type Tensor,
  valueAndGrad,
  vjp,
  where,
  whileLoop,
} from "xenarc";
import { ones } from "../../../ops/functions.js";
import { normal } from "../../../ops/initializers.js";

type X = Tensor<"batch" | "seq" | "embed">;
declare const x: X;
declare const y: Tensor<"batch" | "key" | "embed">;
declare const flag: Tensor<"batch">;
declare function is<T>(value: T): void;

export function names(): void {
  // @ts-expect-error an annotation that is another set of names
  is<Tensor<"batch" | "seq">>(x);
  // @ts-expect-error a smaller tensor is not a larger one
  is<X>(ones({ embed: 3 }));
  // @ts-expect-error a scalar is not a tensor with axes
  is<Tensor<"embed">>(x.sum(["batch", "seq", "embed"]));
  // @ts-expect-error an axis that is not there
  x.sum("heads");
  // @ts-expect-error one of several
  x.mean(["seq", "embd"]);
  // @ts-expect-error a size
  x.size("heads");
  // @ts-expect-error softmax
  softmax(x, "key");
  // @ts-expect-error argmax
  argmax(x, "vocab");
  // @ts-expect-error slice
  x.slice("time", 0, 1);
}

export function elementwise(): void {
  // @ts-expect-error an outer product by accident
  x.add(y);
  // @ts-expect-error the same in a comparison
  x.gt(y);
  // @ts-expect-error a choice between tensors of different axes
  where(x.gt(0), x, y);
  // @ts-expect-error a condition with an axis more
  where(x.gt(0), ones({ batch: 2 }), 0);
}

export function axes(): void {
  // @ts-expect-error a name that exists
  x.rename("seq", "batch").sum("batch");
  // @ts-expect-error onto existing names
  is<X>(x.split("embed", { batch: 2, rest: 3 }));
  // @ts-expect-error merged onto an existing name
  x.merge(["batch", "seq"], "embed").sum("embed");
  // @ts-expect-error what is renamed is not there
  x.rename("time", "step");
  // @ts-expect-error the name is gone
  x.rename("seq", "key").sum("seq");
  // @ts-expect-error an axis that is there already
  x.broadcast({ seq: 3 }).sum("seq");
}

export function products(): void {
  // @ts-expect-error a misspelt weight
  dot(x, ones({ embd: 1, mlp: 1 }), "embed");
  // @ts-expect-error an axis of neither
  dot(x, x, "heads");
  // @ts-expect-error forgot to rename: there is no key
  softmax(dot(x, x, "embed"), "key");
}

export function joining(): void {
  // @ts-expect-error parts of different axes
  concatenate([x, y], "batch");
  // @ts-expect-error along an axis that is not there
  concatenate([x, x], "time");
  // @ts-expect-error positions and updates that do not belong together
  scatterAdd(x, "seq", ones({ slot: 1 }, "i32"), ones({ slot: 1, batch: 1 }));
  // @ts-expect-error an axis that is not looked up
  gather(x, "vocab", ones({ n: 1 }, "i32"));
  // @ts-expect-error along an axis that is there already
  stack([x, x], "batch").sum("batch");
}

export function scans(xs: Tensor<"step" | "batch">, h: Tensor<"batch">): void {
  // @ts-expect-error a carry that loses its axes
  scan("step", h, xs, (c, _row) => [c.sum("batch"), []]);
  // @ts-expect-error a carry that becomes another tree
  scan("step", { h }, xs, (c, row) => [{ g: c.h.add(row) }, []]);
  // @ts-expect-error the scanned axis is gone inside
  scan("step", h, xs, (c, row) => [c, row.sum("step")]);
  whileLoop(
    h,
    // @ts-expect-error a condition with axes
    (c) => c.lt(3),
    (c) => c.mul(2),
  );
  whileLoop(
    h,
    (c) => c.sum("batch").lt(3),
    // @ts-expect-error a loop whose carry changes
    (c) => c.sum("batch"),
  );
  cond(
    // @ts-expect-error a condition with axes
    flag,
    () => h,
    () => h,
  );
  cond(
    h.sum("batch").gt(0),
    () => h,
    // @ts-expect-error branches that differ
    () => xs,
  );
  // @ts-expect-error an argument that the function does not take
  remat((a: X) => a.exp())(y);
}

export function gradients(): void {
  class Params extends Module {
    readonly weight = param({ embed: 3 }, normal(1));
  }
  // @ts-expect-error not a number: an axis is left
  grad((p: Params, a: X) => a.mul(p.weight).sum(["seq", "embed"]))(new Params(), x);
  // @ts-expect-error the same beside other results
  valueAndGrad((p: Params) => [p.weight, 3] as const);
  // @ts-expect-error a gradient is a tree like what it is of
  is<Tensor<"mlp">>(grad((p: Params) => p.weight.sum("embed"))(new Params()).weight);
  // @ts-expect-error and of its class
  is<Linear<"embed", "mlp">>(grad((p: Params) => p.weight.sum("embed"))(new Params()));
  // @ts-expect-error a cotangent is like the result
  vjp((a: X) => a.sum("seq"), x)[1](x);
  customVjp(
    (a: X) => [a.sum("seq"), a],
    // @ts-expect-error the cotangent of an argument is like the argument
    (_, ct) => [ct],
  );
}

export function layers(): void {
  // @ts-expect-error one axis on both sides
  new Linear({ embed: 64 }, { embed: 64 });
  // @ts-expect-error a layer over an axis that is not there
  new Linear({ heads: 4 }, { embed: 64 }).call(x);
  // @ts-expect-error a norm over an axis that is not there
  new RmsNorm({ embed: 1 }).call(ones({ batch: 1, seq: 1 }));
  // @ts-expect-error attention wants seq
  new Attention({ embed: 64, heads: 4 }).call(x.rename("seq", "time"));
  const blocks = new Stack({ layers: 2 }, () => new Block({ embed: 64, heads: 4, mlp: 4 }));
  // @ts-expect-error a stack's body returns the carry
  blocks.scan(x, (b, h) => b.call(h)[0].sum("embed"));
}

export function randomness(keys: random.Keys<"layer">): void {
  // @ts-expect-error several keys are not one
  is<random.Key>(keys);
  // @ts-expect-error numbers are not a key
  random.normal(x, { a: 3 });
  // @ts-expect-error probabilities with an axis too many
  random.bernoulli(random.key(0), x, { batch: 2 });
  // @ts-expect-error no such axis among the logits
  random.categorical(random.key(0), x, "vocab");
}

export function scalars(): void {
  // @ts-expect-error a tensor is not a number
  is<Scalar>(x);
  // @ts-expect-error a position is one number
  x.at("seq", flag);
}
