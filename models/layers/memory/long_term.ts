import { currentLayout } from "../../../compiler/trace.js";
import { cond, scan, stopGradient } from "../../../ops/control.js";
import { concatenate, gather, iota, where } from "../../../ops/functions.js";
import { normal } from "../../../ops/initializers.js";
import { Module } from "../../../ops/module.js";
import { perDevice, putInParts } from "../../../ops/per_device.js";
import type { Tensor } from "../../../ops/tensor.js";
import { inBlocks } from "../attention/block.js";
import { attention } from "../attention/dot_product.js";
import { Linear } from "../linear.js";
import { RmsNorm } from "../rms_norm.js";
import type { Held, MemoryOptions, Summaries } from "./session.js";
import { Summarizer } from "./summarizer.js";

/** States, and what is known of them. */
interface States {
  /** `[batch, seq, embed]`: those in front of the sequence, then its own. */
  readonly states: Tensor;
  /** How many stand in front. */
  readonly before: number;
  /** Which are of tokens (1, else 0), where some are not. */
  readonly known?: Tensor | undefined;
  /** What a session held. */
  readonly held?: Held | undefined;
}

/** Summaries of the chunks that left the short-term memory, and attention to them. */
export class LongTerm extends Module {
  readonly summarizer: Summarizer;
  readonly norm: RmsNorm<"embed">;
  readonly query: Linear<"embed", "heads" | "headDim">;
  readonly key: Linear<"embed", "kvHeads" | "headDim">;
  readonly value: Linear<"embed", "kvHeads" | "headDim">;
  readonly output: Linear<"heads" | "headDim", "embed">;
  private readonly options: Omit<MemoryOptions, "init" | "residualInit">;
  constructor({ init = normal(0.02), residualInit = init, ...options }: MemoryOptions) {
    super();
    const { embed, heads, kvHeads = heads, headDim = embed / heads, epsilon = 1e-5 } = options;
    const { summarizer, vectors, rotary, stack } = options;
    const plain = { bias: false, init };
    this.summarizer = new Summarizer({ ...summarizer, embed, vectors, rotary, epsilon, init, stack });
    this.norm = new RmsNorm({ embed }, { epsilon });
    this.query = new Linear({ embed }, { heads, headDim }, plain);
    this.key = new Linear({ embed }, { kvHeads, headDim }, plain);
    this.value = new Linear({ embed }, { kvHeads, headDim }, plain);
    this.output = new Linear({ heads, headDim }, { embed }, { bias: false, init: residualInit });
    this.options = options;
  }

  /**
   * What every place of x `[batch, seq, embed]` reads, added to it, and the summaries of all chunks that one of them sees, behind those of
   * a session. `segments`: the sequences packed into a row.
   */
  call(
    x: Tensor,
    { states, before, known, held }: States,
    old: Summaries | undefined,
    segments: Tensor | undefined,
  ): [Tensor, Summaries | undefined] {
    const { tokens, chunk, vectors } = this.options;
    const count = Math.max(0, Math.ceil((x.size("seq") + before - tokens) / chunk));
    if (count === 0 && !old) return [x, undefined];
    const inChunks = (t: Tensor): Tensor =>
      t.slice("seq", 0, count * chunk).split("seq", { chunk: count, seq: chunk }) as Tensor;
    const whole = (t: Tensor): Tensor => {
      const others = t.names.filter((n) => !["batch", "chunk", "vector"].includes(n));
      return t.ordered(["batch", "chunk", "vector", ...others]).merge(["chunk", "vector"], "key") as Tensor;
    };
    // Of packed rows a chunk is of the sequence that its last token is of.
    const packed = segments && inChunks(this.ofRows(segments, x));
    const owner = packed && (packed.at("seq", chunk - 1) as Tensor);
    const seen = packed ? (packed.eq(owner as never).cast("i32") as Tensor) : known && inChunks(known);
    const written = count > 0 ? this.summarized(inChunks(states), seen) : undefined;
    const all = (name: "key" | "value"): Tensor => {
      const parts = [old?.[name].cast(x.dtype), written && whole(written[name])].filter((t) => t !== undefined);
      return concatenate(parts as Tensor[], "key") as Tensor;
    };
    const summaries = { key: all("key"), value: all("value") };
    const keySegments = owner && whole(owner.broadcast({ vector: vectors }) as Tensor);
    const query = iota({ seq: x.size("seq") }) as Tensor;
    return [this.read(x, { query, before, held }, summaries, { segments, keySegments }), summaries];
  }

