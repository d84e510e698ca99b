import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { describe, it } from 'mocha';
import type { IotmpClient } from '../../../../src/client/client';
import { connectClient } from '../../services/support';
import { LAMP, PUMP } from '../../support/broker-fixture';
import { EventSource } from '../support/event-source';
import { GatewayBench, type Answer } from '../support/gateway-bench';

const OTA = '/v3/users/anna/devices/pump/resources/$ota';
const STATS = '/v1/users/anna/devices/pump/stats';
const CHUNK = 8192;
const HEADERS = { Accept: 'application/json, text/plain, */*', Connection: 'keep-alive' };

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

/** What a device that can be updated has received. */
interface Update {
  begin: unknown;
  readonly chunks: Uint8Array[];
  reboots: number;
}

/** Hosts the update resources as firmware does. */
function hostUpdate(client: IotmpClient): Update {
  const update: Update = { begin: undefined, chunks: [], reboots: 0 };
  const options = { enabled: true, block_size: CHUNK, version: '1.0', compression: 'zlib', checksum: 'md5' };
  client.host('$ota/options', { kind: 'output', run: () => options });
  client.host('$ota/begin', {
    kind: 'inout',
    run: ({ payload }) => {
      update.begin = payload;
      return { success: true };
    },
  });
  client.host('$ota/write', {
    kind: 'inout',
    run: ({ payload }) => {
      if (!(payload instanceof Uint8Array)) return { success: false, error: 'not bytes' };
      update.chunks.push(Uint8Array.from(payload));
      return { success: true };
    },
  });
  client.host('$ota/end', {
    kind: 'output',
    run: () => {
      const { compressed_checksum: sum } = update.begin as { compressed_checksum: string };
      return md5(Buffer.concat(update.chunks)) === sum
        ? { success: true }
        : { success: false, error: 'wrong checksum' };
    },
  });
  client.host('$ota/reboot', { kind: 'run', run: () => void (update.reboots += 1) });
  return update;
}

/** A POST as the extension sends it: JSON, bytes, or nothing. */
function post(bench: GatewayBench, step: string, data?: object): Promise<Answer> {
  if (data === undefined) return bench.ask('POST', `${OTA}/${step}`, { headers: HEADERS });
  if (!(data instanceof Uint8Array)) {
    const headers = { ...HEADERS, 'Content-Type': 'application/json' };
    return bench.ask('POST', `${OTA}/${step}`, { headers, body: data });
  }
  const headers = { ...HEADERS, 'Content-Type': 'application/octet-stream' };
  return bench.ask('POST', `${OTA}/${step}`, { headers, raw: Buffer.from(data) });
}

/** The whole update in the order of the extension; fails at what would make the extension give up. */
async function upload(bench: GatewayBench, firmware: Buffer): Promise<void> {
  const options = (await bench.get(`${OTA}/options`, { headers: HEADERS })).body as { block_size: number };
  const packed = deflateSync(firmware);
  const begin = {
    firmware: 'default',
    version: '',
    size: firmware.length,
    chunk_size: options.block_size,
    compression: 'zlib',
    compressed_size: packed.length,
    checksum: md5(firmware),
    compressed_checksum: md5(packed),
  };
  assert.deepEqual((await post(bench, 'begin', begin)).body, { success: true });
  for (let sent = 0; sent < packed.length; sent += options.block_size) {
    const chunk = new Uint8Array(packed.subarray(sent, sent + options.block_size));
    assert.deepEqual((await post(bench, 'write', chunk)).body, { success: true });
  }
  assert.deepEqual((await post(bench, 'end')).body, { success: true });
  assert.equal((await post(bench, 'reboot')).status, 200);
}

