import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { WebSocketWire } from '../support/raw-wire';
import { FlowBench } from './support/flow-bench';
import { clientNode, devicesOf, LAMP, PUMP, resourceInNode, serverNode, sinkNode } from './support/flows';
import { freePort } from './support/free-port';
import { patiently } from './support/patience';

const OFF = { tcpPort: '' };

async function login(bench: FlowBench, path: string): Promise<RawDevice> {
  const wire = bench.track(await WebSocketWire.connect(bench.httpPort, path));
  assert.match(wire.answer, /^HTTP\/1\.1 101 /);
  return RawDevice.login(wire);
}

function upgradeListeners(bench: FlowBench): number {
  return bench.RED.server.listenerCount('upgrade');
}

describe('WebSockets of iotmp-server', () => {
  it('are taken on the HTTP server of Node-RED', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(0, { ...OFF, wsPath: '/iotmp' }), resourceInNode(), sinkNode());
    const device = await login(bench, '/iotmp');
    device.send(device.build(Type.RUN, { id: 7, resource: 'led', payload: 1 }));
    assert.equal((await device.next()).type, Type.OK);
    assert.equal((await bench.box().next()).payload, 1);
    await bench.status('server', 'green', 'status.listening(count=1)');
  });

  it('take a path with a slash at its end, or a query', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(0, { ...OFF, wsPath: '/iotmp/' }));
    await login(bench, '/iotmp');
    await login(bench, '/iotmp/?a=/b');
  });

  it('are below the HTTP root of Node-RED', async () => {
    const bench = await FlowBench.start({ httpNodeRoot: '/red/' });
    await bench.load(serverNode(0, { ...OFF, wsPath: '/iotmp' }));
    await login(bench, '/red/iotmp');
  });

  for (const httpNodeRoot of ['/', false]) {
    it(`may be on the very root, with httpNodeRoot ${httpNodeRoot}`, async () => {
      const bench = await FlowBench.start({ httpNodeRoot });
      await bench.load(serverNode(0, { ...OFF, wsPath: '/' }));
      await login(bench, '/');
    });
  }

  it('serve a client', async () => {
    const bench = await FlowBench.start();
    await bench.load(
      serverNode(0, { ...OFF, wsPath: '/iotmp' }),
      clientNode(bench.httpPort, { transport: 'ws' }),
      resourceInNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
    );
    await bench.connected();
    assert.equal((await bench.connectedDevice()).transport, 'ws');
  });

  it('leave the upgrades of other paths to others', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(0, { ...OFF, wsPath: '/iotmp' }));
    const seen: (string | undefined)[] = [];
    const others = (request: IncomingMessage, socket: Duplex): void => {
      seen.push(request.url);
      cleanUp(() => socket.destroy());
    };
    bench.RED.server.on('upgrade', others);
    cleanUp(() => bench.RED.server.off('upgrade', others));
    const socket = connect(bench.httpPort, '127.0.0.1');
    cleanUp(() => socket.destroy());
    let isGone = false;
    socket.on('close', () => (isGone = true));
    const request = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`;
    const upgraded = once(bench.RED.server, 'upgrade');
    socket.write(request('/iotmp-other'));
    await patiently(upgraded, () => 'the upgrade');
    await login(bench, '/iotmp');
    assert.deepEqual(seen, ['/iotmp-other', '/iotmp']);
    assert.equal(isGone, false);
    assert.equal(socket.bytesRead, 0);
  });

  it('end with the server, and its listener with them', async () => {
    const bench = await FlowBench.start();
    const server = serverNode(0, { ...OFF, wsPath: '/iotmp' });
    await bench.load(server, serverNode(0, { ...OFF, wsPath: '/second', id: 'second' }), sinkNode());
    const before = upgradeListeners(bench);
    const device = await login(bench, '/iotmp');
    await bench.deploy('full', serverNode(0, { ...OFF, wsPath: '/second', id: 'second' }), sinkNode());
    await patiently(device.closed, () => 'the end of the connection');
    assert.equal(upgradeListeners(bench), before);
    const other = await login(bench, '/second');
    await bench.deploy('nodes', sinkNode());
    await patiently(other.closed, () => 'the end of the other connection');
    assert.equal(upgradeListeners(bench), before - 1);
  });

  it('move to another path; devices stay connected', async () => {
    const bench = await FlowBench.start();
    await bench.load(serverNode(0, { ...OFF, wsPath: '/iotmp' }), sinkNode());
    const device = await login(bench, '/iotmp');
    await bench.deploy('nodes', serverNode(0, { ...OFF, wsPath: '/other' }), sinkNode());
    await device.barrier();
    await login(bench, '/other');
    // The new connection takes over.
    await patiently(device.closed, () => 'the end of the old connection');
  });

  it('share a path: red on the second server only, whose ports work, until the path is free', async () => {
    const bench = await FlowBench.start();
    const port = await freePort();
    const first = serverNode(0, { ...OFF, wsPath: '/iotmp', credentials: devicesOf(PUMP) });
    const second = serverNode(port, { id: 'second', wsPath: '/iotmp', credentials: devicesOf(LAMP) });
    await bench.load(first, second, sinkNode());
    await bench.status('second', 'red', 'errors.pathInUse(path=/iotmp)');
    await bench.status('server', 'green');
    assert.deepEqual(bench.log('error'), ['errors.pathInUse(path=/iotmp)']);
    await bench.device(LAMP, {}, await bench.listening('tcp', 'second'));
    const device = await login(bench, '/iotmp');
    const { credentials: _, ...unchanged } = second;
    await bench.deploy('nodes', unchanged, sinkNode());
    await patiently(device.closed, () => 'the end of the connection');
    await bench.status('second', 'green');
    const wire = bench.track(await WebSocketWire.connect(bench.httpPort, '/iotmp'));
    await RawDevice.login(wire, LAMP);
  });

  it('have no HTTP server: red, and the TCP port works', async () => {
    const bench = await FlowBench.start({}, [(RED) => void Object.assign(RED, { server: undefined })]);
    await bench.load(serverNode(bench.port, { wsPath: '/iotmp' }), sinkNode());
    await bench.status('server', 'red', 'errors.noHttpServer(path=/iotmp)');
    await bench.device();
  });
});
