/** Real milliseconds after which something that a test waits for counts as missing. */
const PATIENCE_MS = 5_000;

/** Gives what a promise gives, or fails with a name for what did not come. */
export async function patiently<T>(promise: PromiseLike<T>, missing: () => string): Promise<T> {
  let guard: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_resolve, reject) => {
    guard = setTimeout(() => reject(new Error(`missing: ${missing()}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, impatience]);
  } finally {
    clearTimeout(guard);
  }
}
