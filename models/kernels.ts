/** From the configuration to the kernels that programs may have. */
import { z } from "zod";
import { KERNELS, type Kernel } from "../compiler/kernels.js";
import { parseTarget } from "../compiler/plan/target.js";

/**
 * What the platform's own kernels may replace: `reference`, nothing; `auto`, everything on platforms that have kernels; or those of
 * these names, whatever the platform. Where the runtime has none for a case it runs what xenarc's own operations say.
 */
export const kernelsSchema = z.union([z.enum(["reference", "auto"]), z.array(z.enum(KERNELS))]).default("auto");

/** The sections of the configuration that say which kernels there are. */
export interface KernelsConfig {
  readonly target: string;
  readonly kernels: z.infer<typeof kernelsSchema>;
}

/** The kernels that a configuration's programs may have. */
export function kernelsOf({ target, kernels }: KernelsConfig): readonly Kernel[] {
  if (typeof kernels !== "string") return kernels;
  return kernels === "auto" && parseTarget(target).platform === "tpu" ? KERNELS : [];
}
