import fc from "fast-check";
import { ops } from "../../ops/hlo/index.js";
import { agrees, refuses, type Use } from "./harness.js";

// On one device; on several it is in test/parallel/per_device.test.ts.
agrees("partition_id", fc.constant<Use>({ inputs: [], build: (b) => b.partitionId(), jax: "lambda: np.uint32(0)" }));
refuses(ops.partitionId, {});
