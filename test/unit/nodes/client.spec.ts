import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { FlowBench } from './support/flow-bench';
import {
  callNode,
  catchNodes,
  clientNode,
  devicesOf,
  LAMP,
  PUMP,
  resourceInNode,
  resourceOutNode,
  serverNode,
  sinkNode,
} from './support/flows';
import { freePort } from './support/free-port';
import { Recording } from './support/recording';

const THROUGH_CLIENT = { via: 'client', client: 'client', server: '' };

/** The connections that come to a TCP server that does nothing with them. */
async function listen(port: number): Promise<Recording<Socket>> {
  const visits = new Recording<Socket>('a connection');
  const server = createServer((socket) => visits.push(socket.on('error', () => undefined)));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  cleanUp(() => {
    server.close();
    for (const socket of visits.all) socket.destroy();
  });
  return visits;
}

describe('iotmp-client', () => {
  it('connects as its device, which its nodes show', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceInNode(THROUGH_CLIENT),
      sinkNode(),
    );
    await bench.status('resource-in', 'green', 'status.connected');
    await bench.status('client', 'green', 'status.connected');
    assert.deepEqual((await bench.connectedDevice()).user, 'anna');
    assert.deepEqual([...bench.log('warn'), ...bench.log('error')], []);
  });

  for (const [compactStreams, mostBytes, fewestBytes] of [
    [undefined, 60, 30],
    [false, 60, 30],
    [true, 15, 1],
    ['true', 15, 1],
  ] as const) {
    it(`sends its samples without their keys only where it offers that: ${compactStreams}`, async () => {
      const bench = await FlowBench.start();
      await bench.load(
        serverNode(bench.port),
        clientNode(bench.port, { compactStreams }),
        resourceOutNode(THROUGH_CLIENT),
        sinkNode(),
      );
      const device = await bench.connectedDevice();
      const samples = new Recording<unknown>('a sample');
      const stream = bench.server().subscribe(PUMP, 'level', {
        intervalMs: 0,
        onSample: (sample) => samples.push(sample),
      });
      await samples.next();
      bench.send('resource-out', { payload: { temperature: 23.5, humidity: 40 } });
      await samples.next();
      const before = device.counters.bytesIn;
      bench.send('resource-out', { payload: { temperature: 23.5, humidity: 41 } });
      assert.deepEqual(await samples.next(), { temperature: 23.5, humidity: 41 });
      const bytes = device.counters.bytesIn - before;
      assert.ok(bytes >= fewestBytes && bytes <= mostBytes, `${bytes} bytes`);
      stream.close();
    });
  }

  it('does not connect where nobody uses it', async () => {
    const bench = await FlowBench.start();
    const visits = await listen(bench.port);
    await bench.load(clientNode(bench.port), sinkNode());
    await bench.status('client', 'grey', 'status.disconnected');
    assert.equal(visits.all.length, 0);
  });

  it('takes its credential from the environment', async () => {
    process.env.IOTMP_TEST_CREDENTIAL = PUMP.credential;
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port, { credentials: { credential: '${IOTMP_TEST_CREDENTIAL}' } }),
      resourceInNode(THROUGH_CLIENT),
      sinkNode(),
    );
    await bench.connected();
  });

  it('is refused: red with the reason, one line in the log; a deploy is another attempt', async () => {
    const bench = await FlowBench.start();
    const credentials = devicesOf({ ...PUMP, credential: 'another' });
    const nodes = [clientNode(bench.port), resourceInNode(THROUGH_CLIENT), sinkNode()];
    await bench.load(serverNode(bench.port, { credentials }), ...nodes);
    await bench.status('client', 'red', 'status.refused');
    await bench.status('resource-in', 'red', 'status.refused');
    const warnings = bench.log('warn', 'client');
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0]!,
      /^errors\.connect\(address=tcp:\/\/127\.0\.0\.1:\d+, reason=the server refused/,
    );
    const unchanged = nodes.map(({ credentials: _, ...node }) => node);
    await bench.deploy('nodes', serverNode(bench.port), ...unchanged);
    await bench.status('resource-in', 'green', 'status.connected');
  });

  it('shows that it connects anew when the connection is lost, and logs nothing if it is back at once', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceInNode(THROUGH_CLIENT),
      sinkNode(),
    );
    await bench.status('client', 'green');
    (await bench.connectedDevice()).close();
    await bench.status('client', 'yellow', 'status.connecting');
    await bench.status('client', 'green', 'status.connected');
    assert.deepEqual(bench.log('warn', 'client'), []);
  });

  it('cannot connect: yellow, and in the log once, from the second failure on', async () => {
    const bench = await FlowBench.start();
    const visits = await listen(bench.port);
    await bench.load(clientNode(bench.port), resourceInNode(THROUGH_CLIENT), sinkNode());
    (await visits.next()).destroy();
    const second = await visits.next();
    assert.deepEqual(bench.log('warn', 'client'), []);
    second.destroy();
    const third = await visits.next();
    assert.equal(bench.log('warn', 'client').length, 1);
    await bench.status('client', 'yellow', 'status.connecting');
    third.destroy();
    await visits.next();
    assert.equal(bench.log('warn', 'client').length, 1);
  });

  it('connects by the second of two nodes that share it, too', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      resourceInNode({ ...THROUGH_CLIENT, id: 'one', resource: 'one' }),
      resourceInNode({ ...THROUGH_CLIENT, id: 'two', resource: 'two' }),
      sinkNode(),
    );
    const device = await bench.connectedDevice();
    await Promise.all([device.call('one', { payload: 1 }), device.call('two', { payload: 2 })]);
  });

  const invalid: Record<string, [Record<string, unknown>, string]> = {
    'no host': [{ host: '' }, 'host must not be empty'],
    'no device': [{ device: '' }, 'device must not be empty'],
    'a port out of range': [{ port: 70_000 }, 'port must be a number from 1 to 65535'],
    'an unknown transport': [{ transport: 'pigeon' }, 'transport must be one of tcp, tls, ws, '],
    'a path without a slash': [{ transport: 'ws', path: 'iotmp' }, 'path must begin with "/"'],
    'a keep-alive out of range': [{ keepAlive: 1801 }, 'keepAlive must be'],
    'half a second of keep-alive': [{ keepAlive: '1.5' }, 'keepAlive must be a whole number'],
    'a TLS configuration that is missing': [{ transport: 'tls', tls: 'gone' }, 'errors.tlsMissing'],
  };
  for (const [name, [properties, reason]] of Object.entries(invalid)) {
    it(`has ${name}: red with the reason, an error in the log, and inert nodes`, async () => {
      const bench = await FlowBench.start();
      await bench.load(
        clientNode(bench.port, properties),
        callNode(THROUGH_CLIENT),
        sinkNode(),
        ...catchNodes(),
      );
      await bench.status('client', 'red', reason);
      assert.equal(bench.log('error', 'client').length, 1);
      await bench.status('call', 'red', 'status.noClient');
      bench.send('call', { payload: 1 });
      assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFIG');
    });
  }

  it('is two devices where there are two of them', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(bench.port),
      clientNode(bench.port),
      clientNode(bench.port, {
        id: 'second',
        device: LAMP.device,
        credentials: { credential: LAMP.credential },
      }),
      resourceInNode(THROUGH_CLIENT),
      resourceInNode({ ...THROUGH_CLIENT, id: 'other', client: 'second' }),
      sinkNode(),
    );
    await bench.connectedDevice(PUMP);
    await bench.connectedDevice(LAMP);
  });

  it('adds no listener to those of Node-RED: many clients and servers lead to no warning', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): unknown => warnings.push(message);
    process.on('warning', onWarning);
    cleanUp(() => process.off('warning', onWarning));
    const bench = await FlowBench.start();
    const port = await freePort();
    const ids = Array.from({ length: 15 }, (_, i) => `client${i}`);
    await bench.load(
      ...ids.map((id) => clientNode(port, { id, device: `of-${id}` })),
      ...ids.map((id) => resourceInNode({ ...THROUGH_CLIENT, id: `in-${id}`, client: id })),
      ...ids.map((id) => serverNode(port, { id: `server-${id}`, tcpPort: '' })),
      sinkNode(),
    );
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });
});
