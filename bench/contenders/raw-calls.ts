import { createServer, type Socket } from 'node:net';
import { serveContender } from '../harness/contender';
import { driveCalls } from '../harness/drive-calls';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';
import { RawRequester } from '../harness/raw-requester';

const requesters: RawRequester[] = [];

/** A requester on bare sockets that only tells its answers apart: the limit of calls, with and without coalescing. */
serveContender({
  start(options) {
    const take = (socket: Socket): void => {
      const frames = new RawFrames();
      const requester = new RawRequester(socket, options.coalesce === true);
      requesters.push(requester);
      socket.on('data', (chunk) => frames.push(chunk, (bytes, start) => requester.settle(bytes, start)));
      socket.on('error', () => socket.destroy());
    };
    return listen(createServer({ noDelay: true }, take));
  },
  calls: (request) =>
    driveCalls({
      ...request,
      call(device, done) {
        requesters[device]?.request(done);
      },
    }),
});
