import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { tcpWire } from '../support/raw-wire';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  devicesOf,
  eventsNode,
  LAMP,
  PUMP,
  resourceInNode,
  serverNode,
  sinkNode,
  streamNode,
} from './support/flows';
import { freePort } from './support/free-port';
import { patiently } from './support/patience';

async function start(properties: Record<string, unknown>): Promise<FlowBench> {
  const bench = await FlowBench.start();
  await bench.load(
    serverNode(bench.port, properties),
    callNode(),
    resourceInNode(),
    streamNode(),
    eventsNode(),
    sinkNode(),
    ...catchNodes(),
  );
  return bench;
}

/** Whether a port takes connections. */
async function isOpen(port: number): Promise<boolean> {
  try {
    (await tcpWire(port)).cut();
    return true;
  } catch {
    return false;
  }
}

/** All flow nodes of a server that does not work say so, and those with an input answer with it. */
async function assertInert(bench: FlowBench): Promise<void> {
  for (const id of ['call', 'resource-in', 'stream', 'events'])
    await bench.status(id, 'red', 'status.noServer');
  for (const id of ['call', 'stream']) {
    bench.send(id, { payload: 1 });
    const error = await bench.error();
    assert.deepEqual([error.code, error.source.id], ['IOTMP_ERR_CONFIG', id]);
  }
}

