import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LastKnownStates } from '../../../src/broker/last-known';
import { LastKnownMemory } from '../../../src/broker/last-known-memory';
import { serverLimits, type ServerLimits } from '../../../src/broker/server-limits';
import { BrokerBench, PUMP } from '../support/broker-fixture';

/** The memory of a server, with states for any number of devices. */
class Memory {
  readonly warnings: string[] = [];
  readonly memory: LastKnownMemory;

  constructor(given: Partial<ServerLimits> = {}) {
    const limits = serverLimits(given);
    this.memory = new LastKnownMemory({ limits: () => limits, warn: (text) => this.warnings.push(text) });
  }

  device(device: string): LastKnownStates {
    return new LastKnownStates({ user: 'anna', device }, this.memory);
  }
}

describe('last known states', () => {
  it('keep input and output of a resource apart', () => {
    const states = new Memory().device('pump');
    assert.equal(states.get('relay'), undefined);
    states.wrote('relay', true, 5);
    states.saw('relay', { state: true }, 7);
    const known = states.get('relay');
    assert.deepEqual([known?.input, known?.output], [true, { state: true }]);
    assert.equal(known?.at, 7);
  });

  it('are 1,000 at most: the one seen longest ago gives way', () => {
    const bench = new Memory();
    const states = bench.device('pump');
    for (let i = 0; i < 1000; i++) states.saw(`r${i}`, i, i);
    assert.equal(bench.memory.dropped, 0);
    states.saw('r0', 'again', 2000);
    states.saw('one more', 1, 2001);
    assert.equal(states.get('r1'), undefined);
    assert.equal(states.get('r0')?.output, 'again');
    assert.equal(states.get('one more')?.output, 1);
    assert.equal(bench.memory.dropped, 100);
  });

  it('of one device stay within its bytes: the oldest give way, which is counted and told once', () => {
    const bench = new Memory({ lastKnownBytesPerDevice: 10_000 });
    const states = bench.device('pump');
    for (let i = 0; i < 9; i++) states.saw(`r${i}`, Buffer.alloc(800), i);
    assert.deepEqual([bench.memory.dropped, bench.warnings], [0, []], 'up to the bound');
    for (let i = 9; i < 50; i++) states.wrote(`r${i}`, Buffer.alloc(800), i);
    assert.equal(states.get('r0'), undefined);
    assert.notEqual(states.get('r49'), undefined);
    assert.ok(states.bytes <= 10_000 && states.bytes > 8000, `${states.bytes} bytes`);
    assert.ok(bench.memory.dropped >= 40);
    assert.equal(bench.warnings.length, 1);
    assert.match(bench.warnings[0]!, /^anna\/pump: .*10000 bytes/);
  });

  it('count a value once, however often it is written', () => {
    const bench = new Memory();
    const states = bench.device('pump');
    for (let i = 0; i < 100; i++) {
      states.saw('level', Buffer.alloc(500), i);
      states.wrote('level', { to: 'x'.repeat(100) }, i);
    }
    assert.ok(states.bytes < 1200, `${states.bytes} bytes`);
    assert.equal(bench.memory.bytes, states.bytes);
  });

  it('of a flood are measured at the end of the turn: the last value counts', async () => {
    const bench = new Memory({ lastKnownBytesPerDevice: 10_000 });
    const states = bench.device('pump');
    states.saw('a', 1, 1);
    await Promise.resolve();
    const small = states.bytes;
    states.saw('a', 2, 2);
    states.saw('a', Buffer.alloc(5000), 2);
    await Promise.resolve();
    assert.equal(states.bytes, small + 5000);
    states.saw('a', Buffer.alloc(5000), 3);
    states.saw('a', 3, 3);
    await Promise.resolve();
    assert.equal(states.bytes, small);
    states.saw('a', 4, 4);
    states.saw('a', Buffer.alloc(50_000), 4);
    assert.equal(states.clear(), 1);
    await Promise.resolve();
    assert.deepEqual([states.bytes, bench.memory.bytes], [0, 0]);
  });

  it('leave out a value that takes more than all of them may', () => {
    const states = new Memory({ lastKnownBytesPerDevice: 2000 }).device('pump');
    states.saw('level', 1, 1);
    states.saw('image', Buffer.alloc(2000), 2);
    states.wrote('text', 'x'.repeat(1000), 3);
    assert.deepEqual([states.get('image'), states.get('text'), states.bytes], [undefined, undefined, 0]);
    const thrower = {
      get a(): never {
        throw new Error('no');
      },
    };
    states.wrote('thrower', thrower, 4);
    assert.equal(states.get('thrower'), undefined);
  });

  it('hold nothing of the read that their bytes came with', () => {
    const states = new Memory().device('pump');
    const read = Buffer.alloc(65_536);
    states.saw('bytes', read.subarray(5, 9), 1);
    states.saw('map', { list: [read.subarray(5, 9)] }, 1);
    assert.ok(states.bytes < 1000, `${states.bytes} bytes`);
    assert.deepEqual(states.get('map')?.output, { list: [Buffer.alloc(4)] });
  });

  it('of all devices stay within their bytes: the device that was not used for longest gives way', () => {
    const bench = new Memory({ lastKnownBytes: 10_000 });
    const devices = Array.from({ length: 10 }, (_, i) => bench.device(`d${i}`));
    for (const states of devices.slice(0, 8)) states.saw('level', Buffer.alloc(1000), 1);
    assert.deepEqual([bench.memory.dropped, bench.warnings], [0, []], 'up to the bound');
    assert.notEqual(devices[0]!.get('level'), undefined);
    for (const states of devices.slice(8)) states.saw('level', Buffer.alloc(1000), 2);
    assert.ok(bench.memory.bytes <= 10_000, `${bench.memory.bytes} bytes`);
    assert.deepEqual(
      devices.map((states) => states.get('level') !== undefined),
      [true, false, false, true, true, true, true, true, true, true],
    );
    assert.equal(bench.memory.dropped, 2);
    assert.equal(bench.warnings.length, 1);
    assert.match(bench.warnings[0]!, /10000 bytes/);
  });

  it('give their bytes back when they are forgotten', () => {
    const bench = new Memory();
    const states = bench.device('pump');
    for (let i = 0; i < 10; i++) states.saw(`r${i}`, 'x', i);
    assert.equal(states.clear(), 10);
    assert.deepEqual([states.bytes, bench.memory.bytes], [0, 0]);
  });

  it('are kept of what the device describes, and of nothing else', async () => {
    const bench = await BrokerBench.start();
    const device = await bench.device();
    for (const name of ['level', 'secret']) device.resources.set(name, { fn: 3, run: () => 5 });
    await bench.server.call(PUMP, 'secret', { payload: 1 });
    assert.equal(bench.server.lastKnown(PUMP)?.get('secret')?.output, 5, 'it has not described itself yet');
    device.resources.delete('secret');
    await bench.server.call(PUMP, 'level');
    assert.equal(bench.server.lastKnown(PUMP)?.get('level')?.output, 5);
    assert.equal(bench.server.lastKnown(PUMP)?.get('secret'), undefined);
    device.resources.set('secret', { fn: 3, run: () => 5 });
    await bench.server.call(PUMP, 'secret', { payload: 1 });
    assert.equal(bench.server.lastKnown(PUMP)?.get('secret'), undefined);
    assert.equal(bench.server.statesDropped, 0);
  });
});
