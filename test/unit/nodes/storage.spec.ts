import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import type { Node } from 'node-red';
import { ServerLink } from '../../../nodes/lib/server/server-link';
import { IotmpClient, openStore, type ServerServices } from '../../../src';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder } from '../store/support/stores';
import { FlowBench } from './support/flow-bench';
import { PUMP, serverNode, sinkNode, type NodeConfig } from './support/flows';
import { patiently } from './support/patience';

const BUCKET = { user: PUMP.user, bucket: 'log' };

interface Scene {
  readonly bench: FlowBench;
  readonly file: string;
  readonly server: (properties?: Readonly<Record<string, unknown>>) => NodeConfig;
}

async function start(): Promise<Scene> {
  const userDir = temporaryFolder();
  const bench = await FlowBench.start({ userDir });
  return {
    bench,
    file: join(userDir, 'iotmp', 'server.db'),
    server: (properties = {}) => serverNode(bench.port, { storage: 'file', ...properties }),
  };
}

/** The pump, connected over TCP. */
async function connectPump(bench: FlowBench): Promise<IotmpClient> {
  const reconnect = { minMs: 10, maxMs: 50 };
  const pump = new IotmpClient({ ...PUMP, host: '127.0.0.1', port: bench.port, reconnect });
  cleanUp(() => pump.close());
  pump.connect();
  await patiently(pump.ready(), () => 'the connection of the pump');
  return pump;
}

function servicesOf(bench: FlowBench): ServerServices {
  const { link } = bench.node('server') as Node & { link: unknown };
  assert.ok(link instanceof ServerLink);
  return link.services;
}

/** What is in the folder of the files. */
function filesOf(file: string): string[] {
  return existsSync(dirname(file)) ? readdirSync(dirname(file)).sort() : [];
}

/** The server node as the editor sends it when its credentials were not touched. */
function unchanged({ credentials: _, ...node }: NodeConfig): NodeConfig {
  return node;
}

