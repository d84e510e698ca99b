import type { MemoryFigures } from './messages';
import { pause } from './pause';

/** Some objects go only when others have gone, and pages go back to the system a while after. */
const COLLECTIONS = 4;
const PAUSE_S = 0.1;

/** Collects garbage and tells what is left. */
export async function measureMemory(): Promise<MemoryFigures> {
  if (globalThis.gc === undefined) throw new Error('the contender was started without --expose-gc');
  for (let collection = 0; collection < COLLECTIONS; collection++) {
    globalThis.gc();
    await pause(PAUSE_S);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, objects: heapUsed + external };
}
