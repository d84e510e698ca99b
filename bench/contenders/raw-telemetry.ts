import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '../harness/certificate';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';

let received = 0;

function count(): void {
  received++;
}

function take(socket: Socket): void {
  const frames = new RawFrames();
  socket.on('data', (chunk: Buffer) => frames.push(chunk, count));
  socket.on('error', () => socket.destroy());
}

/** Counts frames: the limit of telemetry over TCP and TLS. */
serveContender({
  start({ transport }) {
    const noDelay = true;
    return listen(
      transport === 'tls'
        ? createTlsServer({ ...makeCertificate(), noDelay }, take)
        : createServer({ noDelay }, take),
    );
  },
  received: () => received,
});
