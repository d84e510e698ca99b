import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'mocha';
import type { ListenerStatus } from '../../../src/broker/listener';
import { IotmpError, StorageError } from '../../../src/errors';
import { memoryUse, shortMemory } from '../../../src/gateway/health/memory-pressure';
import { ServerHealth, type HealthPort, type HealthReason } from '../../../src/gateway/health/server-health';
import { openStore } from '../../../src/store/open-store';
import { cleanUp } from '../../support/clean-up';
import { temporaryFolder } from '../store/support/stores';
import { FakeClock } from '../support/fake-clock';
import { GatewayBench } from './support/gateway-bench';

const HEALTH = '/v1/server/healthcheck';
const NOBODY = { token: null };
const MIB = 1024 * 1024;
const PLENTY = { heap: 10 * MIB, heapLimit: 100 * MIB, resident: 50 * MIB, residentLimit: 0 };

async function statuses(bench: GatewayBench): Promise<number[]> {
  const answers = await Promise.all([bench.get(HEALTH, NOBODY), bench.get('/health', NOBODY)]);
  return answers.map(({ status }) => status);
}

describe('the health of a server', () => {
  it('is 200 for anybody, with words and without', async () => {
    const bench = await GatewayBench.start();
    const [words, bare] = [await bench.get(HEALTH, NOBODY), await bench.get('/health', NOBODY)];
    assert.deepEqual([words.status, words.body], [200, { status: 'ok' }]);
    assert.deepEqual([bare.status, bare.bytes.length], [200, 0]);
  });

  it('is 503 with the reason while the disk is full, and 200 again when something is written', async () => {
    const file = `${temporaryFolder()}/store.db`;
    const store = openStore({ file, maxFileSize: MIB });
    cleanUp(async () => (await store).close());
    const bench = await GatewayBench.start({ store });
    const { properties } = bench.services;
    const value = 'x'.repeat(60_000);
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await properties.set({ user: 'anna' }, `p${i}`, value);
    };
    await assert.rejects(fill(), { statusCode: 507 });
    const { status, body, bytes } = await bench.get(HEALTH, NOBODY);
    assert.equal(status, 503);
    const message = 'the storage of the server fails: no space is left';
    assert.deepEqual(body, { status: 'failing', reasons: [{ part: 'store', reason: 'full', message }] });
    assert.ok(!bytes.includes(file), 'no path is told');
    const bare = await bench.get('/health', NOBODY);
    assert.deepEqual([bare.status, bare.bytes.length], [503, 0]);
    await properties.remove({ user: 'anna' }, 'p0');
    await bench.broker.clock.advance(1000);
    assert.deepEqual(await statuses(bench), [200, 200]);
  });

  it('is 503 while the port of a listener is taken, and 200 when the port is open', async () => {
    const blocker = net.createServer().listen(0, '127.0.0.1');
    cleanUp(() => blocker.close());
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as net.AddressInfo;
    const bench = await GatewayBench.start({}, { host: '127.0.0.1', tcpPort: port });
    await bench.until(() => bench.server.listenerStatus.get('tcp')?.kind === 'error');
    await bench.broker.clock.advance(1000);
    const reason = { part: 'listener', reason: 'EADDRINUSE', message: `the TCP port ${port} is not open` };
    const { status, body } = await bench.get(HEALTH, NOBODY);
    assert.deepEqual([status, body], [503, { status: 'failing', reasons: [reason] }]);
  });

  it('is 503 when the server was stopped', async () => {
    const bench = await GatewayBench.start();
    await bench.server.close();
    assert.deepEqual(await statuses(bench), [503, 503]);
  });

  it('is looked at once a second, however often it is asked for', async () => {
    const clock = new FakeClock();
    let looks = 0;
    const memory = (): typeof PLENTY => {
      looks++;
      return PLENTY;
    };
    const health = newHealth(clock, { memory });
    for (let i = 0; i < 1000; i++) assert.deepEqual(health.reasons, []);
    assert.equal(looks, 1);
    await clock.advance(1000);
    assert.deepEqual(health.reasons, []);
    assert.equal(looks, 2);
  });

  it('counts memory as bad past 90 % of the heap, or of the memory of the container', () => {
    assert.equal(shortMemory({ ...PLENTY, heap: 90 * MIB }), undefined);
    assert.equal(shortMemory({ ...PLENTY, heap: 90 * MIB + 1 }), 'heap');
    assert.equal(shortMemory({ ...PLENTY, residentLimit: 50 * MIB }), 'resident');
    assert.equal(shortMemory({ ...PLENTY, residentLimit: 2 ** 60 }), undefined);
    assert.equal(shortMemory(memoryUse()), undefined, 'of this process');
    const health = newHealth(new FakeClock(), { memory: () => ({ ...PLENTY, heap: 95 * MIB }) });
    assert.deepEqual(health.reasons.map(partOf), ['memory heap']);
  });

  it('tells of all that is bad at once, and of what stands around the server', () => {
    const error = new IotmpError('IOTMP_ERR_LISTEN', 'no certificate');
    const health = newHealth(new FakeClock(), {
      listener: { kind: 'error', error, port: 25206 },
      fault: new StorageError('corrupt', '/secret/path.db: damaged'),
      around: () => [{ part: 'listener', reason: 'path', message: 'a path' }],
    });
    assert.deepEqual(health.reasons.map(partOf), ['listener failed', 'listener path', 'store corrupt']);
    assert.ok(!JSON.stringify(health.reasons).includes('/secret'));
  });

  it('is left to a flow that serves /health itself', async () => {
    const bench = await GatewayBench.start({ isServedElsewhere: (target) => target.startsWith('/health') });
    assert.equal((await bench.get('/health', NOBODY)).status, 418);
    assert.equal((await bench.get(HEALTH, NOBODY)).status, 200);
  });
});

/** The health of a server that runs, with these faults. */
function newHealth(
  clock: FakeClock,
  {
    listener = { kind: 'closed' },
    fault,
    ...more
  }: Pick<HealthPort, 'memory' | 'around'> & { listener?: ListenerStatus; fault?: StorageError },
): ServerHealth {
  const server = { running: true, listenerStatus: new Map([['tls', listener] as const]) };
  return new ServerHealth({ server, services: { storeFault: fault }, clock, memory: () => PLENTY, ...more });
}

function partOf({ part, reason }: HealthReason): string {
  return `${part} ${reason}`;
}
