import type { IotmpServer } from '../broker/broker';
import type { ConnectedDevice } from '../broker/connected-device';
import { DeviceTotals } from '../broker/device-totals';
import type { IotmpError } from '../errors';
import type { EventStreams } from './event-streams';
import type { Topics } from './topics/topics';

/**
 * What a server dropped, cut or refused.
 *
 * - `login`: logins that were refused, and connections that were refused before they could log in.
 * - `connection`: connections of devices that the server cut, because they were silent, too slow or broke the protocol.
 * - `takeover`: connections that gave way to a newer one of their device.
 * - `message`: messages of devices that do not decode, or are of an unknown type.
 * - `sample`: samples to devices that gave way to newer ones.
 * - `surplus`: samples of devices that gave way to newer ones, as they came faster than was asked for.
 * - `state`: last known states that gave way to newer ones.
 * - `conversation`: terminals, proxies, files and other conversations that ended, as one end was too slow or a part was missing.
 * - `event`: messages of topics and events to slow subscribers.
 * - `subscription`: subscriptions that ended because their devices read too slowly.
 * - `bridge`: messages of topics that could not be passed to or from a bridge.
 * - `service`: requests of devices for a service that were refused.
 * - `row`: rows that could not be written to their bucket.
 * - `frame`: frames to programs that read too slowly.
 * - `request`: requests of programs that were refused because there were too many.
 */
export type LossKind =
  | 'login'
  | 'connection'
  | 'takeover'
  | 'message'
  | 'sample'
  | 'surplus'
  | 'state'
  | 'conversation'
  | 'event'
  | 'subscription'
  | 'bridge'
  | 'service'
  | 'row'
  | 'frame'
  | 'request';

/** Events of the server that tell of a loss. */
const LOSS_EVENTS: ReadonlyMap<string, 'service' | 'row'> = new Map([
  ['device_service_refused', 'service'],
  ['bucket_write_refused', 'row'],
] as const);

/** Ends of connections that are no loss: somebody wanted them, or the network took the connection away. */
const ORDERLY: ReadonlySet<string> = new Set(['IOTMP_ERR_CLOSED', 'IOTMP_ERR_ABORTED', 'IOTMP_ERR_AUTH']);

/** Counts what a server and its services drop, cut or refuse. Whoever loses something counts it; this gathers it. */
export class Losses {
  readonly #server: IotmpServer;
  readonly #events: EventStreams;
  readonly #topics: Topics;
  readonly #stop: () => void;
  readonly #totals: DeviceTotals;
  readonly #refused = { service: 0, row: 0 };
  #cut = 0;
  readonly #sources = new Map<LossKind, () => number>();
  readonly #onDisconnected = (_device: ConnectedDevice, reason: IotmpError): void => {
    if (!ORDERLY.has(reason.code)) this.#cut++;
  };

  constructor(server: IotmpServer, events: EventStreams, topics: Topics) {
    this.#server = server;
    this.#events = events;
    this.#topics = topics;
    this.#totals = new DeviceTotals(server);
    server.on('disconnected', this.#onDisconnected);
    this.#stop = server.events.listen(({ event }) => {
      const kind = LOSS_EVENTS.get(event);
      if (kind !== undefined) this.#refused[kind]++;
    });
  }

  /** Has somebody else count a kind, until the returned function is called. */
  attach(kind: 'frame' | 'request', count: () => number): () => void {
    this.#sources.set(kind, count);
    return () => {
      if (this.#sources.get(kind) === count) this.#sources.delete(kind);
    };
  }

  /** How much was lost of each kind since the services were made. */
  get counts(): Readonly<Record<LossKind, number>> {
    const { counters } = this.#totals;
    return {
      login: this.#server.refusedLogins.total,
      connection: this.#cut,
      takeover: this.#server.takeOvers,
      message: counters.messagesDropped,
      sample: counters.samplesDropped,
      surplus: this.#server.samplesThinned,
      state: this.#server.statesDropped,
      conversation: counters.conversationsFailed,
      event: this.#events.lost + this.#topics.lost,
      subscription: this.#events.ended,
      bridge: this.#topics.unbridged,
      ...this.#refused,
      frame: this.#sources.get('frame')?.() ?? 0,
      request: this.#sources.get('request')?.() ?? 0,
    };
  }

  close(): void {
    this.#totals.close();
    this.#server.off('disconnected', this.#onDisconnected);
    this.#stop();
  }
}
