/** Launching a training job on other machines: what is done is a plan first, which can be looked at. */
export { type GkeOptions, gkePlan } from "./gke.js";
export { type Job, RESOURCE, RESOURCE_RULE, requireName } from "./job.js";
export { carryOut, type LaunchPlan, renderPlan, stage } from "./plan.js";
export { type SlurmOptions, slurmPlan } from "./slurm.js";
export { type TpuVmOptions, tpuVmPlan } from "./tpu_vm.js";
export { type XpkOptions, xpkPlan } from "./xpk.js";
