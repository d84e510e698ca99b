import assert from 'node:assert/strict';
import type { ServerOptions } from '../../../src/broker/broker-options';
import { IotmpClient } from '../../../src/client/client';
import { openStore } from '../../../src/store/open-store';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { ServerServices, type ServicesOptions } from '../../../src/services/server-services';
import { cleanUp } from '../../support/clean-up';
import { MemoryRetainedMessages } from './memory-retained-messages';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField, type RawMessage } from '../support/raw-message';
import { vectors } from '../support/vectors';

/** A device of another user that has the id of one of ours. */
export const BOB = { user: 'bob', device: 'lamp', credential: 'his own' } as const;

/** How requests for services are put: the code in the resource (A), or in the parameters (B). */
export const DIALECTS = ['A', 'B'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** The event of a request that a service refused. */
export interface Refusal {
  readonly event: string;
  readonly user: string;
  readonly device: string;
  readonly ts: number;
  readonly service: string;
  readonly target: string;
  readonly statusCode: number;
  readonly reason: string;
}

/** A server with its services, and the refusals that it told. */
export class ServicesBench {
  readonly refusals: Refusal[] = [];

  private constructor(
    readonly broker: BrokerBench,
    readonly services: ServerServices,
  ) {
    broker.server.events.listen((event) => {
      if (event.event === 'device_service_refused') this.refusals.push(event as unknown as Refusal);
    });
  }

  static async start(
    options: ServicesOptions = {},
    serverOptions: ServerOptions = {},
  ): Promise<ServicesBench> {
    const broker = await BrokerBench.start({ devices: [PUMP, LAMP, BOB], ...serverOptions });
    const { clock } = broker;
    const store = options.store ?? (await openStore({ memory: true }));
    const services = new ServerServices(broker.server, {
      ...options,
      store,
      locks: { clock, ...options.locks },
      buckets: { clock, ...options.buckets },
      endpoints: { clock, ...options.endpoints },
      topics: { clock, ...options.topics },
    });
    closeBefore(broker, () => services.close());
    if (options.store === undefined) cleanUp(async () => (await store).close());
    return new ServicesBench(broker, services);
  }

  /** A server whose retained messages are at hand without a turn of the event loop. */
  static startWithTopics(): Promise<ServicesBench> {
    return ServicesBench.start({ topics: { retained: new MemoryRetainedMessages() } });
  }

  /** A server that offers no services yet, so that a test may add its own under any number. */
  static async startBare(): Promise<ServicesBench> {
    const bench = await ServicesBench.start();
    bench.services.close();
    return bench;
  }

  /** What was refused so far, as `service status target`; they are forgotten. */
  takeRefusals(): string[] {
    return this.refusals
      .splice(0)
      .map(({ service, statusCode, target }) => `${service} ${statusCode} ${target}`);
  }
}

/** A RUN for a service. Without an id no answer is wanted. */
export function serviceRun(
  dialect: Dialect,
  code: number,
  argument: unknown,
  { id, payload }: { id?: number | undefined; payload?: unknown } = {},
): Buffer {
  return message(
    Type.RUN,
    ...(id === undefined ? [] : [varintField(1, id)]),
    dialect === 'A' ? psonField(2, argument) : varintField(2, code),
    ...(payload === undefined ? [] : [psonField(3, payload)]),
    dialect === 'A' ? varintField(4, code) : psonField(4, argument),
  );
}

/** Sends a request and waits for its answer. */
export async function ask(
  device: RawDevice,
  dialect: Dialect,
  code: number,
  argument: unknown,
  payload?: unknown,
): Promise<RawMessage> {
  device.send(serviceRun(dialect, code, argument, { id: 9158, payload }));
  return answerTo(device, 9158);
}

/** The next OK or ERROR, which must be of this id. Requests of the server before it are skipped. */
export async function answerTo(device: RawDevice, id: number): Promise<RawMessage> {
  let answer = await device.next();
  while (answer.type !== Type.OK && answer.type !== Type.ERROR) answer = await device.next();
  assert.equal(answer.id, id);
  return answer;
}

/** What matters of an answer. */
export function gist({ type, parameters, payload }: RawMessage): unknown[] {
  return [type === Type.OK ? 'OK' : 'ERROR', parameters, payload];
}

/** The bytes that a real device sent under this name, and what they say. */
export function captured(name: string): { bytes: Buffer; id: number | undefined } {
  const vector = vectors.find((one) => one.name === name);
  assert.ok(vector, `no captured message ${name}`);
  const id = vector.fields?.streamId;
  return { bytes: vector.bytes, id: typeof id === 'number' ? id : undefined };
}

/** A client that is connected to the server in memory; it is closed with the bench. */
export async function connectClient(
  broker: BrokerBench,
  identity: { user: string; device: string; credential: string },
): Promise<IotmpClient> {
  const { server, clock } = broker;
  const client = new IotmpClient({
    host: 'server.test',
    ...identity,
    clock,
    connectTransport: () => {
      const [near, far] = createMemoryPair({ clock });
      server.accept(far);
      return Promise.resolve(near);
    },
  });
  // So that it does not connect again.
  closeBefore(broker, () => void client.close());
  client.connect();
  await client.ready();
  await clock.settle();
  return client;
}

/** Has something ended at the end of the test, before the server is. */
function closeBefore(broker: BrokerBench, close: () => void): void {
  const unused = (): void => undefined;
  broker.track({ start: unused, write: unused, end: unused, cut: close });
}

/** A START_STREAM of a subscription to events. */
export function subscribe(dialect: Dialect, id: number, parameters: unknown): Buffer {
  return message(
    Type.START_STREAM,
    varintField(1, id),
    dialect === 'A' ? psonField(2, parameters) : varintField(2, 8),
    dialect === 'A' ? varintField(4, 8) : psonField(4, parameters),
  );
}

/** Subscribes, and waits until that is granted. */
export async function subscribed(
  device: RawDevice,
  id: number,
  parameters: unknown,
  dialect: Dialect = 'A',
): Promise<RawMessage> {
  device.send(subscribe(dialect, id, parameters));
  const answer = await answerTo(device, id);
  assert.equal(answer.type, Type.OK);
  return answer;
}

/** The payloads that came on a stream so far. */
export function samplesOf(device: RawDevice, id: number): unknown[] {
  return device
    .all(Type.STREAM_DATA)
    .filter((sample) => sample.id === id)
    .map(({ payload }) => payload);
}
