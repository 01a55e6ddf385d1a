import { stopGradient } from "../../../ops/control.js";
import { cumsum, dot, gather, iota, logSumExp, oneHot, softmax, topK, where } from "../../../ops/functions.js";
import { type Initializer, normal, zeros } from "../../../ops/initializers.js";
import { Module, param } from "../../../ops/module.js";
import { drawnBy, type Key, uniform } from "../../../ops/random.js";
import { report } from "../../../ops/report.js";
import { type Tensor, tensorError } from "../../../ops/tensor.js";

/** How a {@link Router} chooses experts for a token and what it weighs them with. */
export interface RouterOptions {
  readonly experts: number;
  /** Experts a token is given; with a `threshold`, the most. */
  readonly perToken: number;
  /**
   * A token is given the fewest experts whose probabilities add up to this (Huang et al. 2024, "Harder Tasks Need More Experts",
   * arXiv:2403.07652), in (0, 1]. Default none: all of `perToken`.
   */
  readonly threshold?: number | undefined;
  /** What logits become: softmax over the experts, or a sigmoid each (DeepSeek-V3, arXiv:2412.19437). Default softmax. */
  readonly scores?: "softmax" | "sigmoid";
  /**
   * Experts in `of` groups, of which a token may choose in the best `best` alone. A group is as good as its `by` best experts together:
   * 1 in DeepSeek-V2 (arXiv:2405.04434), 2 in DeepSeek-V3. Default none.
   */
  readonly groups?: { readonly of: number; readonly best: number; readonly by?: number } | undefined;
  /** With a `threshold`, the least experts that a token is given. Default 1. */
  readonly least?: number | undefined;
  /** Weights are divided by their sum over the chosen experts. Default true. */
  readonly normalize?: boolean;
  /** What weights are multiplied by at the end. Default 1. */
  readonly scale?: number;
  /** In training the router's input is multiplied by uniform noise in [1 - jitter, 1 + jitter] (Fedus et al. 2021, arXiv:2101.03961). Default 0. */
  readonly jitter?: number;
  /** Weight of the loss that balances the experts' load (Fedus et al. 2021, equation 4). Default 0. */
  readonly loadBalance?: number;
  /** Weight of the loss that keeps logits small (Zoph et al. 2022, "ST-MoE", arXiv:2202.08906, equation 5). Default 0. */
  readonly zLoss?: number;
  /**
   * Balances without a loss: each expert has a bias that only the choice sees, and that a step raises by this where the expert had less
   * than its share, and lowers where it had more (Wang et al. 2024, arXiv:2408.15664). Default none.
   */
  readonly biasRate?: number | undefined;
  /** How the weight begins. Default normal(0.02). */
  readonly init?: Initializer;
}

type Tokens = "group" | "token";

/** What a {@link Router} is told of tokens. */
export interface RouterCallOptions {
  /** Added to the logits (f32). */
  readonly adjustment?: Tensor<Tokens | "expert"> | undefined;
  /** Whether the token is given experts at all (i1). Default: every one is. */
  readonly active?: Tensor<Tokens> | undefined;
  /** 1 for the type of what the token is of (f32). Default: none is of any. */
  readonly types?: Tensor<Tokens | "type"> | undefined;
  /** What the token counts among those whose probabilities are observed (f32). Default: as all do. */
  readonly counted?: Tensor<Tokens> | undefined;
}

/** The experts of each token. `group` is the axis along which tokens are dispatched by themselves, if there is one. */
export interface Routing {
  /** In falling order of what they were chosen by (i32). */
  readonly expert: Tensor<Tokens | "choice">;
  /** What each expert's result is weighed with (f32); 0 where it is not taken. */
  readonly weight: Tensor<Tokens | "choice">;
  /** Whether the token takes the expert (i1); undefined: it takes all. */
  readonly taken: Tensor<Tokens | "choice"> | undefined;
  /** How many tokens have chosen each expert (i32). */
  readonly load: Tensor<"group" | "expert">;
}

