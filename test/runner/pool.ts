/** Runs the tasks, at most `jobs` of them at the same time. Begins none after the signal. */
export async function runPool(
  tasks: readonly (() => Promise<void>)[],
  jobs: number,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...tasks];
  const work = async () => {
    for (let task = queue.shift(); task !== undefined && !signal.aborted; task = queue.shift()) await task();
  };
  await Promise.all(Array.from({ length: jobs }, work));
}
