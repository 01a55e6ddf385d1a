/** What a model says of its values of the run. */

/** What a value of the run is of. */
export type Part = "attention" | "experts";

/** A value of the run that may be controlled: a parameter that is set and not trained, so that it is an input of every program. */
export interface RunValue {
  /** The path of the parameter. */
  readonly path: string;
  readonly part: Part;
  /** What it begins as, the least and the most it may be: one number, or one for each layer. */
  readonly start: number | readonly number[];
  readonly least: number | readonly number[];
  readonly most: number | readonly number[];
  /** What the model can compute with, at the least and at the most: no bounds lead beyond. Default: any numbers. */
  readonly range?: readonly [least: number, most: number];
  /** It is a multiple of this. Default: any number. */
  readonly step?: number;
  /** It says how far back tokens see: it is raised where recall is low. */
  readonly recalls?: boolean;
}

/** What of a model may be controlled. */
export interface Controlled {
  readonly values: readonly RunValue[];
  /** How many numbers `observed` gives of it. */
  readonly observations: number;
}
