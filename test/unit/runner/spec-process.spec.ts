import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { Outcome } from '../../runner/outcome';
import { SpecProcess } from '../../runner/spec-process';

/** Runs a spec file of the fixtures. */
async function run(name: string, timeoutMs = 20_000): Promise<SpecProcess> {
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const { signal } = new AbortController();
  const specs = new SpecProcess(join(__dirname, 'fixtures', `${name}.ts`), { timeoutMs, env, signal });
  await specs.ended();
  return specs;
}

async function outcomeOf(name: string, timeoutMs?: number): Promise<Outcome> {
  return (await run(name, timeoutMs)).outcome;
}

/** A failure in one line. */
function failuresOf({ failures }: Outcome): string[] {
  return failures.map(({ name, error }) => `${name}: ${error.split('\n')[0] ?? ''}`);
}

describe('the process of a spec file', () => {
  it('counts what passes, fails and is skipped', async () => {
    const outcome = await outcomeOf('passing-failing-skipped');
    assert.equal(outcome.passed, 1);
    assert.equal(outcome.failed, 1);
    assert.deepEqual(outcome.skipped, ['one of each > is skipped']);
    assert.match(outcome.failures[0]?.error ?? '', /1 !== 2[^]*passing-failing-skipped\.ts:6/);
  });

  it('is killed in a loop that never yields, and the test has failed', async () => {
    const outcome = await outcomeOf('endless-loop');
    assert.deepEqual(failuresOf(outcome), [
      'a loop > never yields: did not end within 200 ms, and its process was killed',
    ]);
    assert.deepEqual([outcome.passed, outcome.notRun, outcome.failed], [1, 1, 2]);
  });

  it('goes on after a test that never settles', async () => {
    const outcome = await outcomeOf('endless-promise');
    assert.match(failuresOf(outcome).join(), /^a promise > never settles: .*100ms/);
    assert.deepEqual([outcome.passed, outcome.failed], [1, 1]);
  });

  it('is killed when something is left open', async () => {
    const outcome = await outcomeOf('open-handle', 5_000);
    assert.deepEqual(failuresOf(outcome), [
      'the end: did not end within 5000 ms, and its process was killed',
    ]);
    assert.deepEqual([outcome.passed, outcome.failed], [1, 1]);
  });

  it('fails when it ends in the middle, with whatever code', async () => {
    const outcome = await outcomeOf('early-exit');
    assert.deepEqual(failuresOf(outcome), [
      'a process > ends as if all were well: its process ended with code 0',
    ]);
    assert.deepEqual([outcome.passed, outcome.notRun, outcome.failed], [0, 1, 2]);
  });

  it('fails when its exit code is not the number of failures', async () => {
    const outcome = await outcomeOf('other-exit-code');
    assert.deepEqual(failuresOf(outcome), ['the end: its process ended with code 3 after 0 failures']);
    assert.deepEqual([outcome.passed, outcome.failed], [1, 1]);
  });

  it('fails when it has no test', async () => {
    assert.deepEqual(failuresOf(await outcomeOf('no-test')), ['loading: there is no test']);
  });

  it('fails when its file cannot be loaded, and tells why', async () => {
    const { outcome, output } = await run('broken-file');
    assert.deepEqual(failuresOf(outcome), ['loading: its process ended with code 1']);
    assert.match(output, /this file cannot be loaded/);
  });

  it('fails the test in which a promise is rejected that nobody handles', async () => {
    const outcome = await outcomeOf('unhandled-rejection');
    assert.deepEqual(failuresOf(outcome), ['a rejection > has no handler: Error: nobody handles this']);
    assert.deepEqual([outcome.passed, outcome.failed], [1, 1]);
  });

  it('fails the test whose clean-ups fail, all of which run', async () => {
    const outcome = await outcomeOf('failing-clean-up');
    assert.equal(outcome.failures[0]?.name, 'clean-ups > fail their test, and all of them run');
    assert.match(outcome.failures[0].error, /the first[^]*the second/);
    assert.deepEqual([outcome.passed, outcome.failed], [1, 1]);
  });

  it('counts the tests that a failing hook keeps from running', async () => {
    const outcome = await outcomeOf('failing-hook');
    assert.match(failuresOf(outcome).join(), /^a hook > "before each" hook .*: Error: the hook fails$/);
    assert.deepEqual([outcome.passed, outcome.notRun, outcome.failed], [0, 2, 3]);
  });
});
