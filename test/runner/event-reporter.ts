import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import Mocha, { type Hook, type MochaOptions, type Runner, type Test } from 'mocha';
import { EVENTS_DESCRIPTOR, type SpecEvent } from './events';

const {
  EVENT_HOOK_BEGIN,
  EVENT_HOOK_END,
  EVENT_RUN_BEGIN,
  EVENT_RUN_END,
  EVENT_TEST_BEGIN,
  EVENT_TEST_END,
  EVENT_TEST_FAIL,
  EVENT_TEST_PASS,
  EVENT_TEST_PENDING,
} = Mocha.Runner.constants;

/** Writes at once, so that the name of a test that never yields is out before the test begins. */
function tell(event: SpecEvent): void {
  writeSync(EVENTS_DESCRIPTOR, `${JSON.stringify(event)}\n`);
}

function nameOf(runnable: Test | Hook): string {
  return runnable.titlePath().join(' > ');
}

/** mocha reports the failure of a hook as that of a test. */
function isTest(runnable: Test | Hook): boolean {
  return runnable.type === 'test';
}

/** Reporter of mocha that tells the runner about each test and hook. */
export class EventReporter extends Mocha.reporters.Base {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    this.#tellWhatRuns(runner);
    runner.once(EVENT_RUN_BEGIN, () => tell({ kind: 'start', tests: runner.total }));
    runner.on(EVENT_TEST_PASS, () => tell({ kind: 'passed' }));
    runner.on(EVENT_TEST_PENDING, (test) => tell({ kind: 'skipped', name: nameOf(test) }));
    runner.on(EVENT_TEST_FAIL, (test, error: unknown) =>
      tell({ kind: 'failed', name: nameOf(test), error: inspect(error), isTest: isTest(test) }),
    );
    runner.once(EVENT_RUN_END, () => tell({ kind: 'end' }));
  }

  /** A test begins before its `beforeEach` hooks, and goes on after them. */
  #tellWhatRuns(runner: Runner): void {
    let test: Test | undefined;
    const begin = (runnable: Test | Hook) =>
      tell({ kind: 'begin', name: nameOf(runnable), isTest: isTest(runnable), limitMs: runnable.timeout() });
    runner.on(EVENT_HOOK_BEGIN, begin);
    runner.on(EVENT_HOOK_END, () => {
      if (test !== undefined) begin(test);
    });
    runner.on(EVENT_TEST_BEGIN, (next) => {
      test = next;
      begin(next);
    });
    runner.on(EVENT_TEST_END, () => (test = undefined));
  }
}
