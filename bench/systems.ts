/** The systems in models/: what their tests, their full-size compilations and their ablations are made from. */
import { charTransformer } from "../models/char_transformer.js";
import type { ModelDefinition } from "../models/define.js";
import { xenarcai600b } from "../models/xenarcai_600b/model.js";
import { xenarcaiI2 } from "../models/xenarcai_i2/model.js";
import { xenarcaiV2 } from "../models/xenarcai_v2/model.js";
import { xenithMini } from "../models/xenith_mini/model.js";

/** One system. Its folder in models/ has `small.yaml`, with every component, and the full sizes below. */
export interface System {
  readonly definition: ModelDefinition;
  /** The section `model` of a configuration that is small enough to be differentiated by hand: every component, with sizes that differ. */
  readonly tiny: Readonly<Record<string, unknown>>;
  /** What a parameter of `tiny` that is not trained is set to, by its path. Default: it is random, as all are. */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** What of `tiny` has to be otherwise for nothing to be dropped. */
  readonly roomy: Readonly<Record<string, unknown>>;
  /** The section `sharding` that it needs where a sequence is split over the mesh. */
  readonly sharding?: Readonly<Record<string, unknown>>;
  /** What is overridden in `small.yaml` to leave a component out. */
  readonly components: Readonly<Record<string, readonly string[]>>;
  /** Full sizes, each a file of the folder with what is overridden in it. */
  readonly full: readonly FullSize[];
  /** What the document says of time, cost and throughput. */
  readonly claims?: readonly Claim[];
  /** How it learns to recall, where it claims to remember or to see tokens from everywhere. */
  readonly recall?: Recall;
}

/** Tokens of a prompt of the task of recall (bench/recall.ts), and among how many of the first the key is. */
export const [LENGTH, EARLY] = [48, 4];