describe('iotmp-server', () => {
  it('listens, and counts its devices', async () => {
    const bench = await start({});
    await bench.status('server', 'green', 'status.listening(count=0)');
    assert.deepEqual(bench.log('info', 'server'), [`tcp: 127.0.0.1:${bench.port}`]);
    const device = await bench.device();
    await bench.status('server', 'green', 'status.listening(count=1)');
    device.wire.cut();
    await bench.status('server', 'green', 'status.listening(count=0)');
    assert.deepEqual([...bench.log('warn'), ...bench.log('error')], []);
  });

  it('bounds what it keeps for a device by the memory in its settings', async () => {
    const bench = await start({ deviceMemory: '2' });
    assert.equal(bench.server().limits.waitingMessageBytesPerDevice, 2 * 2 ** 20);
    assert.equal(bench.server().limits.lastKnownBytesPerDevice, 2 ** 17);
  });

  it('is off: grey, its port is closed, and its nodes are inert', async () => {
    const bench = await start({ enabled: false });
    await bench.status('server', 'grey', 'status.disabled');
    assert.equal(await isOpen(bench.port), false);
    await assertInert(bench);
  });

  it('is off by an environment variable', async () => {
    process.env.IOTMP_TEST_ENABLED = 'false';
    const bench = await start({ enabled: '${IOTMP_TEST_ENABLED}' });
    await bench.status('server', 'grey', 'status.disabled');
  });

  const invalid: Record<string, [Record<string, unknown>, string]> = {
    'a port that is no number': [{ tcpPort: 'x' }, 'tcpPort must be a number from 1 to 65535'],
    'a port out of range': [{ tcpPort: 70000 }, 'tcpPort must be'],
    'a port with a fraction': [{ tcpPort: '80.5' }, 'tcpPort must be a whole number'],
    'a port that is no port at all': [{ tcpPort: {} }, 'tcpPort must be'],
    'a TLS port without TLS': [{ tlsPort: 25206 }, 'errors.tlsMissing'],
    'a path without a slash': [{ wsPath: 'iotmp' }, 'wsPath must begin with "/"'],
    'a path with spaces': [{ wsPath: '/io tmp' }, 'wsPath must begin with "/"'],
    'a keep-alive of 0': [{ keepAlive: 0 }, 'keepAlive must be'],
    'half a keep-alive': [{ keepAlive: 1.5 }, 'keepAlive must be a whole number'],
    'a memory that is too large': [{ deviceMemory: 129 }, 'deviceMemory must be'],
    'a message size that is too small': [{ maxMessageSize: 10 }, 'maxMessageSize must be'],
    'half a connection': [{ maxConnections: 0.5 }, 'maxConnections must be'],
    'a storage that there is not': [{ storage: 'cloud' }, 'storage must be one of file, memory'],
    'no time for requests': [{ requestTimeout: -1 }, 'requestTimeout must be'],
    'devices that are no JSON': [
      { credentials: { devices: '[{"user":"anna"' } },
      'devices is not valid JSON',
    ],
    'devices that are no list': [{ credentials: { devices: '{}' } }, 'errors.invalidDevices'],
  };
  for (const [name, [properties, reason]] of Object.entries(invalid)) {
    it(`has ${name}: red with the reason, an error in the log, and inert nodes`, async () => {
      const bench = await start(properties);
      await bench.status('server', 'red', reason);
      const errors = bench.log('error', 'server');
      assert.equal(errors.length, 1);
      assert.ok(errors[0]!.startsWith(reason), errors[0]);
      await assertInert(bench);
    });
  }

  it('says nothing of credentials where the table is broken', async () => {
    const bench = await start({
      credentials: { devices: '[{"user":"anna","device":"x","credential":"hush"' },
    });
    const shown = JSON.stringify([bench.statuses('server').all, bench.log('error'), bench.log('warn')]);
    assert.ok(!shown.includes('hush'));
  });

  it('takes a request timeout that is no whole number of milliseconds', async () => {
    const bench = await start({ requestTimeout: 0.12345 });
    await bench.status('server', 'green');
  });

  it('leaves out rows that name no device, or one that is there already; the others work', async () => {
    const rows = [
      { user: '', device: 'a', credential: 'x' },
      PUMP,
      { user: 'anna', device: '', credential: 'x' },
      { user: 'anna', device: 'b' },
      { user: 'anna', device: 'c', credential: 5 },
      null,
      'row',
      { ...PUMP, credential: 'another' },
      { user: 'anna', device: '.', credential: 'x' },
      { user: 'anna ', device: 'x', credential: 'x' },
      { ...LAMP, comment: 'kept for people' },
    ];
    const bench = await start({ credentials: devicesOf(...rows) });
    await bench.status('server', 'green');
    const warnings = bench.log('warn', 'server');
    assert.deepEqual(warnings, [
      'errors.deviceLeftOut(row=1, name="/a", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=3, name="anna/", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=4, name="anna/b", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=5, name="anna/c", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=6, name="/", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=7, name="/", reason=devices.incomplete)',
      'errors.deviceLeftOut(row=8, name="anna/pump", reason=devices.duplicate)',
      'errors.deviceLeftOut(row=9, name="anna/.", reason=devices.unusable)',
      'errors.deviceLeftOut(row=10, name="anna /x", reason=devices.unusable)',
    ]);
    await bench.device(PUMP);
    await bench.device(LAMP);
    assert.deepEqual(bench.server().registered, [
      { user: 'anna', device: 'pump' },
      { user: 'anna', device: 'lamp' },
    ]);
  });

  it('has no devices: nobody gets in, which status and log tell', async () => {
    const bench = await start({ credentials: {} });
    await bench.status('server', 'yellow', 'status.unregistered');
    assert.deepEqual(bench.log('warn', 'server'), ['errors.unregistered']);
    const device = new RawDevice(bench.track(await tcpWire(await bench.listening())));
    device.connect();
    assert.equal((await device.next()).type, Type.ERROR);
  });

  it('is open for all: a warning in status and log; registered devices still need their credential', async () => {
    const bench = await start({ anonymous: true });
    await bench.status('server', 'yellow', 'status.anonymous(count=0)');
    assert.deepEqual(bench.log('warn', 'server'), ['errors.anonymous']);
    await bench.device({ user: 'who', device: 'ever', credential: '' });
    await bench.status('server', 'yellow', 'status.anonymous(count=1)');
    const device = new RawDevice(bench.track(await tcpWire(bench.port)), { ...PUMP, credential: 'wrong' });
    device.connect();
    assert.equal((await device.next()).type, Type.ERROR);
  });

  it('has its port taken: red, and the other listeners work; it is tried again', async () => {
    const other = createServer();
    const bench = await FlowBench.start();
    other.listen(bench.port, '127.0.0.1');
    await once(other, 'listening');
    cleanUp(() => other.close());
    const secondPort = await freePort();
    await bench.load(
      serverNode(bench.port),
      serverNode(secondPort, { id: 'second' }),
      callNode(),
      sinkNode(),
    );
    await bench.status('server', 'red', `status.portInUse(port=${bench.port})`);
    await bench.status('call', 'red', 'status.portInUse');
    const line = `cannot listen on 127.0.0.1:${bench.port}: the port is in use`;
    assert.deepEqual(bench.log('error', 'server'), [line]);
    await bench.device(PUMP, {}, await bench.listening('tcp', 'second'));
    await bench.status('second', 'green');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    other.close();
    await bench.listening();
    await bench.status('server', 'green');
    assert.deepEqual(
      bench.statuses('server').all.map(({ fill }) => fill),
      ['yellow', 'red', 'green'],
      'red once, however often it was tried',
    );
    await bench.device();
    assert.equal(bench.log('error', 'server').length, 1);
  });

  it('listens where a node without properties would', async () => {
    const bench = await FlowBench.start();
    const bare = { id: 'server', type: 'iotmp-server', host: '127.0.0.1', credentials: devicesOf(PUMP) };
    await bench.load(bare);
    assert.equal(await bench.listening(), 25204);
  });

  it('forgets nobody who uses it, and keeps nobody who does not', async () => {
    const bench = await start({});
    const users = (): string[] => Object.keys((bench.node('server') as unknown as { users: object }).users);
    assert.deepEqual(users().sort(), ['call', 'events', 'resource-in', 'stream']);
    const { credentials: _, ...server } = serverNode(bench.port);
    await bench.deploy('nodes', server, callNode(), sinkNode(), ...catchNodes());
    assert.deepEqual(users(), ['call']);
  });

  it('logs a warning that repeats once', async () => {
    const bench = await start({});
    for (let i = 0; i < 3; i++) bench.server().warn('something is odd');
    assert.deepEqual(bench.log('warn', 'server'), ['something is odd']);
  });

  it('logs refused logins, in one line for those that are alike', async () => {
    const bench = await start({ maxConnections: 1 });
    await bench.device();
    const refused = once(bench.server(), 'refusal');
    for (let i = 0; i < 3; i++) bench.track(await tcpWire(bench.port));
    await patiently(refused, () => 'a refused login');
    const line = 'refused login: reason=full address=127.0.0.1 transport=tcp user="" device="" left_out=0';
    assert.deepEqual(bench.log('warn', 'server'), [line]);
  });
});
