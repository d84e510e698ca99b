import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context, RootHookObject } from 'mocha';

type Action = () => unknown;

/** Clean-ups of the running test, its `beforeEach` hooks included. */
let cleanUps: Action[] | undefined;
/** Unhandled rejections during the running test, by promise: mocha reports each of them twice. */
let rejections: Map<Promise<unknown>, unknown> | undefined;

/**
 * Runs the action at the end of the running test, passed or failed. Actions run in the order of their
 * registration. Each of them runs even when an earlier one throws. An action that throws fails the test.
 * @throws Error outside of a test and its `beforeEach` hooks
 */
export function cleanUp(action: Action): void {
  if (cleanUps === undefined) throw new Error('no test is running whose end could clean up');
  cleanUps.push(action);
}

/**
 * Runs a test and its clean-ups.
 * @throws what the test, its clean-ups and the promises without a handler threw
 */
async function runToTheEnd(test: Action, actions: Action[]): Promise<void> {
  const errors: unknown[] = [];
  const attempt = async (action: Action) => {
    try {
      await action();
    } catch (error) {
      errors.push(error);
    }
  };
  const rejected = (rejections = new Map<Promise<unknown>, unknown>());
  // mocha starts the timer of the test after the synchronous part; tests that count timers have to see it.
  await Promise.resolve();
  await attempt(test);
  for (let action = actions.shift(); action !== undefined; action = actions.shift()) await attempt(action);
  await nextTurn();
  if (rejections === rejected) rejections = undefined;
  throwAll([...errors, ...rejected.values()]);
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new AggregateError(errors, errors.map(String).join('\n'));
}

/** mocha itself lets a rejection without a handler pass in silence. */
process.on('unhandledRejection', (reason, promise) => {
  if (rejections === undefined) throw reason;
  rejections.set(promise, reason);
});

export const mochaHooks: RootHookObject = {
  /** Makes the clean-ups a part of the test: an error in a hook of the root would end the whole run. */
  beforeEach(this: Context) {
    const test = this.currentTest;
    const body = test?.fn;
    if (test === undefined || body === undefined) return;
    const actions: Action[] = (cleanUps = []);
    test.fn = function (this: Context) {
      return runToTheEnd(() => (body as Action).call(this), actions);
    };
  },
  /** Only a test that ran out of time leaves anything here. */
  async afterEach() {
    const left = cleanUps ?? [];
    cleanUps = undefined;
    for (const action of left) await action();
  },
};
