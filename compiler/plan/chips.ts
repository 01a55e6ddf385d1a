/**
 * What accelerators can do, per device as XLA counts devices: a TPU v3 or 7x chip is two of them, every other one. Sources:
 *
 * - docs.cloud.google.com/tpu/docs/{v3,v4,v5e,v5p,v6e,tpu7x}: peak compute, memory, bandwidths, topology of each generation;
 *   the table in tpu7x also gives v5p's and v6e's network.
 * - "How to Scale Your Model", jax-ml.github.io/scaling-book/tpus: what those pages leave out (v3's and v4's links, the network of a
 *   host, v5p's int8).
 * - `hostLink`: PCIe, of a TPU 16 GB/s and of a v6e 32 by the same book (7x, of which no source says, like v6e); of GPUs Gen4 and Gen5 with 16 lanes.
 * - `usable`: "available HBM" in libtpu 0.0.42.1's out-of-memory errors, tried for every generation.
 * - NVIDIA's data sheets for A100 80GB SXM, H100 SXM, H200 SXM and HGX B200, dense figures (half of what is advertised with
 *   sparsity), read at glennklockwood.com/garden/processors; B200's memory as docs.vultr.com/inference-cookbook measured it;
 *   the network of H100 and H200 nodes, one 400 Gb/s adapter a GPU, from jax-ml.github.io/scaling-book/gpus.
 */

/** Element types whose peak rates differ; what is not listed runs at the rate of `bf16`. */
export type Rate = "bf16" | "f32" | "int8" | "fp8";

/** How the chips of a slice, or the GPUs of a node, are connected. */
export interface Interconnect {
  /** Bytes/s of one link in one direction, per chip. */
  readonly link: number;
  /** Dimensions of the torus, with two links each; 0: every device reaches every other through a switch over one link. */
  readonly dimensions: 0 | 2 | 3;
}

/** An accelerator. */
export interface Chip {
  readonly platform: "tpu" | "gpu";
  /** As people write it: `TPU v5p`. */
  readonly title: string;
  /** XLA's devices on one chip. */
  readonly devices: number;
  /** Bytes of high-bandwidth memory, per device. */
  readonly hbm: number;
  /** Of these, what a program can have. */
  readonly usable: number;
  /** Bytes/s to and from that memory, per device. */
  readonly hbmBandwidth: number;
  /** Operations/s by element type, per device. */
  readonly flops: Readonly<Partial<Record<Rate, number>> & { bf16: number }>;
  readonly interconnect: Interconnect;
  /** Bytes/s to the host's memory, and as many back, per chip. */
  readonly hostLink: number;
  /** Bytes/s over the data-centre network, per chip; absent where no source says. */
  readonly network?: number;
  /** The most chips of one slice (TPU), or GPUs that a switch joins. */
  readonly most: number;
}

const GB = 1e9;
const GiB = 2 ** 30;
const TERA = 1e12;
/** Gb/s in bytes/s. */
const Gbps = 1e9 / 8;

