import { createServer, type Socket } from 'node:net';
import { serveContender } from '../harness/contender';
import { listen } from '../harness/listen';
import { RawFrames } from '../harness/raw-frames';

const receivers: Socket[] = [];
let publisher: Socket | undefined;
let received = 0;

/** Copies the frames of its first connection to all others: a write for each, or one for all frames of a read. */
serveContender({
  start(options) {
    const publish = options.coalesce === true ? publishRead : publishFrames();
    const take = (socket: Socket): void => {
      socket.on('error', () => socket.destroy());
      if (publisher !== undefined) {
        receivers.push(socket);
        return;
      }
      publisher = socket;
      // The first bytes are the greeting.
      socket.once('data', () => socket.on('data', publish));
    };
    return listen(createServer({ noDelay: true }, take));
  },
  received: () => received,
});

function publishFrames(): (chunk: Buffer) => void {
  const frames = new RawFrames();
  const send = (bytes: Buffer, start: number, end: number): void => {
    received++;
    const frame = bytes.subarray(start, end);
    for (const receiver of receivers) receiver.write(frame);
  };
  return (chunk) => frames.push(chunk, send);
}

function publishRead(chunk: Buffer): void {
  received++;
  for (const receiver of receivers) receiver.write(chunk);
}
