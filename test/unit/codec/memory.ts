import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const ROUNDS = 6;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Bytes that are really in use, in the heap and in buffers. Memory of buffers is given back some time after the
 * collection, so the least of several readings counts.
 */
export async function memoryInUse(): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    collectGarbage();
    await setImmediate();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}