/** A small configuration that is trained to recall. */
export interface Recall {
  /** The section `model`, with nothing but windows. */
  readonly model: Readonly<Record<string, unknown>>;
  /** How many positions back windows lead, those of all layers, and of a short-term memory, together. */
  readonly reach: number;
  readonly train: Readonly<Record<string, unknown>> & { readonly steps: number; readonly batch: number };
  /** What leads further back, each what of `model` is then otherwise. */
  readonly ways: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** How both are trained to recall. */
const recalling = { steps: 300, batch: 32, warmup: 20, learningRate: 3e-3, minLearningRate: 3e-4, beta2: 0.98 };

/** A statement that `xenarc plan` answers. */
export interface Claim {
  /** The statement, in short. */
  readonly name: string;
  readonly file: string;
  /** Words and options of `xenarc plan`. */
  readonly words: readonly string[];
}

/** A configuration of full size. */
export interface FullSize {
  readonly name: string;
  readonly file: string;
  readonly overrides?: readonly string[];
  /** Default: {@link ENTRIES}. */
  readonly entries?: readonly string[];
  /** The plain-JAX reference of its train step: a file and a run of it. */
  readonly reference?: string;
}

/** What of a model writes text, and what of it is compiled at its full size. */
const WRITING = ["prefill", "decode_step"];
export const ENTRIES = ["train_step", ...WRITING];

/**
 * A pod that writes text: the parts of a sequence, its keys and values in the cache too, lie over all devices that training splits
 * the batch over: more than there are heads to exchange for them.
 */
const serving = (context: number, ...more: string[]): Pick<FullSize, "overrides" | "entries"> => ({
  overrides: [
    ...more,
    "mesh.fsdp=1",
    `mesh.context=${context}`,
    "sharding.context=ring",
    "sharding.activations.key=[context]",
  ],
  entries: WRITING,
});

/** How many tokens of a sequence share a capacity where it lies over a whole pod: what is left on a device of xenarcai_600b's. */
const CHUNK = "model.expertChunk=400";

/** XLA:TPU keeps a copy of all weights in bfloat16 through a step, to read half as much; without, a layer's are made when it is computed. */
const NO_COPIES = "xla.flags={xla_jf_bf16_propagation: false}";

/** 128 chips: `fsdp` times 4 parts of the sequence, exchanged for heads, times 8 of heads and widths, the weights over the first two. */
const pod = (target: string, fsdp: number): string[] => [
  `target=${target}`,
  `mesh.fsdp=${fsdp}`,
  "mesh.context=4",
  "mesh.tensor=8",
  "sharding.sequence=true",
  "sharding.context=alltoall",
  "sharding.parameters.embed=[fsdp,context]",
];

/** 128 chips of v4 and 32 of v5p for Xenith_mini: a sequence over `context`, heads and widths over 4. */
const v4x256 = ["target=tpu:v4:4x4x8", "mesh.fsdp=2", "mesh.context=16", "train.batch=2"];
const v5px64 = ["target=tpu:v5p:2x4x4", "mesh.context=8"];

/** Memories of a few tokens. */
const remembering = { tokens: 8, chunk: 4, vectors: 1, chunks: 16, layers: 1, heads: 2, mlp: 32 };

/** XenArcAIi2 writes with a sequence over `context` and `fsdp`, of which its heads divide over `context` alone: the others share their queries. */
const I2_SERVING = [
  "sharding.context=ring",
  "sharding.activations.batch=[]",
  "sharding.activations.seq=[context,fsdp]",
  "sharding.activations.key=[context,fsdp]",
];

/** What XenArcAIi2's reference has not, and each setting without it: windows, sinks, global tokens and mixtures alone. No chunk is as long as this. */
const I2_OWN = {
  plan: "0",
  hyperRank: "0",
  skip: "false",
  summary: "0",
  selector: "0",
  state: "0",
  sparsity: "0",
  chunk: String(2 ** 22),
};

/** XenArcAIi2 as its reference, but for some of its own settings. */
const i2Backbone = (...but: (keyof typeof I2_OWN)[]): string[] =>
  Object.entries(I2_OWN).flatMap(([name, without]) =>
    but.some((own) => own === name) ? [] : [`model.${name}=${without}`],
  );

/** What is added to the backbone, one by one; a plan is made of a recurrent state, and the hypernetwork reads the plan. */
const I2_ADDED: Readonly<Record<string, readonly (keyof typeof I2_OWN)[]>> = {
  "skip gates": ["skip"],
  summarizer: ["summary"],
  "selector of global tokens": ["selector"],
  "chosen chunks": ["sparsity", "chunk"],
  "recurrent state": ["state"],
  "recurrent state and planning": ["state", "plan"],
  "recurrent state, planning and hypernetwork": ["state", "plan", "hyperRank"],
};

/** Assumed: dollars for an hour of a v4 chip. */
const PRICE = "3.22";

/** By the folder in models/. */
export const systems: Readonly<Record<string, System>> = {
  xenarcai_600b: {
    definition: xenarcai600b,
    tiny: {
      ...{ context: 12, vocab: 24, layers: 2, heads: 2, embed: 16, mlp: 24, expertWidth: 6, blockSize: 4 },
      ...{ experts: 4, perToken: 2, threshold: 0.6, capacity: 1, expertChunk: 4, loadBalance: 0.1, zLoss: 0.05 },
    },
    roomy: { capacity: 2 },
    components: {
      "rotary positions": ["model.theta=null"],
      "mixture of experts": ["model.experts=1", "model.perToken=1", "model.expertWidth=1"],
      "dynamic top-k": ["model.threshold=1"],
      "capacity factor": ["model.capacity=4"],
      "load-balance loss": ["model.loadBalance=0"],
      "router z-loss": ["model.zLoss=0"],
      "bias-based balancing": ["model.biasRate=0"],
      "memory-linear attention": ["model.blockSize=128"],
    },
    full: [
      {
        name: "as stated, v3-256",
        file: "full.yaml",
        entries: ["train_step"],
        reference: "sys1 v3_doc_100k_chunk_off",
      },
      { name: "as stated, v3-256, one sequence", file: "full.yaml", ...serving(32, CHUNK) },
      {
        name: "600B: expert dimension 24,576, v5p-256",
        file: "600b.yaml",
        entries: ["train_step"],
        reference: "sys1 v5p_128_600",
      },
      { name: "600B: expert dimension 24,576, v5p-256, one sequence", file: "600b.yaml", ...serving(16, CHUNK) },
      {
        name: "600B: expert dimension 24,576, 16 sequences, v4-1024",
        file: "600b.yaml",
        overrides: ["target=tpu:v4:8x8x8", "mesh.fsdp=16", "train.batch=16", "model.expertChunk=640"],
        entries: ["train_step"],
        reference: "sys1 v4_512_600",
      },
      {
        name: "600B: expert dimension 24,576, moments and residuals on the host, v4-256",
        file: "600b.yaml",
        overrides: [
          ...["target=tpu:v4:4x4x8", "model.expertChunk=640", "train.lossChunk=400", "train.offload.optimizer=true"],
          ...["model.remat={offload: [carry]}", NO_COPIES],
        ],
        entries: ["train_step"],
      },
    ],
    claims: [
      { name: "trained on a v3-256", file: "full.yaml", words: ["--target", "tpu:v3:8x16"] },
      {
        name: "near-linear scaling with pods: 32 to 2,048 chips of v5p, 64 sequences",
        file: "full.yaml",
        words: ["--target", "tpu:v5p:4x4x4", "train.batch=64", "--scaling", "32..2048"],
      },
      {
        name: "batch size of token generation on a v3-256",
        file: "full.yaml",
        words: ["--target", "tpu:v3:8x16", "--mode", "decode", CHUNK],
      },
      {
        name: "batch size of token generation on a v3-256, texts of 25,600 tokens",
        file: "full.yaml",
        words: ["--target", "tpu:v3:8x16", "--mode", "decode", "model.context=25600", "model.expertChunk=100"],
      },
    ],
  },
  xenarcai_char: {
    definition: charTransformer,
    tiny: { context: 12, vocab: 24, layers: 2, heads: 2, embed: 16, mlp: 24 },
    roomy: {},
    components: {
      "sinusoidal positions": ["model.sinusoidal=false"],
      biases: ["model.bias=false"],
      "gradient accumulation": ["train.accumulation=1", "train.batch=12"],
      "gradient clipping": ["train.clip=0"],
      "weight decay": ["train.weightDecay=0"],
      "cosine schedule": ["train.schedule=constant"],
      "gradient checkpointing": ["model.remat=everything"],
    },
    full: [
      {
        name: "as stated, v5p-256",
        file: "full.yaml",
        overrides: pod("tpu:v5p:4x4x8", 4),
        reference: "sys2 v5p_128",
      },
      {
        name: "16 sequences at a time, residuals on the host, v4-256",
        file: "full.yaml",
        overrides: [
          ...pod("tpu:v4:4x4x8", 4),
          ...["train.batch=16", "train.accumulation=128", "model.remat={offload: [carry]}"],
        ],
        entries: ["train_step"],
      },
      {
        name: "8 sequences at a time, v3-256",
        file: "full.yaml",
        overrides: [...pod("tpu:v3:8x16", 8), "train.batch=8", "train.accumulation=256"],
        reference: "sys2 v3_256_b8",
      },
      { name: "one sequence, v3-256", file: "full.yaml", ...serving(32, ...pod("tpu:v3:8x16", 8)) },
    ],
  },
  xenarcai_v2: {
    definition: xenarcaiV2,
    tiny: {
      ...{ context: 12, vocab: 24, layers: 2, heads: 2, embed: 16, mlp: 10, blockSize: 4 },
      ...{ moe: true, experts: 4, perToken: 2, capacity: 1, loadBalance: 0.1 },
    },
    roomy: { capacity: 2 },
    components: {
      "rotary positions": ["model.theta=null"],
      "memory-linear attention": ["model.attention=multi-head"],
      dropout: ["model.dropout=0"],
      "mixture of experts": ["model.moe=false"],
      "capacity factor": ["model.capacity=4"],
      "load-balance loss": ["model.loadBalance=0"],
    },
    full: [
      { name: "6.7B, v4-32", file: "full.yaml", reference: "sys4 7b" },
      { name: "13B with experts, v4-32", file: "moe13b.yaml", reference: "sys4 moe13b" },
    ],
  },
  xenith_mini: {
    definition: xenithMini,
    tiny: {
      ...{
        context: 12,
        vocab: 24,
        denseLayers: 1,
        layers: 2,
        heads: 8,
        kvHeads: 4,
        embed: 16,
        mlp: 24,
        expertWidth: 6,
      },
      ...{ windows: [2, 3], globals: 2, blockSize: 4, experts: 4, perToken: 2, loadBalance: 0.1, zLoss: 0.05 },
      memory: { tokens: 4, chunk: 2, vectors: 2, chunks: 2, layers: 2, heads: 2, mlp: 10, through: 1 },
    },
    roomy: {},
    sharding: { balance: false },
    components: {
      "rotary positions": ["model.theta=null"],
      "dense layers first": ["model.denseLayers=1", "model.mlp=1"],
      "mixture of experts": ["model.experts=1", "model.perToken=1"],
      "windows of several sizes": ["model.windows=[16]"],
      "global tokens": ["model.globals=0"],
      memories: ["model.memory=null"],
      "long-term memory": ["model.memory.chunks=0"],
      "grouped queries": ["model.kvHeads=8"],
      "load-balance loss": ["model.loadBalance=0"],
    },
    full: [
      { name: "as stated, v4-32", file: "full.yaml" },
      { name: "backbone, v4-32", file: "full.yaml", overrides: ["model.memory=null"] },
      { name: "backbone, 8 experts, v4-32", file: "full.yaml", overrides: ["model.memory=null", "model.experts=8"] },
      {
        name: "backbone, 8 experts, moments and residuals on the host, v4-32",
        file: "full.yaml",
        overrides: [
          "model.memory=null",
          "model.experts=8",
          "train.offload.optimizer=true",
          "model.remat={offload: [carry]}",
        ],
        entries: ["train_step"],
        reference: "sys5 v4_16_50b_host_off",
      },
      {
        name: "backbone, 8 experts, one sequence, v4-32",
        file: "full.yaml",
        ...serving(4, "model.memory=null", "model.experts=8", NO_COPIES),
      },
      {
        name: "backbone, 2 sequences, v4-256",
        file: "full.yaml",
        overrides: ["model.memory=null", ...v4x256],
        entries: ["train_step"],
        reference: "sys5 v4_128_b2",
      },
      {
        name: "backbone, one sequence, v4-256",
        file: "full.yaml",
        ...serving(32, "target=tpu:v4:4x4x8", "model.memory=null"),
      },
      { name: "2 sequences, v4-256", file: "full.yaml", overrides: v4x256, entries: ["train_step"] },
      { name: "one sequence, v4-256", file: "full.yaml", ...serving(32, "target=tpu:v4:4x4x8") },
      {
        name: "backbone, v5p-64",
        file: "full.yaml",
        overrides: ["model.memory=null", ...v5px64],
        entries: ["train_step"],
        reference: "sys5 v5p_32_b1",
      },
      { name: "as stated, v5p-64", file: "full.yaml", overrides: v5px64, entries: ["train_step"] },
    ],
    claims: [
      {
        name: "10T tokens in 7 days on a v4-32",
        file: "full.yaml",
        words: ["--target", "tpu:v4:2x2x4", "--tokens", "10T"],
      },
      {
        name: "10T tokens in 7 days, on a pod that has the memory",
        file: "full.yaml",
        words: ["--target", "tpu:v4:8x8x8", "train.batch=64", "--tokens", "10T", "--price", PRICE],
      },
      {
        name: "20M tokens/s of inference on a v4-32",
        file: "full.yaml",
        words: ["--target", "tpu:v4:2x2x4", "--mode", "decode"],
      },
      {
        name: "20M tokens/s of inference, on a pod that has the memory",
        file: "full.yaml",
        words: ["--target", "tpu:v4:4x4x8", "--mode", "decode"],
      },
    ],
    recall: {
      model: {
        ...{ context: LENGTH, denseLayers: 1, layers: 1, heads: 4, kvHeads: 2, embed: 32, mlp: 48, expertWidth: 16 },
        ...{ experts: 2, perToken: 1, windows: [8], globals: 0, blockSize: 64 },
      },
      // Two layers and the short-term memory.
      reach: 3 * 7,
      train: recalling,
      ways: {
        "memories and global tokens": { globals: EARLY, memory: remembering },
        memories: { memory: remembering },
        "global tokens": { globals: EARLY },
      },
    },
  },
  xenarcai_i2: {
    definition: xenarcaiI2,
    tiny: {
      ...{ context: 12, vocab: 24, layers: 2, heads: 4, kvHeads: 2, embed: 16, expertWidth: 6, blockSize: 4 },
      ...{ experts: 6, perToken: 4, least: 2, threshold: 0.5, hyperRank: 3, loadBalance: 0.1, zLoss: 0.05, plan: 5 },
      ...{ skipLoss: 0.3, summary: 6, summaryChunk: 3, sinks: 1, maxGlobals: 4, selector: 5, unit: 2, maxLatent: 8 },
      ...{ rank: 6, state: 5, theta: 100, yarn: { factor: 4, original: 32 }, window: [5, 3], dilation: [1, 2] },
      ...{ globals: [2, 3], sparsity: [0.9, 1], chunk: [2, 4], latent: [8, 5] },
    },
    values: {
      "blocks/values/window": [5, 3],
      "blocks/values/dilation": [1, 2],
      "blocks/values/globals": [2, 3],
      "blocks/values/sparsity": [0.9, 1],
      "blocks/values/chunk": [2, 4],
      "blocks/values/latent": [8, 5],
      "blocks/values/weights": [1, 0.5, 1, 2, 1, 1, 1, 1, 1, 0.5, 1, 2],
      "blocks/values/router": [0.5, 0, 0, -0.3, 0, 0, 0, 0.4, 0, 0, 0.2, 0],
    },
    roomy: {},
    components: {
      "planning, and what it steers": ["model.plan=0", "model.hyperRank=0"],
      "hypernetwork of the router": ["model.hyperRank=0"],
      "skip gates": ["model.skip=false"],
      summarizer: ["model.summary=0"],
      "selector of global tokens": ["model.selector=0"],
      "global tokens": ["model.globals=0"],
      "attention sinks": ["model.sinks=0"],
      "chosen chunks": ["model.sparsity=0"],
      "coarse attention and chosen chunks": ["model.chunk=256"],
      "recurrent state, and planning": ["model.state=0", "model.plan=0", "model.hyperRank=0"],
      dilation: ["model.dilation=1"],
      "dynamic number of experts": ["model.threshold=1"],
      "load-balance loss": ["model.loadBalance=0"],
    },
    full: [
      ...[128, 512, 1024].flatMap((thousand): FullSize[] => {
        const overrides = [`model.context=${1024 * thousand}`];
        const train = { file: "full.yaml", entries: ["train_step"] };
        return [
          { ...train, name: `50.4B at ${thousand}K, v4-256`, overrides },
          {
            ...train,
            name: `backbone at ${thousand}K, v4-256`,
            overrides: [...overrides, ...i2Backbone()],
            reference: `sys3 v4_${thousand}k_b2`,
          },
          {
            name: `50.4B at ${thousand}K, one sequence, v4-256`,
            file: "full.yaml",
            overrides: [`model.context=${1024 * thousand}`, ...I2_SERVING],
            entries: WRITING,
          },
        ];
      }),
      ...Object.entries(I2_ADDED).map(
        ([name, own]): FullSize => ({
          name: `backbone and ${name} at 128K, v4-256`,
          file: "full.yaml",
          overrides: i2Backbone(...own),
          entries: ["train_step"],
        }),
      ),
      {
        name: "50.4B and its controller at 128K, v4-256",
        file: "full.yaml",
        overrides: ["control.hidden=64"],
        entries: ["train_step", "control_step", "control_act"],
      },
    ],
    claims: [
      {
        name: "10T tokens at 1T a day, for $50K to $100K, on a v4-256, 64 sequences of 8,192 (4,096 tokens a chip)",
        file: "full.yaml",
        words: [
          ...["--target", "tpu:v4:4x4x8", "--tokens", "10T", "--price", PRICE],
          "model.context=8192",
          "train.batch=64",
        ],
      },
      {
        name: "10T tokens at 1T a day, for $50K to $100K, on a v4-256, two sequences of 128K",
        file: "full.yaml",
        words: ["--target", "tpu:v4:4x4x8", "--tokens", "10T", "--price", PRICE],
      },
    ],
    recall: {
      model: {
        ...{
          context: LENGTH,
          layers: 2,
          heads: 4,
          kvHeads: 2,
          embed: 32,
          expertWidth: 16,
          experts: 4,
          perToken: 2,
          least: 1,
        },
        ...{ window: 8, dilation: 1, maxLatent: 32, latent: 32, rank: 16, blockSize: 64, unit: 8, maxGlobals: 12 },
        // A chunk that is longer than the text never ends: there is none to be chosen, and no mean of one.
        ...{ sinks: 0, globals: 0, selector: 0, sparsity: 0, chunk: 2 * LENGTH },
        ...{ state: 0, summary: 0, summaryChunk: 8, plan: 0, hyperRank: 0 },
      },
      reach: 2 * 7,
      train: recalling,
      ways: {
        everything: {
          ...{ sinks: 4, globals: 12, selector: 8, sparsity: 0.5, chunk: 8, state: 32, summary: 16, plan: 8 },
          hyperRank: 4,
        },
        sinks: { sinks: EARLY },
      },
    },
  },
};
