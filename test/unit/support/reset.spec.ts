import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { describe, it } from 'mocha';
import { cleanUp } from '../../support/clean-up';
import { reset } from './reset';

/** Both sides of a connection; the far side keeps its own open. */
async function connection(): Promise<{ near: Socket; far: Socket }> {
  const server = net.createServer({ allowHalfOpen: true });
  cleanUp(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const near = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  cleanUp(() => near.destroy());
  const [far] = await accepted;
  cleanUp(() => far.destroy());
  return { near, far };
}

/** Resolves when both sides are gone, with what they were told before. */
async function ends(near: Socket, far: Socket): Promise<string[]> {
  const seen: string[] = [];
  near.on('error', (error: NodeJS.ErrnoException) => seen.push(`near ${error.code}`));
  far.on('error', (error: NodeJS.ErrnoException) => seen.push(`far ${error.code}`));
  far.on('end', () => {
    seen.push('far end');
    far.end();
  });
  far.resume();
  const gone = (socket: Socket): Promise<void> =>
    new Promise((resolve) => socket.once('close', () => resolve()));
  await Promise.all([gone(near), gone(far)]);
  return seen;
}

describe('the reset of a connection', function () {
  this.timeout(5_000);

  it('reaches the other side as such', async () => {
    const { near, far } = await connection();
    const ended = ends(near, far);
    reset(near);
    assert.deepEqual(await ended, ['far ECONNRESET']);
  });

  it('closes one whose end is on its way', async () => {
    const { near, far } = await connection();
    const ended = ends(near, far);
    near.end();
    reset(near);
    assert.deepEqual(await ended, ['far end']);
  });

  it('closes one whose end waits for data to leave', async () => {
    const { near, far } = await connection();
    const ended = ends(near, far);
    far.pause();
    near.write(Buffer.alloc(30_000_000));
    near.end();
    await new Promise(setImmediate);
    assert.ok(near.writableLength > 0);
    reset(near);
    far.resume();
    await ended;
  });

  it('closes one that has ended', async () => {
    const { near, far } = await connection();
    near.end();
    await once(near, 'finish');
    const ended = ends(near, far);
    reset(near);
    await ended;
  });
});
