import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { CHURNING, USER } from './protocol';

/** Time between two requests, and how long a socket stays open, in ms. */
const REQUEST_MS = 500;
const SOCKET_MS = 5_000;

/** What the programs did. */
export interface ApiCounts {
  requests: number;
  sockets: number;
  /** Answers by their status, where they were none of success. */
  readonly refusals: Map<string, number>;
}

/** Asks the API of the server again and again, and watches streams of devices, until the signal aborts. */
export async function useApi(
  port: number,
  token: string,
  counts: ApiCounts,
  signal: AbortSignal,
): Promise<void> {
  const base = `127.0.0.1:${port}`;
  await Promise.all([ask(), watch()]);

  async function ask(): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      const paths = pathsOf(CHURNING[turn % CHURNING.length]!);
      const path = paths[turn % paths.length]!;
      counts.requests++;
      const answer = await fetch(`http://${base}${path}`, { headers: { Authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      if (!answer.ok) note(`${answer.status}`);
      await rest(REQUEST_MS);
    }
  }

  async function watch(): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      const device = CHURNING[turn % CHURNING.length]!;
      const path = `/v3/users/${USER}/devices/${device}/resources/temperature?interval=1000&authorization=${token}`;
      counts.sockets++;
      const socket = new WebSocket(
        `ws://${base}${turn % 2 === 0 ? path : `/v1/users/${USER}/events?authorization=${token}`}`,
      );
      socket.on('error', () => note('socket'));
      socket.on('open', () => socket.send('{"event":".*"}'));
      await rest(SOCKET_MS);
      socket.terminate();
    }
  }

  function note(what: string): void {
    counts.refusals.set(what, (counts.refusals.get(what) ?? 0) + 1);
  }

  async function rest(ms: number): Promise<void> {
    await pause(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

function pathsOf(device: string): string[] {
  const user = `/v1/users/${USER}`;
  return [
    `${user}/devices`,
    `${user}/devices/${device}`,
    `/v3/users/${USER}/devices/${device}/resources`,
    `/v3/users/${USER}/devices/${device}/resources/temperature`,
    `${user}/devices/${device}/properties`,
    `${user}/buckets/climate/data?items=50`,
    '/v1/server/version',
  ];
}
