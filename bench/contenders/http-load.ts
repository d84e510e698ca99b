import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { HttpRequester } from '../harness/http-requester';
import { forDevices } from '../wire/device-names';

let requesters: readonly HttpRequester[] = [];

/** The load of HTTP servers: the same request over some connections, one under way on each. It answers nothing itself. */
serveContender({
  async start({ port, request, connections }) {
    const sockets = forDevices(Number(connections), () =>
      connect({ port: Number(port), host: '127.0.0.1', noDelay: true }),
    );
    await Promise.all(sockets.map((socket: Socket) => once(socket, 'connect')));
    requesters = sockets.map((socket) => new HttpRequester(socket, String(request)));
    return 0;
  },
  received: () => requesters.reduce((sum, { answered }) => sum + answered, 0),
  calls: (request) => driveCalls({ ...request, call: (index, done) => requesters[index]?.request(done) }),
});
