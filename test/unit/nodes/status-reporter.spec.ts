import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Node, NodeStatus } from 'node-red';
import { StatusReporter } from '../../../nodes/lib/status-reporter';

const PAUSE_MS = 500;

function start(t: TestContext): { reporter: StatusReporter; shown: NodeStatus[] } {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const shown: NodeStatus[] = [];
  const node = { status: (status: NodeStatus) => shown.push(status) } as unknown as Node;
  return { reporter: new StatusReporter(node), shown };
}

describe('the status of a node', () => {
  it('is shown at once, in the manner of Node-RED', (t) => {
    for (const [colour, shape] of [
      ['green', 'dot'],
      ['yellow', 'ring'],
      ['red', 'ring'],
      ['grey', 'ring'],
    ] as const) {
      const { reporter, shown } = start(t);
      reporter[colour]('text');
      assert.deepEqual(shown, [{ fill: colour, shape, text: 'text' }]);
      t.mock.timers.reset();
    }
  });

  it('is the last of many in a short time', (t) => {
    const { reporter, shown } = start(t);
    for (let i = 0; i < 100; i++) reporter.green(`${i}`);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0'],
    );
    t.mock.timers.tick(PAUSE_MS - 1);
    assert.equal(shown.length, 1);
    t.mock.timers.tick(1);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0', '99'],
    );
    reporter.red('100');
    t.mock.timers.tick(PAUSE_MS);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0', '99', '100'],
    );
  });

  it('is shown when it changes only', (t) => {
    const { reporter, shown } = start(t);
    for (let i = 0; i < 3; i++) {
      reporter.green('same');
      t.mock.timers.tick(PAUSE_MS);
    }
    reporter.yellow('other');
    reporter.green('same');
    t.mock.timers.tick(PAUSE_MS);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['same', 'other', 'same'],
    );
  });

  it('is cleared with the node, and nothing comes after', (t) => {
    const { reporter, shown } = start(t);
    reporter.green('a');
    reporter.green('b');
    reporter.close();
    reporter.red('late');
    t.mock.timers.tick(10 * PAUSE_MS);
    assert.deepEqual(shown, [{ fill: 'green', shape: 'dot', text: 'a' }, {}]);
  });
});
