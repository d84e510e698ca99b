import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Node, NodeStatus } from 'node-red';
import { StatusReporter } from '../../../nodes/lib/red/status-reporter';
import { fakes } from '../../support/fakes';

const PAUSE_MS = 500;

function start(): { reporter: StatusReporter; shown: NodeStatus[] } {
  fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const shown: NodeStatus[] = [];
  const node = { status: (status: NodeStatus) => shown.push(status) } as unknown as Node;
  return { reporter: new StatusReporter(node), shown };
}

describe('the status of a node', () => {
  it('is shown at once, in the manner of Node-RED', () => {
    for (const [colour, shape] of [
      ['green', 'dot'],
      ['yellow', 'ring'],
      ['red', 'ring'],
      ['grey', 'ring'],
    ] as const) {
      const { reporter, shown } = start();
      reporter[colour]('text');
      assert.deepEqual(shown, [{ fill: colour, shape, text: 'text' }]);
      fakes.clock.restore();
    }
  });

  it('is the last of many in a short time', () => {
    const { reporter, shown } = start();
    for (let i = 0; i < 100; i++) reporter.green(`${i}`);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0'],
    );
    fakes.clock.tick(PAUSE_MS - 1);
    assert.equal(shown.length, 1);
    fakes.clock.tick(1);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0', '99'],
    );
    reporter.red('100');
    fakes.clock.tick(PAUSE_MS);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['0', '99', '100'],
    );
  });

  it('is shown when it changes only', () => {
    const { reporter, shown } = start();
    for (let i = 0; i < 3; i++) {
      reporter.green('same');
      fakes.clock.tick(PAUSE_MS);
    }
    reporter.yellow('other');
    reporter.green('same');
    fakes.clock.tick(PAUSE_MS);
    assert.deepEqual(
      shown.map(({ text }) => text),
      ['same', 'other', 'same'],
    );
  });

  it('is cleared with the node, and nothing comes after', () => {
    const { reporter, shown } = start();
    reporter.green('a');
    reporter.green('b');
    reporter.close();
    reporter.red('late');
    fakes.clock.tick(10 * PAUSE_MS);
    assert.deepEqual(shown, [{ fill: 'green', shape: 'dot', text: 'a' }, {}]);
  });
});
