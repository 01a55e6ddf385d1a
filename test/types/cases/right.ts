/**
 * Programs that must compile, with the types they must have: tensors are invariant in their axes, so that an annotation holds exactly
 * the names it states. Nothing here runs.
 */
import {
  argmax,
  Block,
  concatenate,
  cond,
  contract,
  customVjp,
  debug,
  dot,
  evaluate,
  gather,
  grad,
  iota,
  LayerNorm,
  Linear,
  logSumExp,
  Mlp,
  Module,
  named,
  oneHot,
  param,
  put,
  RmsNorm,
  random,
  remat,
  type Scalar,
  type Sizes,
  Stack,
  scalar,
  scan,
  scatterAdd,
  softmax,
  stack,
  stopGradient,
  type Tensor,
  tensor,
  topK,
  valueAndGrad,
  vjp,
  where,
  whileLoop,
} from "xenarc";
import { ones, zeros } from "../../../ops/functions.js";
import { normal } from "../../../ops/initializers.js";

type X = Tensor<"batch" | "seq" | "embed">;
declare const x: X;
declare const loss: Scalar;
declare const flag: Scalar;
declare const unknownAxes: Tensor;

/** Holds a value to exactly this type, as far as tensors go. */
declare function is<T>(value: T): void;

export function elementwise(bias: Tensor<"embed">, scale: Scalar): void {
  is<X>(x.add(bias).mul(scale).sub(1).div(x));
  is<X>(bias.add(x));
  is<X>(scale.mul(x));
  is<Scalar>(scale.add(scale).mul(2));
  is<X>(x.gt(bias));
  is<X>(where(x.gt(0), x, 0));
  is<X>(where(bias.gt(0), x, bias));
  is<X>(x.exp().neg().rsqrt());
  is<X>(x.cast("bf16"));
  is<Tensor<"embed" | "out">>(bias.broadcast({ out: 3 }));
}

export function reductions(): void {
  is<Tensor<"batch" | "embed">>(x.sum("seq"));
  is<Tensor<"batch">>(x.mean(["seq", "embed"]));
  is<Scalar>(x.max(["batch", "seq", "embed"]));
  is<X>(x.sum([]));
  is<X>(softmax(x, "embed"));
  is<Tensor<"batch" | "seq">>(logSumExp(x, "embed"));
  is<Tensor<"batch" | "seq">>(argmax(x, "embed"));
  is<number>(x.size("batch"));
  const { seq }: Sizes<"batch" | "seq" | "embed"> = x.sizes;
  void seq;
}

export function axes(): void {
  is<Tensor<"batch" | "key" | "embed">>(x.rename("seq", "key"));
  is<Tensor<"batch" | "seq" | "heads" | "headDim">>(x.split("embed", { heads: 4, headDim: 16 }));
  is<Tensor<"batch" | "seq" | "heads" | "embed">>(x.split("embed", { heads: 4, embed: 16 }));
  is<Tensor<"token" | "embed">>(x.merge(["batch", "seq"], "token"));
  is<X>(x.merge(["batch", "seq"], "token").split("token", { batch: 2, seq: 3 }));
  is<X>(x.slice("seq", 0, -1).pad("seq", 1, 0).reverse("seq"));
  is<Tensor<"batch" | "embed">>(x.at("seq", -1));
  is<Tensor<"batch" | "embed">>(x.at("seq", scalar(3, "i32")));
  is<X>(x.update("seq", 0, x.slice("seq", 0, 1)));
  is<X>(concatenate([x, x], "seq"));
  is<Tensor<"batch" | "seq" | "embed" | "copy">>(stack([x, x], "copy"));
}

export function products(w: Tensor<"embed" | "mlp">, v: Tensor<"embed">): void {
  is<Tensor<"batch" | "seq" | "mlp">>(dot(x, w, "embed"));
  is<Tensor<"batch" | "seq" | "key">>(dot(x, x.rename("seq", "key"), "embed"));
  is<Tensor<"batch" | "seq">>(dot(x, v, "embed"));
  is<Scalar>(dot(v, v, "embed"));
  is<Tensor<"seq">>(dot(x, x, ["batch", "embed"]));
  is<Tensor<"embed" | "out">>(dot(v, ones({ out: 3 }), []));
}

