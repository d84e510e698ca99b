import type { Context } from 'mocha';
import { mochaHooks as own } from '../clean-up';

/** The root hooks of all specs. A failure of the last one would end the run, and specs fail here anyway. */
export const mochaHooks = {
  beforeEach: own.beforeEach,
  async afterEach(this: Context) {
    try {
      if (typeof own.afterEach === 'function') await Reflect.apply(own.afterEach, this, []);
    } catch {
      // What could not be cleaned up is not what is looked at.
    }
  },
};
