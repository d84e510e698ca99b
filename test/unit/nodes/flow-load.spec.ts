import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { FlowLoad } from '../../../nodes/lib/flow/flow-load';
import type { Reading } from '../../../src';

/** Connections that have messages without end, and a flow that takes some time for each of them. */
class Flood {
  readonly load = new FlowLoad();
  readonly connections: FloodConnection[];
  /** Messages that the flow was given and has not worked off, at most, and the longest step of the flow, in ms. */
  mostQueued = 0;
  longestMs = 0;
  #queued = 0;
  #stepMs = 0;

  constructor(
    count: number,
    readonly costMs: number,
  ) {
    this.connections = Array.from({ length: count }, () => new FloodConnection(this));
  }

  /** As Node-RED does: the next node gets the message in a later step. */
  handOut(connection: FloodConnection): void {
    this.load.note({ reading: () => connection }, undefined);
    this.mostQueued = Math.max(this.mostQueued, ++this.#queued);
    setImmediate(() => this.#work());
  }

  async run(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      for (const connection of this.connections) connection.read(1000);
      await nextTurn();
      this.longestMs = Math.max(this.longestMs, this.#stepMs);
      this.#stepMs = 0;
    }
  }

  #work(): void {
    this.#queued--;
    const until = performance.now() + this.costMs;
    while (performance.now() < until);
    this.#stepMs += this.costMs;
  }
}

class FloodConnection implements Reading {
  messages = 0;
  isRead = true;
  /** What came and was not read, as the rest of a chunk. */
  #rest = 0;
  readonly #flood: Flood;

  constructor(flood: Flood) {
    this.#flood = flood;
  }

  hold(): void {
    this.isRead = false;
  }

  release(): void {
    this.isRead = true;
    this.read(0);
  }

  spend(): void {
    assert.fail('flows are charged by their load');
  }

  read(messages: number): void {
    if (this.#rest === 0) this.#rest = messages;
    for (; this.isRead && this.#rest > 0; this.#rest--) {
      this.messages++;
      this.#flood.handOut(this);
    }
  }
}

describe('The load of flows', () => {
  it('lets everything through while there is little', async () => {
    const load = new FlowLoad();
    const finder = { reading: () => assert.fail('nobody is to be stopped') };
    for (let turn = 0; turn < 20; turn++) {
      for (let index = 0; index < 100; index++) load.note(finder, { user: 'u', device: 'd' });
      await nextTurn();
      await nextTurn();
    }
    assert.equal(load.held, 0);
  });

  it('stops connections that give more than is worked off, each in turn, and loses no message', async () => {
    const flood = new Flood(20, 0.05);
    await flood.run(60);
    // 12 ms of work, about, after some turns of measuring; without a limit it would be 1000 ms.
    assert.ok(flood.longestMs < 100, `a step took ${flood.longestMs} ms`);
    assert.ok(flood.mostQueued < 2000, `${flood.mostQueued} messages were queued`);
    const counts = flood.connections.map(({ messages }) => messages);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    assert.ok(least > 0 && most < 4 * least, `from ${least} to ${most} messages of a connection`);
    while (flood.load.held > 0) await nextTurn();
    assert.ok(flood.connections.every(({ isRead }) => isRead));
  });

  it('gives a slow flow less at once', async () => {
    const slow = new Flood(2, 0.5);
    await slow.run(12);
    slow.mostQueued = 0;
    await slow.run(6);
    assert.ok(slow.mostQueued < 200, `${slow.mostQueued} messages of 0.5 ms were queued`);
  });

  it('does not stop those whose connection is gone', async () => {
    const load = new FlowLoad();
    for (let index = 0; index < 10_000; index++) load.note({ reading: () => undefined }, undefined);
    assert.equal(load.held, 0);
    await nextTurn();
  });
});