export function lookUp(table: Tensor<"vocab" | "embed">, tokens: Tensor<"batch" | "seq">): void {
  is<X>(gather(table, "vocab", tokens));
  is<Tensor<"batch" | "seq">>(gather(dot(x, table, "embed"), "vocab", tokens));
  is<Tensor<"vocab" | "embed">>(scatterAdd(table, "vocab", tokens, x));
  is<Tensor<"vocab" | "embed">>(put(table, "vocab", tokens, x));
  is<Tensor<"batch" | "seq" | "vocab">>(oneHot(tokens, { vocab: 256 }));
  const { values, indices } = topK(x, "embed", { choice: 2 });
  is<Tensor<"batch" | "seq" | "choice">>(values);
  is<Tensor<"batch" | "seq" | "choice">>(indices);
}

export function scans(xs: Tensor<"step" | "batch">, h: Tensor<"batch">): void {
  const [carry, ys] = scan("step", h, xs, (c, row) => {
    is<Tensor<"batch">>(row);
    return [c.add(row), { c, twice: c.mul(2) }];
  });
  is<Tensor<"batch">>(carry);
  is<Tensor<"step" | "batch">>(ys.c);
  interface State {
    h: Tensor<"batch">;
    count: Scalar;
  }
  const start: State = { h, count: scalar(0, "i32") };
  const [end, counts] = scan("step", start, [xs, iota({ step: 4 })] as const, (s, [row, i]) => {
    is<Scalar>(i);
    return [{ h: s.h.mul(row), count: s.count.add(1) }, s.count];
  });
  is<State>(end);
  is<Tensor<"step">>(counts);
  const looped = whileLoop(
    start,
    (s) => s.count.lt(3),
    (s) => ({ h: s.h.mul(2), count: s.count.add(1) }),
  );
  is<State>(looped);
  const branch = cond(
    flag,
    () => h,
    () => h.neg(),
  );
  is<Tensor<"batch">>(branch);
  is<X>(remat((y: X, b: Tensor<"batch">) => named(y.mul(b), "scaled"), ["scaled"])(x, h));
}

export function gradients(): void {
  class Params extends Module {
    readonly weight = param({ embed: 3 }, normal(1));
    readonly biases = [param({ embed: 3 }, normal(1))] as const;
    call(y: X): Scalar {
      return y.mul(this.weight).add(this.biases[0]).mean(["batch", "seq", "embed"]);
    }
  }
  const params = new Params();
  is<Params>(grad((p: Params, y: X) => p.call(y))(params, x));
  const [[value, extra], g] = valueAndGrad(
    (p: Params, y: X) => [p.call(y), { norm: y.square().sum("embed") }] as const,
  )(params, x);
  is<Scalar>(value);
  is<Tensor<"batch" | "seq">>(extra.norm);
  is<Tensor<"embed">>(g.weight);
  const [y, pull] = vjp((a: X, b: Tensor<"embed">) => a.mul(b).sum("seq"), x, params.weight);
  is<Tensor<"batch" | "embed">>(y);
  const [da, db] = pull(y);
  is<X>(da);
  is<Tensor<"embed">>(db);
  is<Params>(stopGradient(params));
  const clipped = customVjp(
    (a: X, limit: Scalar) => [a.minimum(limit), { a, limit }],
    ({ a, limit }, ct) => [where(a.lt(limit), ct, 0), undefined],
  );
  is<X>(clipped(x, loss));
  debug.print("loss {}", loss);
  debug.print("x {}", x);
}

