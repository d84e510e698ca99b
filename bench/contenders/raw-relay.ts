import { createServer, type Socket } from 'node:net';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';

let other: Socket | undefined;

/** Passes the frames of two connections on to each other: a write for each, or one for all frames of a read. */
serveContender({
  start(options) {
    const pass = options.coalesce === true ? passReads : passFrames;
    const take = (socket: Socket): void => {
      socket.on('error', () => socket.destroy());
      if (other === undefined) {
        // Not read before the other one is there.
        other = socket;
        return;
      }
      pass(other, socket);
      pass(socket, other);
    };
    return listen(createServer({ noDelay: true }, take));
  },
});

function passFrames(from: Socket, to: Socket): void {
  const frames = new RawFrames();
  const send = (bytes: Buffer, start: number, end: number): void => {
    to.write(bytes.subarray(start, end));
  };
  from.on('data', (chunk: Buffer) => frames.push(chunk, send));
}

function passReads(from: Socket, to: Socket): void {
  from.on('data', (chunk: Buffer) => to.write(chunk));
}