describe('the editor extension', () => {
  it('lists devices and those of a product', async () => {
    const bench = await GatewayBench.start();
    await bench.post('/v1/users/anna/devices', { device: 'made', credentials: 'secret', product: 'p' });
    await bench.post('/v1/users/anna/devices', { type: 'HTTP', device: 'hook', product: 'p' });
    const namesOf = async (query: string): Promise<string[]> => {
      const { body } = await bench.get(`/v1/users/anna/devices?${query}`, { headers: HEADERS });
      return (body as { device: string }[]).map(({ device }) => device);
    };
    assert.deepEqual(await namesOf('name=&type=Generic&count=10'), ['lamp', 'made', 'pump']);
    assert.deepEqual(await namesOf('name=pu&type=Generic&count=10'), ['pump']);
    assert.deepEqual(await namesOf('name=undefined&type=Generic&count=10'), []);
    assert.deepEqual(await namesOf('product=p&type=Generic&count=0'), ['made']);
  });

  it('updates a device: options, begin, chunks of 8192 bytes, end, reboot', async () => {
    const bench = await GatewayBench.start();
    const update = hostUpdate(await connectClient(bench.broker, PUMP));
    const firmware = Buffer.concat([randomBytes(20_000), Buffer.alloc(10_000)]);
    await upload(bench, firmware);
    assert.deepEqual(
      update.chunks.map(({ length }) => length === CHUNK),
      [true, true, false],
    );
    assert.deepEqual(inflateSync(Buffer.concat(update.chunks)), firmware);
    assert.equal(update.reboots, 1);
    await upload(bench, firmware).catch(() => undefined);
    assert.equal(update.chunks.length, 6, 'and once more');
  });

  it("updates two devices at a time, and neither gets what is the other's", async () => {
    const bench = await GatewayBench.start();
    const pump = hostUpdate(await connectClient(bench.broker, PUMP));
    const lamp = hostUpdate(await connectClient(bench.broker, LAMP));
    const [one, two] = [Buffer.alloc(CHUNK, 1), Buffer.alloc(CHUNK, 2)];
    const headers = { ...HEADERS, 'Content-Type': 'application/octet-stream' };
    await Promise.all([
      post(bench, 'write', one),
      bench.ask('POST', `${OTA.replace('pump', 'lamp')}/write`, { headers, raw: two }),
    ]);
    assert.deepEqual([Buffer.from(pump.chunks[0]!), Buffer.from(lamp.chunks[0]!)], [one, two]);
  });

  it('takes chunks of any bytes and size that a device takes', async () => {
    const bench = await GatewayBench.start();
    const update = hostUpdate(await connectClient(bench.broker, PUMP));
    const sizes = [1, 511, CHUNK, CHUNK + 1, 32_000];
    for (const size of sizes) {
      assert.deepEqual((await post(bench, 'write', randomBytes(size))).body, { success: true });
    }
    assert.deepEqual(
      update.chunks.map(({ length }) => length),
      sizes,
    );
    const tooMuch = await post(bench, 'write', Buffer.alloc(400_000));
    assert.ok(tooMuch.status >= 400 && tooMuch.status < 600);
    assert.match(tooMuch.type ?? '', /^application\/json/);
    assert.deepEqual((await post(bench, 'write', randomBytes(5))).body, { success: true }, 'and it goes on');
  });

  it('is told what a device says against it', async () => {
    const bench = await GatewayBench.start();
    const client = await connectClient(bench.broker, PUMP);
    client.host('$ota/begin', { kind: 'inout', run: () => ({ success: false, error: 'no room' }) });
    const { status, body } = await post(bench, 'begin', { size: 1 });
    assert.deepEqual([status, body], [200, { success: false, error: 'no room' }]);
  });

  it('is told by 404 that a device is away or cannot be updated, and by 403 that the token will not do', async () => {
    const bench = await GatewayBench.start();
    const options = (token?: string): Promise<Answer> =>
      bench.get(`${OTA}/options`, { headers: HEADERS, ...(token !== undefined && { token }) });
    assert.equal((await options()).status, 404);
    const client = await connectClient(bench.broker, PUMP);
    client.host('temp', { kind: 'output', run: () => 1 });
    assert.equal((await options()).status, 404);
    assert.equal((await options(await bench.tokenOf('anna', { Bucket: { '*': '*' } }))).status, 403);
  });

  it('is answered, and not left to wait, when the device goes in the middle', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ '$ota/write': { fn: 4, run: () => ({ success: true }) } });
    device.serves = false;
    const asked = post(bench, 'write', Buffer.alloc(CHUNK));
    await device.next();
    device.wire.cut();
    const answer = await asked;
    assert.ok(answer.status >= 400);
    assert.match(answer.type ?? '', /^application\/json/);
    assert.equal((await post(bench, 'write', Buffer.alloc(CHUNK))).status, 404);
  });

  it('follows whether its device is there, and how much it sends', async () => {
    const bench = await GatewayBench.start();
    const away = await EventSource.open(bench, STATS);
    await bench.until(() => away.events.length === 2);
    assert.equal(away.events[0]?.name, 'connect');
    assert.equal(away.state.connected, false, 'it looks at messages only');
    const device = await bench.device({ temp: { fn: 3, run: () => 1 } });
    await bench.until(() => away.state.connected === true);
    const there = await EventSource.open(bench, STATS);
    await bench.until(() => there.state.connected === true);
    const before = Number(there.state.rx_bytes);
    await bench.get('/v3/users/anna/devices/pump/resources/temp');
    await bench.broker.clock.advance(1000);
    await bench.until(() => Number(there.state.rx_bytes) > before);
    device.wire.cut();
    await bench.until(() => there.state.connected === false && away.state.connected === false);
    await Promise.all([away.close(), there.close()]);
    const none = await EventSource.open(bench, STATS.replace('pump', 'nobody'));
    assert.equal(none.status, 404);
    await none.close();
  });
});
