import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'mocha';
import type { NodeAPI } from 'node-red';
import { ServerPool } from '../../../nodes/lib/server/server-pool';
import { FlowsStarted } from '../../../nodes/lib/red/flows-started';
import { FlowsStopping } from '../../../nodes/lib/red/flows-stopping';
import { IotmpServer } from '../../../src';
import { cleanUp } from '../../support/clean-up';
import { fakes } from '../../support/fakes';

async function start(): Promise<{
  pool: ServerPool<IotmpServer>;
  events: EventEmitter;
  server: IotmpServer;
}> {
  const events = new EventEmitter();
  const server = new IotmpServer({ host: '127.0.0.1', tcpPort: 0 });
  await server.start();
  cleanUp(() => server.close());
  return { pool: new ServerPool({ events } as unknown as NodeAPI), events, server };
}

/** Whether the server was closed. */
async function isClosed(server: IotmpServer): Promise<boolean> {
  if (server.running) return false;
  await server.close();
  return true;
}

describe('a server that is left over a deploy', () => {
  it('is taken back by the node of the same id', async () => {
    const { pool, events, server } = await start();
    pool.park('a', server);
    assert.equal(pool.take('b'), undefined);
    assert.equal(pool.take('a'), server);
    assert.equal(pool.take('a'), undefined);
    events.emit('flows:started');
    assert.equal(server.running, true);
    assert.deepEqual(events.eventNames(), []);
  });

  it('is closed when the deploy is over and nobody took it', async () => {
    const { pool, events, server } = await start();
    pool.park('a', server);
    const closed = once(server, 'listener');
    events.emit('flows:started');
    await closed;
    assert.equal(await isClosed(server), true);
    assert.equal(pool.take('a'), undefined);
    assert.deepEqual(events.eventNames(), []);
  });

  it('is closed when the deploy does not end', async () => {
    const { pool, events, server } = await start();
    fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    pool.park('a', server);
    fakes.clock.tick(29_999);
    assert.equal(server.running, true);
    fakes.clock.tick(1);
    assert.equal(await isClosed(server), true);
    assert.deepEqual(events.eventNames(), []);
  });
});

describe('a node that is closed', () => {
  it('knows whether that is for a deploy, by one listener of all nodes', () => {
    const events = new EventEmitter();
    const stopping = new FlowsStopping({ events } as unknown as NodeAPI);
    const ends = [stopping.watch(), stopping.watch()];
    assert.equal(events.listenerCount('flows:stopping'), 1);
    assert.equal(stopping.isDeploy, false);
    events.emit('flows:stopping', { type: 'full', diff: { added: [], globalConfigChanged: false } });
    assert.equal(stopping.isDeploy, true);
    for (const event of [
      undefined,
      null,
      'full',
      {},
      { diff: null },
      { type: 'full', diff: { added: [] } },
    ]) {
      events.emit('flows:stopping', event);
      assert.equal(stopping.isDeploy, false);
    }
    for (const end of ends) end();
    assert.deepEqual(events.eventNames(), []);
  });
});

describe('what waits for the flows to be started', () => {
  it('hears of each deploy until it has heard enough, by one listener', () => {
    const events = new EventEmitter();
    const started = new FlowsStarted({ events } as unknown as NodeAPI);
    const heard: string[] = [];
    const ends = ['a', 'b'].map((name) => started.watch(() => heard.push(name)));
    const end = started.watch(() => {
      heard.push('once');
      end();
    });
    assert.equal(events.listenerCount('flows:started'), 1);
    events.emit('flows:started');
    events.emit('flows:started');
    assert.deepEqual(heard, ['a', 'b', 'once', 'a', 'b']);
    for (const stop of ends) stop();
    assert.deepEqual(events.eventNames(), []);
  });
});