  /** One token of each sequence, at the place `query` `[batch, seq]`: a chunk whose first token it pushes out of the short-term memory is written. */
  step(x: Tensor, query: Tensor, { states, before, known, held }: States, summaries: Summaries): [Tensor, Summaries] {
    const { tokens, chunk, chunks, vectors } = this.options;
    const first = query.at("seq", 0).add(before - tokens) as Tensor;
    const due = first.ge(0).and(first.rem(chunk).eq(0) as never) as Tensor;
    const places = (from: Tensor, size: number, axis: string): Tensor =>
      (iota({ [axis]: size } as Record<string, number>) as Tensor)
        .broadcast({ batch: from.size("batch") })
        .add(from as never)
        .ordered(["batch", axis]) as Tensor;
    const write = (): Summaries => {
      const take = (t: Tensor) => gather(t, "seq", places(first, chunk, "place")).rename("place", "seq") as Tensor;
      const made = this.summarized(take(states), known && take(known));
      const slot = first
        .div(chunk)
        .add(held ? chunks : 0)
        .mul(vectors) as Tensor;
      // Behind the last, where nothing is to be written: that is dropped.
      const at = places(where(due, slot, summaries.key.size("key")) as Tensor, vectors, "vector");
      const into = (t: Tensor, entries: Tensor) => putInParts(t, "key", at, entries.cast(t.dtype) as Tensor) as Tensor;
      return { key: into(summaries.key, made.key), value: into(summaries.value, made.value) };
    };
    const after = cond(due.any("batch") as never, write, () => ({ key: summaries.key, value: summaries.value }));
    return [this.read(x, { query, before, held }, after), after];
  }

  /**
   * Chunks that the first `length` tokens of a sequence behind a session have pushed out: how many places of its own they end at, and how
   * many of these are of tokens.
   */
  written(length: Tensor, held: Held): { readonly end: Tensor; readonly count: Tensor } {
    const end = this.reached(length.sub(1) as Tensor, this.options.tokens, held);
    return { end, count: end.sub(this.empty(held) as never).maximum(0) as Tensor };
  }

  /** Keys and values of chunks of states `[..., seq, embed]`, with an axis `vector` in the place of `seq`. */
  private summarized(states: Tensor, seen: Tensor | undefined): { readonly key: Tensor; readonly value: Tensor } {
    const vectors = this.summarizer.call(states, seen);
    return { key: this.key.call<string>(vectors) as Tensor, value: this.value.call<string>(vectors) as Tensor };
  }

  /** How many chunks, counted from the first of the states, a query sees. */
  private reached(query: Tensor, before: number, held: Held | undefined): Tensor {
    const { tokens, chunk, chunks, evict } = this.options;
    const all = query
      .add(before)
      .div(chunk)
      .sub(tokens / chunk - 1)
      .maximum(0) as Tensor;
    if (evict === "oldest") return all;
    if (!held) return all.minimum(chunks) as Tensor;
    const room = this.empty(held)
      .add(chunks)
      .sub(held.chunks as never) as Tensor;
    return this.ofRows(all, room).minimum(room as never) as Tensor;
  }

  /** Chunks of states that a session has not filled. Where there are some, it has no summaries. */
  private empty({ tokens }: Held): Tensor {
    return tokens.neg().add(this.options.tokens).div(this.options.chunk) as Tensor;
  }

  private ofRows = (t: Tensor, of: Tensor): Tensor =>
    t.has("batch") ? t : (t.broadcast({ batch: of.size("batch") }) as Tensor);

