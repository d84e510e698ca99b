/** Does the work for each item, for at most `jobs` of them at the same time. Begins in the order of the items. */
export async function runPool<Item>(
  items: readonly Item[],
  jobs: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}