export function layers(): void {
  const up = new Linear({ embed: 64 }, { heads: 4, headDim: 16 });
  const down = new Linear({ heads: 4, headDim: 16 }, { embed: 64 });
  is<Tensor<"batch" | "seq" | "heads" | "headDim">>(up.call(x));
  is<X>(down.call(up.call(x)));
  is<Tensor<"heads" | "headDim">>(up.call(x.at("batch", 0).at("seq", 0)));
  is<X>(new RmsNorm({ embed: 64 }).call(x));
  is<Tensor<"embed">>(new LayerNorm({ embed: 64 }).call(x.mean(["batch", "seq"])));
  is<X>(new Mlp({ embed: 64 }, { mlp: 256 }).call(x));
  const block = new Block({ embed: 64, heads: 4, mlp: 256 });
  const [out] = block.call(x);
  is<X>(out);
  const blocks = new Stack({ layers: 4 }, () => new Block({ embed: 64, heads: 4, mlp: 256 }));
  is<X>(blocks.scan(x, (layer, h) => layer.call(h)[0]));
}

export function randomness(): void {
  const root: random.Key = random.key(0);
  const keys = random.split(root, { layer: 4 });
  is<random.Key>(keys.at("layer", 0));
  is<Tensor<"a" | "b">>(random.normal(root, { a: 2, b: 3 }));
  is<Tensor<"layer" | "a">>(random.uniform(keys, { a: 2 }));
  is<random.Keys<"n">>(random.foldIn(root, iota({ n: 3 })));
  is<Tensor<"batch" | "seq">>(random.categorical(root, x, "embed"));
  is<Tensor<"a" | "b">>(random.bernoulli(root, zeros({ b: 3 }), { a: 2, b: 3 }));
  scan("layer", x, keys, (c, k) => [c.add(random.normal(k, c.sizes)), []]);
}

/** Layers that are generic in the axes they do not care about. */
export class Residual<
  D extends string,
  L extends Module & { call<A extends string = never>(x: Tensor<A | D>): Tensor<A | D> },
> extends Module {
  constructor(
    readonly inner: L,
    readonly norm: RmsNorm<D>,
  ) {
    super();
  }
  call<A extends string = never>(y: Tensor<A | D>): Tensor<A | D> {
    return y.add(this.inner.call<A>(this.norm.call<A>(y)));
  }
}
export class Dense<I extends string, O extends string> extends Module {
  readonly weight: Tensor<I | O>;
  constructor(
    readonly from: Sizes<I>,
    to: Sizes<O>,
  ) {
    super();
    this.weight = param<I | O>({ ...from, ...to } as Sizes<I | O>, normal(1));
  }
  call<A extends string = never>(y: Tensor<A | I>): Tensor<A | O> {
    return contract<A, O, I>(y, this.weight, Object.keys(this.from) as I[]);
  }
}
export function generic(): void {
  const residual = new Residual(new RmsNorm({ embed: 3 }), new RmsNorm({ embed: 3 }));
  is<X>(residual.call(x));
  is<Tensor<"batch" | "seq" | "mlp">>(new Dense({ embed: 3 }, { mlp: 4 }).call(x));
}
export function squares<A extends string, K extends A>(y: Tensor<A>, axis: K): Tensor<Exclude<A, K>> {
  return y.square().sum(axis);
}
export function normalized<A extends string, K extends A>(y: Tensor<A>, axis: K): Tensor<A> {
  return y.mul(y.square().sum(axis).rsqrt());
}

/** Axes that are not known in the type. */
export function untyped(name: string): void {
  is<Tensor>(x);
  is<X>(unknownAxes);
  is<Tensor>(dot(unknownAxes, x, "embed"));
  is<Tensor>(unknownAxes.sum("anything").add(x));
  is<Tensor>(unknownAxes.rename("a", "b").split("b", { c: 1, d: 2 }).merge(["c", "d"], "e"));
  is<Tensor>(new Linear({ embed: 1 }, { mlp: 1 }).call(unknownAxes));
  is<Tensor<string>>(ones({ [name]: 3 }));
}

/** What runs at once. */
export async function evaluated(): Promise<void> {
  const y = await evaluate((a, b) => a.mul(b), tensor({ a: 2 }, [1, 2]), tensor({}, [3]));
  is<Tensor<"a">>(y);
  const { p, q } = await evaluate(({ a }) => ({ p: a.sum("a"), q: [a, "name"] as const }), { a: y });
  is<Scalar>(p);
  is<readonly [Tensor<"a">, "name"]>(q);
}