  /** x, and what it reads of the summaries. */
  private read(
    x: Tensor,
    { query, before, held }: { readonly query: Tensor; readonly before: number; readonly held: Held | undefined },
    { key, value }: Summaries,
    packed: { readonly segments?: Tensor | undefined; readonly keySegments?: Tensor | undefined } = {},
  ): Tensor {
    const { vectors, chunks, evict, heads, kvHeads = heads, blockSize, tokens, through } = this.options;
    const slots = key.size("key") / vectors;
    const old = held ? chunks : 0;
    const window = evict === "oldest" && slots > chunks ? chunks * vectors : undefined;
    const asked = this.query.call<string>(this.norm.call<string>(x)) as Tensor;
    const given = {
      queries: asked.split<string, string>("heads", { kvHeads, group: heads / kvHeads }) as Tensor,
      positions: this.reached(query, before, held).add(old).mul(vectors).sub(1) as Tensor,
      key: key.cast(x.dtype) as Tensor,
      value: value.cast(x.dtype) as Tensor,
      mask: held && this.filled(held, slots),
      ...packed,
    };
    const attend = ({ queries, key, value, ...seen }: typeof given): Tensor =>
      attention(queries, key, value, { causal: true, window, ...(blockSize && { blockSize }), ...seen }) as Tensor;
    // Every device has all summaries, and its own part of the queries.
    const along = (currentLayout()?.parts("activations", "seq") ?? 1) > 1 && x.size("seq") > 1;
    const local = (given: Parameters<typeof attend>[0]) => (along ? perDevice(given, attend) : attend(given));
    const recent = through !== undefined && !held && x.size("seq") > tokens;
    const read = recent ? this.inSegments(given, through, local) : local(given);
    const merged = read.ordered(["batch", "seq", "kvHeads", "group", "headDim"]).merge(["kvHeads", "group"], "heads");
    return x.add(this.output.call<string>(merged as Tensor) as never) as Tensor;
  }

  /** Which of a session's places, and of those behind them, have a chunk of tokens: `[batch, key]`. */
  private filled(held: Held, slots: number): Tensor {
    const { vectors, chunks } = this.options;
    const index = (iota({ key: slots * vectors }) as Tensor).div(vectors).sub(chunks) as Tensor;
    const first = this.empty(held).sub(held.chunks as never) as Tensor;
    return this.ofRows(index, first).ge(first as never) as Tensor;
  }

  /** Reads a segment after the other, each with a gradient to what was written in it and in so many before it. */
  private inSegments<
    T extends Readonly<Record<"queries" | "positions" | "key" | "value", Tensor>> & {
      readonly segments?: Tensor | undefined;
    },
  >({ queries, positions, segments, ...rest }: T, through: number, read: (given: T) => Tensor): Tensor {
    const { tokens, chunk, vectors } = this.options;
    const length = queries.size("seq");
    const cut = (t: Tensor | undefined) => t && (inBlocks(t, "seq", tokens, "segment") as Tensor);
    const xs = { queries: cut(queries)!, positions: cut(positions)!, segments: cut(segments) };
    const index = iota({ segment: Math.ceil(length / tokens) });
    const place = iota({ key: rest.key.size("key") }) as Tensor;
    const [, all] = scan("segment", {}, { ...xs, index }, (none, { index, ...own }) => {
      const old = place.lt(index.sub(through).mul((tokens / chunk) * vectors) as never) as Tensor;
      const held = (t: Tensor) => where(old, stopGradient(t), t) as Tensor;
      const given = { ...rest, ...own, key: held(rest.key), value: held(rest.value) };
      return [none, read(given as unknown as T)];
    });
    const names = (all as Tensor).names.filter((n) => n !== "segment");
    const inPlace = names.flatMap((n) => (n === "seq" ? ["segment", n] : [n]));
    return (all as Tensor).ordered(inPlace).merge(["segment", "seq"], "seq").slice("seq", 0, length) as Tensor;
  }
}