/**
 * Scores each expert for each token, chooses, and reports how it went: `load_balance` (1 when all is even), `router_z`, `router_entropy`
 * (nats) and `utilization` (each expert's share of the choices). With a `threshold` also `active`, how many experts a token takes, and
 * `active_by_entropy`, how that goes with the entropy of its probabilities: the correlation over tokens, 0 where either is the same for
 * all. Where tokens have types, `type_distance`: how far the experts' shares for each are from those for all. Observed is `gate`, the mean
 * of the probabilities. Computed in float32.
 */
export class Router extends Module {
  readonly weight: Tensor<"embed" | "expert">;
  readonly bias: Tensor<"expert"> | undefined;
  private readonly options: RouterOptions;
  constructor(embed: number, options: RouterOptions) {
    super();
    const { experts, perToken, threshold = 1, groups, jitter = 0, init = normal(0.02), biasRate } = options;
    const wrong = (what: string, expected: string) => tensorError(`Router: ${what}.`, [], { expected });
    if (!(perToken >= 1 && perToken <= experts))
      throw wrong(`${perToken} of ${experts} experts a token`, "at least one, at most all");
    if (!(threshold > 0 && threshold <= 1)) throw wrong(`the threshold is ${threshold}`, "a probability in (0, 1]");
    if (!(jitter >= 0 && jitter < 1)) throw wrong(`the jitter is ${jitter}`, "a part of 1 in [0, 1)");
    if (groups) {
      const { of, best, by = 1 } = groups;
      const size = experts / of;
      if (!Number.isInteger(size) || best > of || by > size || best * size < perToken)
        throw wrong(
          `${experts} experts in ${of} groups, of which ${best} are chosen by their ${by} best, ${perToken} experts a token`,
          "groups of one size, no more chosen than there are, with as many experts in them as a token takes",
        );
    }
    this.options = options;
    this.weight = param({ embed, expert: experts }, init, { matrix: { from: ["embed"], to: ["expert"] } });
    this.bias = biasRate === undefined ? undefined : param({ expert: experts }, zeros, { decay: false });
  }

  /** x (f32) times the jitter's noise, drawn for its axes in alphabetical order. */
  jittered<A extends string>(x: Tensor<A>, key: Key): Tensor<A> {
    const { jitter = 0 } = this.options;
    return x.cast("f32").mul(uniform(key, drawnBy(key, x), 1 - jitter, 1 + jitter) as Tensor) as Tensor<A>;
  }

  /** Tokens `[..., token, embed]`, jittered if they are to be, to their experts. */
  call(x: Tensor<Tokens | "embed">, { adjustment, active, types, counted }: RouterCallOptions = {}): Routing {
    const { experts, perToken, scores: kind = "softmax", threshold, normalize = true, scale = 1 } = this.options;
    let logits = dot(x.cast("f32"), this.weight, "embed", { precision: "HIGHEST" });
    if (adjustment) logits = logits.add(adjustment);
    const scores = kind === "softmax" ? softmax(logits, "expert") : logits.sigmoid();
    const probs = kind === "softmax" ? scores : scores.div(scores.sum("expert").add(TINY));

    const wanted = stopGradient(this.bias ? scores.add(this.bias) : scores);
    const expert = topK(eligible(wanted, this.options), "expert", { choice: perToken }).indices;
    const chosen = gather(scores, "expert", expert);
    const enough = threshold === undefined ? undefined : this.fewest(gather(probs, "expert", expert), threshold);
    const given = active?.broadcast({ choice: perToken });
    const taken = enough && given ? enough.and(given) : (enough ?? given);
    const raw = taken ? where(taken, chosen, 0) : chosen;
    const weight = (normalize ? raw.div(raw.sum("choice").add(TINY)) : raw).mul(scale);

    const choices = oneHot(expert, { expert: experts }, "i32");
    const counts = taken ? choices.mul(taken.cast("i32")) : choices;
    const load = counts.sum(["token", "choice"]);
    if (types) reportTypes(counts.sum("choice"), types);
    this.reports(logits, probs, load, taken, active !== undefined);
    const everywhere = probs.names.filter((n): n is Tokens => !this.weight.has(n));
    const observed = counted
      ? probs.mul(counted).sum(everywhere).div(counted.sum(everywhere).maximum(1))
      : probs.mean(everywhere);
    report.observation("gate", observed);
    return { expert, weight, taken, load };
  }

