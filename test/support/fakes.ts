import { afterEach } from 'mocha';
import { createSandbox } from 'sinon';

/**
 * Spies, stubs and fake timers. They end with the test.
 * `useFakeTimers` wants `toFake`: without it `setImmediate` and `Date` stop as well.
 */
export const fakes = createSandbox();

afterEach(() => fakes.restore());
