/** Ctrl-C while the runtime works: the bridge hands it on, and the runtime ends in order. */
import { XenarcError } from "../compiler/errors.js";

/** A command was ended by Ctrl-C: no error, but nothing came of it either. */
export class Interrupted extends Error {}

/** Runs `work`. If it fails after a signal, that is {@link Interrupted}, with what the failure said. */
export async function interruptible<T>(work: () => Promise<T>): Promise<T> {
  let signalled = false;
  const note = () => {
    signalled = true;
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  for (const signal of signals) process.on(signal, note);
  try {
    return await work();
  } catch (error) {
    throw signalled && error instanceof XenarcError ? new Interrupted(error.parts.what) : error;
  } finally {
    for (const signal of signals) process.off(signal, note);
  }
}
