import { setTimeout as pause } from 'node:timers/promises';
import { IotmpClient, IotmpError, type ClientStream } from '../../src/index';
import { CHURNING, CREDENTIAL, USER } from './protocol';

/** How long a device stays, and how long it waits between two of its doings, in ms. */
const STAY_MS = { from: 5_000, to: 40_000 };
const REST_MS = { from: 100, to: 1_500 };
/** Whether it leaves by being taken over by another connection of its own. */
const TAKEN_OVER = 0.2;
const IGNORED = { onSample: () => undefined };

/** What the devices did. */
export interface ChurnCounts {
  stays: number;
  takeOvers: number;
  doings: number;
  /** Doings that failed, by the code of the error: devices call others that have just left. */
  readonly failures: Map<string, number>;
}

/** A client for a device of the soak. */
export function newClient(device: string, port: number): IotmpClient {
  return new IotmpClient({ host: '127.0.0.1', port, user: USER, device, credential: CREDENTIAL });
}

/** Has a device come, do what devices do, and go, again and again until the signal aborts. */
export async function churn(
  device: string,
  port: number,
  counts: ChurnCounts,
  signal: AbortSignal,
): Promise<void> {
  let round = 0;
  while (!signal.aborted) {
    counts.stays++;
    await stay(device, port, counts, signal, round++);
    await rest(REST_MS, signal);
  }
}

async function stay(
  device: string,
  port: number,
  counts: ChurnCounts,
  signal: AbortSignal,
  round: number,
): Promise<void> {
  const client = newClient(device, port);
  host(client);
  client.connect();
  try {
    await client.ready();
    const streams = openStreams(client, round);
    const leavesAt = Date.now() + between(STAY_MS);
    while (Date.now() < leavesAt && !signal.aborted) {
      counts.doings++;
      await doSomething(client, device).catch((error: unknown) => note(counts, error));
      await rest(REST_MS, signal);
    }
    for (const stream of streams) if (Math.random() < 0.5) void stream.close();
    if (Math.random() < TAKEN_OVER) {
      counts.takeOvers++;
      await takeOver(device, port);
    }
  } catch (error) {
    note(counts, error);
  } finally {
    await client.close();
  }
}

function host(client: IotmpClient): void {
  let on = false;
  client.host('temperature', { kind: 'output', run: () => ({ celsius: 20 + Math.random() }) });
  client.host('relay', {
    kind: 'inout',
    run: ({ payload }) => (typeof payload === 'boolean' ? (on = payload) : on),
  });
}

function openStreams(client: IotmpClient, round: number): ClientStream[] {
  const topic = { event: 'device_topic_publish', scope: 'subscribe', topic: 'soak/+/state' };
  return [
    client.stream('echo', { intervalMs: 1_000 }, IGNORED),
    ...(round % 2 === 0 ? [client.subscribeEvent(topic, IGNORED)] : []),
    ...(round % 3 === 0 ? [client.watchProperty('config', IGNORED)] : []),
  ];
}

async function doSomething(client: IotmpClient, device: string): Promise<void> {
  const other = pick(CHURNING);
  const doings: readonly (() => Promise<unknown>)[] = [
    () => client.writeBucket('climate', { celsius: Math.random(), device }),
    () => client.publishTopic(`soak/${device}/state`, { at: Date.now() }, { retain: Math.random() < 0.3 }),
    () => client.setProperty('config', { interval: Math.floor(Math.random() * 60) }),
    () => client.getProperty('config'),
    () => client.callDevice(other, 'relay', Math.random() < 0.5),
    () => client.callEndpoint('sum', { n: 1 }),
    () => client.call('echo', { payload: 'x'.repeat(Math.floor(Math.random() * 20_000)) }),
    () => lockAndUnlock(client),
  ];
  await pick(doings)();
}

async function lockAndUnlock(client: IotmpClient): Promise<void> {
  await client.lock('door', { timeoutS: 2 });
  await client.unlock('door');
}

/** The newer connection wins, and the older one must not come back by itself. */
async function takeOver(device: string, port: number): Promise<void> {
  const other = newClient(device, port);
  other.connect();
  try {
    await other.ready();
    await other.call('echo', { payload: 1 });
  } finally {
    await other.close();
  }
}

function note({ failures }: ChurnCounts, error: unknown): void {
  if (!(error instanceof IotmpError)) throw error;
  failures.set(error.code, (failures.get(error.code) ?? 0) + 1);
}

async function rest(range: { from: number; to: number }, signal: AbortSignal): Promise<void> {
  await pause(between(range), undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

function between({ from, to }: { from: number; to: number }): number {
  return from + Math.random() * (to - from);
}

function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)]!;
}
