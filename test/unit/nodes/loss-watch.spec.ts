import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { describe, it } from 'mocha';
import type { LinkState } from '../../../nodes/lib/flow/link';
import { LossWatch } from '../../../nodes/lib/server/loss-watch';
import type { ServerServices } from '../../../src';
import { cleanUp } from '../../support/clean-up';
import { fakes } from '../../support/fakes';
import { RawDevice } from '../support/raw-device';
import { tcpWire } from '../support/raw-wire';
import { FlowBench } from './support/flow-bench';
import { serverNode, sinkNode } from './support/flows';

const RED = { _: (key: string) => key.replace(/^.*:/, '') } as unknown as NodeAPI;
const UP: LinkState = { kind: 'up', text: 'listening' };

interface Rig {
  readonly counts: Record<string, number>;
  readonly changes: () => number;
  readonly text: (state?: LinkState) => string;
  readonly pass: (seconds: number) => void;
  readonly timers: () => number;
  readonly watch: LossWatch;
}

function start(counts: Record<string, number> = {}): Rig {
  const clock = fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  let changes = 0;
  const services = {
    losses: {
      get counts() {
        return { ...counts };
      },
    },
  } as unknown as ServerServices;
  const watch = new LossWatch(services, () => changes++, assert.ifError);
  cleanUp(() => watch.close());
  return {
    counts,
    changes: () => changes,
    text: (state = UP) => watch.with(RED, state).text,
    pass: (seconds) => clock.tick(1000 * seconds),
    timers: () => clock.countTimers(),
    watch,
  };
}

describe('the losses in the status of a server', () => {
  it('are told while they happen, and for a minute after', () => {
    const { counts, changes, text, pass } = start({ sample: 5 });
    pass(20);
    assert.deepEqual([text(), changes()], ['listening', 0], 'what was lost before is no news');
    counts.sample = 6;
    pass(5);
    assert.deepEqual([text(), changes()], ['listening; status.lostSamples', 1]);
    for (let i = 0; i < 20; i++) {
      counts.sample++;
      pass(5);
    }
    assert.deepEqual([text(), changes()], ['listening; status.lostSamples', 1], 'one change, however many');
    pass(55);
    assert.equal(text(), 'listening; status.lostSamples');
    pass(10);
    assert.deepEqual([text(), changes()], ['listening', 2]);
  });

  it('are the two worst kinds in one line', () => {
    const { counts, text, pass } = start();
    Object.assign(counts, { login: 1, sample: 1, row: 1, takeover: 9 });
    pass(5);
    assert.equal(text(), 'listening; status.lostRows; status.lostSamples');
  });

  it('are not beside an error, which says enough', () => {
    const { counts, text, pass } = start();
    counts.login = 1;
    pass(5);
    assert.equal(text({ kind: 'error', text: 'port in use' }), 'port in use');
    assert.equal(text({ kind: 'waiting', text: 'open' }), 'open; status.lostLogins');
  });

  it('are watched by one timer, which ends', () => {
    const { watch, timers, pass } = start();
    pass(100);
    assert.equal(timers(), 1);
    watch.close();
    assert.equal(timers(), 0);
  });

  it('show in the status of the server node', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(bench.port), sinkNode());
    await bench.listening();
    const device = new RawDevice(bench.track(await tcpWire(bench.port)), { credential: 'wrong' });
    device.connect();
    await device.serverEnded;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await bench.status('server', 'green', 'status.listening(count=0); status.lostLogins');
  });
});
