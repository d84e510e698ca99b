import { setTimeout } from 'node:timers/promises';

/** Waits, in s. */
export async function pause(seconds: number): Promise<void> {
  await setTimeout(seconds * 1000);
}
