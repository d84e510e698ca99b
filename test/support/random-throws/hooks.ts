import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from 'mocha';
import { mochaHooks as own } from '../clean-up';

/** How long the clean-ups of a test may take, in ms: less than the time limit of a hook. */
const CLEAN_UP_MS = 500;

/** The root hooks of all specs. A failure of the last one, or its time limit, would end the run. */
export const mochaHooks = {
  beforeEach: own.beforeEach,
  async afterEach(this: Context) {
    if (typeof own.afterEach !== 'function') return;
    try {
      await Promise.race([Reflect.apply(own.afterEach, this, []), delay(CLEAN_UP_MS)]);
    } catch {
      // What could not be cleaned up is not what is looked at.
    }
  },
};
