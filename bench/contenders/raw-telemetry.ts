import { createServer } from 'node:net';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';

let received = 0;

function count(): void {
  received++;
}

/** Counts frames: the limit of telemetry. */
serveContender({
  start() {
    const server = createServer({ noDelay: true }, (socket) => {
      const frames = new RawFrames();
      socket.on('data', (chunk) => frames.push(chunk, count));
      socket.on('error', () => socket.destroy());
    });
    return listen(server);
  },
  received: () => received,
});