/** By their names in targets. */
export const CHIPS = {
  v3: {
    platform: "tpu",
    title: "TPU v3",
    devices: 2,
    hbm: 16 * GiB,
    usable: 15.48 * GiB,
    hbmBandwidth: 450 * GB,
    flops: { bf16: 61.5 * TERA },
    interconnect: { link: 100 * GB, dimensions: 2 },
    hostLink: 16 * GB,
    network: (200 / 4) * Gbps, // a host of four chips
    most: 1024,
  },
  // As one device per chip ("megacore"), which is how v4 is used.
  v4: {
    platform: "tpu",
    title: "TPU v4",
    devices: 1,
    hbm: 32 * GiB,
    usable: 30.75 * GiB,
    hbmBandwidth: 1200 * GB,
    flops: { bf16: 275 * TERA, int8: 275 * TERA },
    interconnect: { link: 45 * GB, dimensions: 3 },
    hostLink: 16 * GB,
    network: (200 / 4) * Gbps, // a host of four chips
    most: 4096,
  },
  v5e: {
    platform: "tpu",
    title: "TPU v5e",
    devices: 1,
    hbm: 16 * GiB,
    usable: 15.75 * GiB,
    hbmBandwidth: 819 * GB,
    flops: { bf16: 197 * TERA, int8: 393 * TERA },
    interconnect: { link: 50 * GB, dimensions: 2 }, // 400 GB/s over 4 links, both directions
    hostLink: 16 * GB,
    network: 25 * Gbps, // 6.4 Tb/s for 256 chips
    most: 256,
  },
  v5p: {
    platform: "tpu",
    title: "TPU v5p",
    devices: 1,
    hbm: 96 * GiB,
    usable: 95.74 * GiB,
    hbmBandwidth: 2765 * GB,
    flops: { bf16: 459 * TERA, int8: 918 * TERA, fp8: 459 * TERA },
    interconnect: { link: 100 * GB, dimensions: 3 }, // 1,200 GB/s over 6 links, both directions
    hostLink: 16 * GB,
    network: 50 * Gbps,
    most: 8960,
  },
  v6e: {
    platform: "tpu",
    title: "TPU v6e",
    devices: 1,
    hbm: 32 * GiB,
    usable: 31.25 * GiB,
    hbmBandwidth: 1638 * GB,
    flops: { bf16: 918 * TERA, int8: 1836 * TERA, fp8: 918 * TERA },
    interconnect: { link: 100 * GB, dimensions: 2 }, // 800 GB/s over 4 links, both directions
    hostLink: 32 * GB,
    network: 100 * Gbps,
    most: 256,
  },
  "7x": {
    platform: "tpu",
    title: "TPU 7x",
    devices: 2,
    hbm: 96 * GiB,
    usable: 94.75 * GiB,
    hbmBandwidth: 3690 * GB,
    flops: { bf16: 1153.5 * TERA, fp8: 2307 * TERA },
    interconnect: { link: 100 * GB, dimensions: 3 }, // 1,200 GB/s over 6 links, both directions
    hostLink: 32 * GB,
    network: 100 * Gbps,
    most: 9216,
  },
  a100: {
    platform: "gpu",
    title: "NVIDIA A100 80GB SXM",
    devices: 1,
    hbm: 80 * GB,
    usable: 80 * GB,
    hbmBandwidth: 2039 * GB,
    flops: { bf16: 312 * TERA, f32: 19.5 * TERA, int8: 624 * TERA },
    interconnect: { link: 300 * GB, dimensions: 0 },
    hostLink: 32 * GB,
    most: 8,
  },
  h100: {
    platform: "gpu",
    title: "NVIDIA H100 SXM",
    devices: 1,
    hbm: 80 * GB,
    usable: 80 * GB,
    hbmBandwidth: 3350 * GB,
    flops: { bf16: 989.4 * TERA, f32: 66.9 * TERA, int8: 1978.9 * TERA, fp8: 1978.9 * TERA },
    interconnect: { link: 450 * GB, dimensions: 0 },
    hostLink: 64 * GB,
    network: 400 * Gbps,
    most: 8,
  },
  h200: {
    platform: "gpu",
    title: "NVIDIA H200 SXM",
    devices: 1,
    hbm: 141 * GB,
    usable: 141 * GB,
    hbmBandwidth: 4800 * GB,
    flops: { bf16: 989.4 * TERA, f32: 66.9 * TERA, int8: 1978.9 * TERA, fp8: 1978.9 * TERA },
    interconnect: { link: 450 * GB, dimensions: 0 },
    hostLink: 64 * GB,
    network: 400 * Gbps,
    most: 8,
  },
  b200: {
    platform: "gpu",
    title: "NVIDIA B200 (HGX)",
    devices: 1,
    hbm: 179 * GB,
    usable: 179 * GB,
    hbmBandwidth: 8000 * GB,
    flops: { bf16: 2250 * TERA, f32: 80 * TERA, int8: 4500 * TERA, fp8: 4500 * TERA },
    interconnect: { link: 900 * GB, dimensions: 0 },
    hostLink: 64 * GB,
    most: 8,
  },
} as const satisfies Record<string, Chip>;

/** The name of a chip in a target. */
export type ChipName = keyof typeof CHIPS;

/** Operations/s of a device on matrices of an element type as HLO names it (`bf16`, `s8`, `f8e4m3fn`). */
export function peak(chip: Chip, dtype: string): number {
  const rate: Rate = /^f8/.test(dtype) ? "fp8" : /^[su]\d$/.test(dtype) ? "int8" : dtype === "f32" ? "f32" : "bf16";
  return chip.flops[rate] ?? chip.flops.bf16;
}