describe('a server that keeps its state in a file', function () {
  this.timeout(60_000);

  it('has it again after a restart, and has let go of the file in between', async () => {
    const { bench, file, server } = await start();
    await bench.load(server(), sinkNode());
    const pump = await connectPump(bench);
    await pump.setProperty('mode', { level: 3 });
    await pump.writeBucket('log', { n: 1 });
    await servicesOf(bench).topics.publish(PUMP.user, 'doors/front', 'open', { retain: true });
    await bench.unload();
    assert.deepEqual(
      filesOf(file),
      ['server.db', 'server.db.reserve'],
      'the log is in the file, and the file is closed',
    );
    await bench.load(server(), sinkNode());
    await bench.listening();
    await patiently(pump.ready(), () => 'the pump again');
    assert.deepEqual(await pump.getProperty('mode'), { level: 3 });
    const { rows } = await servicesOf(bench).buckets.range(BUCKET);
    assert.deepEqual(
      rows.map(({ value }) => value),
      [{ n: 1 }],
    );
    assert.deepEqual(bench.log('error'), []);
  });

  it('keeps it open over deploys, with what is being written', async () => {
    const { bench, server } = await start();
    await bench.load(server(), sinkNode());
    const pump = await connectPump(bench);
    await pump.setProperty('count', 0);
    const services = servicesOf(bench);
    for (let keepAlive = 61; keepAlive < 66; keepAlive++) {
      const writing = Promise.all(
        Array.from({ length: 20 }, (_, index) => pump.setProperty('count', index + keepAlive)),
      );
      await bench.deploy('full', unchanged(server({ keepAlive })), sinkNode());
      await writing;
      assert.equal(servicesOf(bench), services);
      assert.equal(await pump.getProperty('count'), 19 + keepAlive);
    }
    assert.deepEqual([...bench.log('error'), ...bench.log('warn')], []);
  });

  it('lets go of it before a deploy that removes the server ends', async () => {
    const { bench, file, server } = await start();
    await bench.load(server(), sinkNode());
    await servicesOf(bench).properties.set(PUMP, 'a', 1);
    await bench.deploy('full', sinkNode());
    assert.deepEqual(filesOf(file), ['server.db', 'server.db.reserve']);
    const store = await openStore({ file, busyTimeoutMs: 0 });
    assert.equal((await store.properties.get(PUMP, 'a'))?.value, 1);
    assert.deepEqual(await store.check(), []);
    await store.close();
  });

  it('has it again after it was switched off and on', async () => {
    const { bench, server } = await start();
    await bench.load(server(), sinkNode());
    await servicesOf(bench).properties.set(PUMP, 'a', 1);
    await bench.deploy('full', unchanged(server({ enabled: false })), sinkNode());
    await bench.deploy('full', unchanged(server()), sinkNode());
    await bench.status('server', 'green', 'status.listening');
    const { properties } = servicesOf(bench);
    assert.equal((await properties.get(PUMP, 'a'))?.value, 1);
    assert.deepEqual(bench.log('error'), []);
  });

  it('goes over to memory and back by a deploy, which restarts it', async () => {
    const { bench, file, server } = await start();
    await bench.load(server(), sinkNode());
    const pump = await connectPump(bench);
    await pump.setProperty('mode', 'kept');
    const inFile = servicesOf(bench);
    await bench.deploy('full', unchanged(server({ storage: 'memory' })), sinkNode());
    await bench.status('server', 'green', 'status.listening(count=1)');
    assert.notEqual(servicesOf(bench), inFile);
    assert.deepEqual(filesOf(file), ['server.db', 'server.db.reserve']);
    assert.equal(await pump.getProperty('mode'), null);
    await bench.deploy('full', unchanged(server()), sinkNode());
    await bench.status('server', 'green', 'status.listening(count=1)');
    assert.equal(await pump.getProperty('mode'), 'kept');
    assert.deepEqual(bench.log('error'), []);
  });

  it('works without it while it is damaged: red, one error in the log, and well again when it is mended', async () => {
    const { bench, file, server } = await start();
    mkdirSync(dirname(file));
    writeFileSync(file, Buffer.alloc(20_000, 'no database at all '));
    await bench.load(server(), sinkNode());
    await bench.status('server', 'red', 'status.storeCorrupt');
    const pump = await connectPump(bench);
    const refusal = { code: 'IOTMP_ERR_REMOTE', statusCode: 503 };
    await assert.rejects(pump.setProperty('mode', 1), refusal);
    await assert.rejects(pump.setProperty('mode', 2), refusal);
    const errors = bench.log('error', 'server');
    assert.equal(errors.length, 1, errors.join('\n'));
    assert.match(errors[0] ?? '', /errors\.storage\(reason=.*server\.db/);
    rmSync(file);
    await bench.status('server', 'green', 'status.listening(count=1)');
    await pump.setProperty('mode', 3);
    assert.equal(await pump.getProperty('mode'), 3);
    assert.equal(bench.log('error', 'server').length, 1);
  });

  it('says that another process has it, and takes it over from there', async () => {
    const { bench, file, server } = await start();
    const other = await openStore({ file });
    await other.properties.set(PUMP, 'mode', 'other');
    await bench.load(server(), sinkNode());
    await bench.status('server', 'red', 'status.storeLocked');
    await other.close();
    await bench.status('server', 'green', 'status.listening');
    const { properties } = servicesOf(bench);
    assert.equal((await properties.get(PUMP, 'mode'))?.value, 'other');
    assert.equal(bench.log('error', 'server').length, 1);
  });

  it('ends while the file cannot be opened', async () => {
    const { bench, file, server } = await start();
    const other = await openStore({ file });
    cleanUp(() => other.close());
    await bench.load(server(), sinkNode());
    await bench.status('server', 'red', 'status.storeLocked');
    const hosted = bench.server();
    await patiently(bench.unload(), () => 'the end of the flows');
    assert.equal(hosted.running, false);
  });
});

describe('a server that keeps its state in memory', function () {
  this.timeout(60_000);

  it('makes no file, and begins anew after a restart', async () => {
    const { bench, file, server } = await start();
    const inMemory = server({ storage: 'memory' });
    await bench.load(inMemory, sinkNode());
    const pump = await connectPump(bench);
    await pump.setProperty('mode', 1);
    const gone = once(pump, 'state');
    await bench.unload();
    await gone;
    await bench.load(inMemory, sinkNode());
    await bench.listening();
    await patiently(pump.ready(), () => 'the pump again');
    assert.equal(await pump.getProperty('mode'), null);
    assert.deepEqual(filesOf(file), []);
  });
});

describe('a property that a device watches', function () {
  this.timeout(60_000);

  it('is told again, and goes on being told, after the server was restarted', async () => {
    const { bench, server } = await start();
    await bench.load(server(), sinkNode());
    const pump = await connectPump(bench);
    const heard: unknown[] = [];
    let expected: { value: unknown; resolve: () => void } | undefined;
    pump.watchProperty('mode', {
      onSample: (value) => {
        heard.push(value);
        if (value === expected?.value) expected?.resolve();
      },
    });
    const hears = (value: unknown): Promise<void> =>
      patiently(
        new Promise<void>((resolve) => (expected = { value, resolve })),
        () => `${String(value)} after ${JSON.stringify(heard)}`,
      );
    let next = hears('a');
    await pump.setProperty('mode', 'a');
    await next;
    next = hears('a');
    await bench.unload();
    await bench.load(server(), sinkNode());
    await next;
    next = hears('b');
    await servicesOf(bench).properties.set(PUMP, 'mode', 'b');
    await next;
  });
});
