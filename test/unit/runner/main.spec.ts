import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { childrenOf, waitUntilGone } from '../../system/support/processes';

const MAIN = join(__dirname, '../../runner/main.ts');

interface Run {
  readonly child: ChildProcess;
  /** Exit code and output. */
  readonly ended: Promise<{ code: unknown; output: string }>;
}

/** The runner with some spec files of the fixtures. */
function start(...names: readonly string[]): Run {
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const files = names.map((name) => join(__dirname, 'fixtures', `${name}.ts`));
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', MAIN, ...files], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = Promise.all([once(child, 'close'), text(child.stdout)]).then(([[code], output]) => ({
    code: code as unknown,
    output,
  }));
  return { child, ended };
}

function lastLine(output: string): string | undefined {
  return output.trimEnd().split('\n').at(-1);
}

/** The ids of the processes below the one that is given, once there are as many. */
async function descendants(pid: number, count: number): Promise<number[]> {
  for (;;) {
    const found = [];
    for (let parents = [pid]; parents.length > 0;) {
      const children = (await Promise.all(parents.map(childrenOf))).flat();
      parents = children.map((child) => child.pid);
      found.push(...parents);
    }
    if (found.length >= count) return found;
    await delay(50);
  }
}

describe('the runner', () => {
  it('sums all runs up in its last line', async () => {
    const { code, output } = await start('passing', 'passing').ended;
    assert.equal(lastLine(output), '4 passed, 0 failed');
    assert.equal(code, 0);
  });

  it('tells what has failed and what was skipped', async () => {
    const { code, output } = await start('passing', 'passing-failing-skipped').ended;
    assert.match(output, /\n1 skipped:\n.*passing-failing-skipped\.ts: one of each > is skipped\n/);
    assert.match(output, /\n1 failed:\n.*passing-failing-skipped\.ts: one of each > fails\n/);
    assert.equal(lastLine(output), '3 passed, 1 failed');
    assert.equal(code, 1);
  });

  it('fails when no file is found', async () => {
    const { code, output } = await start('passing', 'missing').ended;
    assert.match(output, /no file is named .*missing\.ts/);
    assert.equal(lastLine(output), '2 passed, 1 failed');
    assert.equal(code, 1);
  });

  it('fails when nothing has run', async () => {
    const { code, output } = await start().ended;
    assert.equal(lastLine(output), '0 passed, 0 failed');
    assert.equal(code, 1);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends everything that its specs have started on ${signal}`, async () => {
      const { child, ended } = start('endless-child', 'passing');
      const started = await descendants(child.pid!, 2);
      child.kill(signal);
      const { code, output } = await ended;
      await waitUntilGone(started);
      assert.match(output, new RegExp(`interrupted by ${signal}`));
      assert.equal(lastLine(output), '0 passed, 2 failed');
      assert.equal(code, 1);
    });
  }
});
