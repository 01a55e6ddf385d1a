/** The schedule of a pipeline: which part of the batch is in which stage of the layers, tick by tick. */

/**
 * Layers in stages, through which the micro-batches of a batch follow each other: GPipe (Huang et al. 2018, arXiv:1811.06965), or, with
 * several repeats, the circular form, in which every stage has several groups of layers and a micro-batch comes round that often
 * (interleaved stages: Narayanan et al. 2021, arXiv:2104.04473, section 2.2).
 */
export interface Pipeline {
  /** Devices along the mesh axis `stage`. */
  readonly stages: number;
  /** Groups of layers that each stage has. */
  readonly repeats: number;
  /** Parts of the batch. */
  readonly microBatches: number;
}

/** Ticks from a micro-batch's entry into the first stage to its next: it has to be back, and all others have to have entered. */
export const period = ({ stages, microBatches }: Pipeline): number => Math.max(stages, microBatches);

/** Ticks of a run. In each of them every stage takes a micro-batch through one group of layers. */
export const ticks = (p: Pipeline): number => (p.repeats - 1) * period(p) + p.microBatches + p.stages - 1;

/**
 * The part of the ticks in which a stage has nothing to do, from 0 to 1: (stages - 1) / (microBatches * repeats + stages - 1), where there
 * are at least as many micro-batches as stages.
 */
export const bubble = (p: Pipeline): number => (ticks(p) - p.repeats * p.microBatches) / ticks(p);
