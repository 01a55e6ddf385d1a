import type { Tensor } from "../../../ops/tensor.js";
import type { Keys, Queries, Row } from "./visible.js";

/** What a device is given of a sequence that is split over the mesh: its parts of queries, keys and values, and what says who sees whom. */
export interface Local {
  readonly q: Queries;
  readonly k: Keys;
  readonly v: Keys;
  readonly positions?: Row | undefined;
  /** Its keys, all of them, are along `maskKey`. */
  readonly mask?: Tensor | undefined;
  readonly segments?: Tensor | undefined;
  /** Of all keys, along `maskKey`. */
  readonly keySegments?: Tensor | undefined;
}

/** What the derivative is given besides. */
export interface Cotangent {
  readonly ct: Queries;
  readonly logSum: Row;
  readonly delta: Row;
}

/** The code of one device. */
export interface OnDevice {
  forward(local: Local): { readonly out: Queries; readonly logSum: Row };
  backward(local: Local & Cotangent): { readonly dq: Queries; readonly dk: Keys; readonly dv: Keys };
}

/** How much a device has at a time. */
export interface Sizes {
  /** Positions in a chunk of the sequence. */
  readonly chunk: number;
  readonly blockSize: number;
  readonly valueDim: number;
}
