import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to those who ask for any: such a one may be another process's a moment later. */
const FIRST = 10_000;
const COUNT = 20_000;
/** Ports that lie between the first choices of two processes that began one after the other. */
const APART = 97;

let next = process.pid * APART;

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const port = FIRST + (next++ % COUNT);
  return (await isFree(port)) ? port : freePort();
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
