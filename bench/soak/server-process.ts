import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DeviceTotals } from '../../src/broker/device-totals';
import { Gateway, IotmpServer, openStore, ServerServices } from '../../src/index';
import { LoopWatch } from './loop-watch';
import { CHURNING, CREDENTIAL, GOOD, USER, type Order, type Report } from './protocol';
import type { ServerSample } from './sample';

// The process of the server: devices over TCP, the API over HTTP, everything stored in a file.

const [folder = '.', profiles = '.'] = process.argv.slice(2);
let faults = 0;
process.on('warning', (warning) => {
  if (warning.name !== 'IotmpFault') return;
  faults++;
  process.stderr.write(`${warning.message}\n`);
});

function tell(report: Report): void {
  process.send?.(report);
}

async function main(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const watch = new LoopWatch(profiles);
  const devices = [...CHURNING, GOOD].map((device) => ({ user: USER, device, credential: CREDENTIAL }));
  const server = new IotmpServer({ host: '127.0.0.1', tcpPort: 0, devices });
  const totals = new DeviceTotals(server);
  const store = await openStore({ file: join(folder, 'soak.sqlite') });
  const services = new ServerServices(server, { store });
  const gateway = new Gateway(server, services, {
    secret: 'the secret of the soak',
    store,
    users: [{ user: USER }],
  });
  server.offer('echo', { kind: 'inout', run: ({ payload }) => payload ?? null });
  services.endpoints.host('sum', ({ payload }) => ({ got: payload }));
  await server.start();
  await gateway.start();
  const front = listen(gateway);
  await once(front, 'listening');
  const status = server.listenerStatus.get('tcp');
  if (status?.kind !== 'listening') throw new Error('the server does not listen');
  const token = await gateway.createToken(USER, 'soak', { allow: { '*': { '*': '*' } } });
  process.on('message', (order: Order) => {
    if (order.kind === 'end') end().catch(fail);
    else
      tell({ kind: 'sample', sample: sampleOf(server, totals, watch, order.collect ? collect : undefined) });
  });
  tell({ kind: 'ready', tcpPort: status.port, httpPort: (front.address() as AddressInfo).port, token });

  async function end(): Promise<void> {
    front.closeAllConnections();
    front.close();
    await gateway.close();
    services.close();
    await services.settled();
    await server.close();
    totals.close();
    await store.close();
    process.disconnect();
  }
}

function listen(gateway: Gateway): http.Server {
  const front = http.createServer((request, response) => {
    if (!gateway.handle(request, response)) response.writeHead(404).end();
  });
  front.on('upgrade', (request, socket, head) => {
    if (!gateway.handleUpgrade(request, socket, head)) socket.destroy();
  });
  return front.listen(0, '127.0.0.1');
}

function sampleOf(
  server: IotmpServer,
  totals: DeviceTotals,
  watch: LoopWatch,
  collect?: () => void,
): ServerSample {
  const { ms, cpuMs } = watch.takeLongest();
  collect?.();
  watch.restart();
  const { heapUsed, external, rss } = process.memoryUsage();
  const { messagesIn, messagesOut } = totals.counters;
  return {
    heap: heapUsed,
    external,
    collected: collect !== undefined,
    rss,
    handles: process.getActiveResourcesInfo().length,
    devices: server.deviceCount,
    messages: messagesIn + messagesOut,
    stallMs: ms,
    stallCpuMs: cpuMs,
    faults,
  };
}

function fail(error: unknown): void {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

main().catch(fail);
