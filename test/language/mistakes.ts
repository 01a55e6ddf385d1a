/** Programs with one mistake each, as authors make them: what errors.test.ts shows the messages of. */
import { tensor } from "../../ops/array.js";
import { assertFinite, cond, customVjp, grad, scan, vjp, whileLoop } from "../../ops/control.js";
import {
  argmax,
  concatenate,
  constant,
  dot,
  gather,
  iota,
  ones,
  softmax,
  stack,
  topK,
  where,
} from "../../ops/functions.js";
import { zeros } from "../../ops/initializers.js";
import { Module, param } from "../../ops/module.js";
import { bernoulli, key, normal, randint, split } from "../../ops/random.js";
import { hlo, Tensor } from "../../ops/tensor.js";

type Any = any;

export const mistakes: Readonly<Record<string, () => unknown>> = {
  "two sizes of one axis"() {
    const hidden = ones({ batch: 2, embed: 64 });
    const bias = ones({ embed: 128 });
    return hidden.add(bias);
  },
  "two sizes of a contracted axis"() {
    const query = ones({ seq: 8, headDim: 64 });
    const weight = ones({ headDim: 128, out: 4 });
    return dot(query, weight, "headDim");
  },
  "an axis that is not there"() {
    const x = ones({ batch: 2, embed: 64 });
    return x.sum("embd" as Any);
  },
  "an axis that one operand of dot has not"() {
    const x = ones({ batch: 2, embed: 64 });
    return dot(x, ones({ mlp: 3 }) as Any, "embed");
  },
  "an outer product by accident"() {
    const query = ones({ batch: 2, seq: 8 });
    const keys = ones({ batch: 2, key: 8 });
    return query.mul(keys as Any);
  },
  "an operand that is undefined"() {
    const layer: { bias?: Any } = {};
    return ones({ embed: 4 }).add(layer.bias);
  },
  "a weight that is undefined"() {
    const layer: { weight?: Any } = {};
    return dot(ones({ embed: 4 }), layer.weight, "embed");
  },
  "an operator of JavaScript's"() {
    const x: Any = ones({ embed: 4 }).sum("embed");
    return x > 3 ? x : x.neg();
  },
  "two element types"() {
    const x = ones({ embed: 4 }, "bf16");
    const weight = ones({ embed: 4 });
    return x.mul(weight);
  },
  "two element types in dot"() {
    const x = ones({ embed: 4 }, "bf16");
    return dot(x, ones({ embed: 4 }), "embed");
  },
  "half of an integer"() {
    return iota({ n: 4 }).mul(0.5);
  },
  "a mean of integers"() {
    return iota({ n: 4 }).mean("n");
  },
  "a name that exists"() {
    const x = ones({ seq: 2, key: 3 });
    return x.rename("seq", "key" as Any);
  },
  "a split that does not come out even"() {
    return ones({ seq: 2, embed: 64 }).split("embed", { heads: 6, headDim: 10 });
  },
  "a split with a size unknown that does not come out even"() {
    return ones({ embed: 64 }).split("embed", { heads: 6, headDim: -1 });
  },
  "a merge onto a name that exists"() {
    return ones({ a: 2, b: 3, c: 4 }).merge(["a", "b"], "c" as Any);
  },
  "a slice outside"() {
    return ones({ seq: 8 }).slice("seq", 4, 12);
  },
  "an element outside"() {
    return ones({ seq: 8 }).at("seq", 8);
  },
  "an axis reduced twice"() {
    return ones({ seq: 8 }).sum(["seq", "seq"]);
  },
  "a part that does not fit"() {
    return ones({ seq: 8, embed: 3 }).update("seq", 0, ones({ seq: 2, embed: 4 }));
  },
  "a condition that is no boolean"() {
    const x = ones({ seq: 8 });
    return where(x, x, 0);
  },
  "a condition with further axes"() {
    const x = ones({ seq: 8 });
    return where(ones({ seq: 8, batch: 2 }, "i1") as Any, x, 0);
  },
  "parts of different sizes"() {
    return concatenate([ones({ seq: 8, embed: 3 }), ones({ seq: 8, embed: 4 })], "seq");
  },
  "parts of different element types"() {
    return concatenate([ones({ seq: 8 }), ones({ seq: 8 }, "bf16")], "seq");
  },
  "parts with different axes"() {
    return concatenate([ones({ seq: 8, embed: 3 }), ones({ seq: 8 }) as Any], "seq");
  },
  "positions that are no integers"() {
    return gather(ones({ vocab: 8, embed: 3 }), "vocab", ones({ seq: 4 }));
  },
  "too many of the largest"() {
    return topK(ones({ vocab: 8 }), "vocab", { k: 9 });
  },
  "a carry of another size"() {
    const xs = ones({ step: 4, embed: 3 });
    return scan("step", ones({ embed: 3 }), xs, (carry, x) => [concatenate([carry, x], "embed"), []]);
  },
  "a carry of another element type"() {
    return scan("step", ones({}), ones({ step: 4 }, "bf16"), (carry, x) => [carry.cast("bf16").mul(x), []]);
  },
  "a carry of another form"() {
    const start = { hidden: ones({ embed: 3 }), count: iota({ n: 1 }) };
    return scan("step", start, ones({ step: 4 }), (carry) => [{ hidden: carry.hidden } as Any, []]);
  },
  "inputs of different lengths"() {
    return scan("step", [], [ones({ step: 4 }), ones({ step: 5 })], () => [[], []]);
  },
  "a scan of nothing"() {
    return scan("step", ones({}), [], (carry) => [carry, []]);
  },
  "branches that differ"() {
    const x = ones({ embed: 3 });
    return cond(
      x.sum("embed").gt(0),
      () => x,
      () => x.cast("bf16"),
    );
  },
  "a condition with axes"() {
    const x = ones({ embed: 3 });
    return whileLoop(
      x,
      (c) => c.lt(3) as Any,
      (c) => c.add(1),
    );
  },
  "a gradient of many numbers"() {
    return grad((x: Tensor<"embed">) => x.square() as Any)(ones({ embed: 3 }));
  },
  "a gradient through a whileLoop"() {
    return grad((x: Tensor<"embed">) => {
      const doubled = whileLoop(
        x,
        (c) => c.sum("embed").lt(100),
        (c) => c.mul(2),
      );
      return doubled.sum("embed");
    })(ones({ embed: 3 }));
  },
  "a gradient through what has none"() {
    return grad((x: Tensor<"embed">) => {
      const next = new Tensor(x.names, hlo().nextAfter(x.value, x.neg().value));
      return next.sum("embed");
    })(ones({ embed: 3 }));
  },
  "a cotangent of another type"() {
    const [, pull] = vjp((x: Tensor<"embed">) => x.square(), ones({ embed: 3 }));
    return pull(ones({ embed: 4 }));
  },
  "a custom derivative of another size"() {
    const first = customVjp(
      (x: Tensor<"embed">) => [x.slice("embed", 0, 1), x],
      (_, ct) => [ct as Any],
    );
    return grad((x: Tensor<"embed">) => first(x).sum("embed"))(ones({ embed: 3 }));
  },
  "a custom derivative of a captured tensor"() {
    return grad((x: Tensor<"embed">) => {
      const scaled = customVjp(
        (y: Tensor<"embed">) => [y.mul(x), y],
        (_, ct) => [ct],
      );
      return scaled(x).sum("embed");
    })(ones({ embed: 3 }));
  },
  "a layer given another size"() {
    class Linear extends Module {
      readonly weight = param({ embed: 4, mlp: 8 }, zeros);
      call(x: Tensor<"seq" | "embed">): Tensor<"seq" | "mlp"> {
        return dot(x, this.weight, "embed");
      }
    }
    return new Linear().call(ones({ seq: 2, embed: 5 }));
  },
  "a rule of StableHLO"() {
    return ones({ embed: 3 }).and(1);
  },
  "numbers that are not as many as the sizes say"() {
    return tensor({ batch: 2, embed: 3 }, [1, 2, 3]);
  },
  "constants that are not as many as the sizes say"() {
    return constant({ batch: 2, embed: 3 }, [1, 2, 3]);
  },
  "elements inside of a program"() {
    return ones({ embed: 3 }).toArray();
  },
  "a seed that is none"() {
    return key(-1);
  },
  "random numbers of a type that is not drawn"() {
    return normal(key(0), { embed: 3 }, "i32");
  },
  "random integers of an empty range"() {
    return randint(key(0), { embed: 3 }, 5, 5);
  },
  "probabilities with an axis too many"() {
    return bernoulli(key(0), ones({ batch: 2 }) as Any, { embed: 3 });
  },
  "the largest of what is not there"() {
    return argmax(softmax(ones({ vocab: 8 }), "vocab"), "vocabulary" as Any);
  },
  "an output of a scan that has the axis already"() {
    const all = ones({ step: 4, embed: 3 });
    return scan("step", [], all, () => [[], all]);
  },
  "the largest along a name that exists"() {
    return topK(ones({ batch: 2, vocab: 8 }), "vocab", { batch: 3 });
  },
  "random numbers along an axis of the keys"() {
    return normal(split(key(0), { layer: 3 }), { layer: 3 });
  },
  "joined along a name that exists"() {
    return stack([ones({ batch: 2 }), ones({ batch: 2 })], "batch" as Any);
  },
  "several axes for iota"() {
    return iota({ a: 2, b: 3 });
  },
};

export const unfinished = () => assertFinite(tensor({ n: 2 }, [1, 2]), "outside");