  /** The first choices, as many as it takes for their probabilities to reach the threshold, but no fewer than the least. */
  private fewest(probs: Tensor<Tokens | "choice">, threshold: number): Tensor<Tokens | "choice"> {
    const { least = 1 } = this.options;
    const constant = stopGradient(probs);
    const short = cumsum(constant, "choice").sub(constant).lt(threshold);
    return least > 1 ? short.or(iota({ choice: probs.size("choice") }).lt(least)) : short;
  }

  private reports(
    logits: Tensor<Tokens | "expert">,
    probs: Tensor<Tokens | "expert">,
    load: Tensor<"group" | "expert">,
    taken: Routing["taken"],
    sparse: boolean,
  ): void {
    const { experts, loadBalance = 0, zLoss = 0, biasRate } = this.options;
    // Axes that the weights have besides, as those of layers in stages do, stay.
    const everywhere = logits.names.filter((n): n is Tokens => !this.weight.has(n));
    const all = load.cast("f32").sum(everywhere.filter((n): n is "group" => n !== "token"));
    const number = all.sum("expert");
    // Where tokens may be given none, there may be none at all.
    const share = all.div(sparse ? number.maximum(1) : number);
    const mean = probs.mean(everywhere);
    report.loss("load_balance", share.mul(mean).sum("expert").mul(experts), loadBalance);
    report.loss("router_z", logSumExp(logits, "expert").square().mean(everywhere), zLoss);
    const entropy = probs.mul(probs.maximum(TINY).log()).sum("expert");
    report.metric("router_entropy", entropy.mean(everywhere).neg());
    report.metric("utilization", share);
    if (taken) {
      const active = taken.cast("f32").sum("choice");
      report.metric("active", active.mean(everywhere));
      report.metric("active_by_entropy", correlation(active, entropy.neg(), everywhere));
    }
    if (this.bias && biasRate !== undefined) {
      const error = share.neg().add(1 / experts);
      report.update(this, this.bias, this.bias.add(error.sign().mul(biasRate)));
    }
  }
}

/** Minus infinity in the place of experts outside of the best groups. */
function eligible(wanted: Tensor<Tokens | "expert">, { groups, experts }: RouterOptions): Tensor<Tokens | "expert"> {
  if (!groups) return wanted;
  const { of, best, by = 1 } = groups;
  const grouped = wanted.split("expert", { expertGroup: of, member: experts / of });
  const quality = topK(grouped, "member", { leader: by }).values.sum("leader");
  const among = topK(quality, "expertGroup", { winner: best }).indices;
  const open = oneHot(among, { expertGroup: of }).sum("winner").gt(0);
  return where(open, grouped, Number.NEGATIVE_INFINITY).merge(["expertGroup", "member"], "expert");
}

/** Says how far the experts' shares for each type of token are from those for all (total variation): the mean over types that there are. */
function reportTypes(counts: Tensor<Tokens | "expert">, types: Tensor<Tokens | "type">): void {
  const wide = counts.cast("f32") as Tensor;
  const tokens = types.names.filter((n) => n !== "type");
  const shares = (x: Tensor) => x.div(x.sum("expert").maximum(1) as never) as Tensor;
  const ofType = dot(wide, types as Tensor, tokens) as Tensor;
  const distance = shares(ofType)
    .sub(shares(wide.sum(tokens) as Tensor) as never)
    .abs()
    .sum("expert")
    .mul(0.5) as Tensor;
  const there = ofType.sum("expert").gt(0).cast("f32") as Tensor;
  report.metric("type_distance", distance.mul(there).sum("type").div(there.sum("type").maximum(1)) as Tensor);
}

/** Keeps a quotient of zeros, and a logarithm of zero, finite. */
const TINY = 1e-20;

/** Pearson's correlation of two figures along some axes. */
function correlation(x: Tensor<Tokens>, y: Tensor<Tokens>, along: readonly Tokens[]): Tensor {
  const centred = (t: Tensor<Tokens>) => t.sub(t.mean(along));
  const [a, b] = [centred(x), centred(y)];
  const spread = a.square().mean(along).mul(b.square().mean(along)).sqrt();
  return a.mul(b).mean(along).div(spread.maximum(TINY));
}
