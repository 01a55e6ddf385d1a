/** Which kernels the program being traced may have: operations that it names as composites for the runtime to replace. */

/** The kernels that there are, by the names that configurations know them by. */
export const KERNELS = ["attention", "grouped_matmul"] as const;
export type Kernel = (typeof KERNELS)[number];

let allowed: readonly Kernel[] = [];

/** Traces programs that may have these kernels. */
export function withKernels<T>(names: readonly Kernel[], f: () => T): T {
  const before = allowed;
  allowed = names;
  try {
    return f();
  } finally {
    allowed = before;
  }
}

/** Whether the program being traced may have a kernel. */
export const allowsKernel = (name: Kernel): boolean => allowed.includes(name);
