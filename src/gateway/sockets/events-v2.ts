import { z } from 'zod';
import { errorText, IotmpError } from '../../errors';
import type { Value } from '../../types';
import { listenToUser } from '../events/user-events';
import { toJson } from '../http/json-text';
import type { ClientSocket } from './client-socket';
import { equalityFilter, filterByValues } from './event-predicates';
import { FleetStream } from './fleet-stream';
import { readFrame } from './frames';
import { MessageFeeds } from './message-feed';
import type { SocketCall, SocketRoute } from './socket-route';
import { guarded, warnProcess } from '../../util/guard';

/** A frame of a client: it asks for an event with values of its fields, or for the end of a subscription. */
const order = z.object({
  event: z.string().min(1).max(100),
  filters: equalityFilter.default({}),
  params: z.object({ interval: z.number().nonnegative().nullish() }).default({}),
  enabled: z.boolean().default(true),
});

type Order = z.infer<typeof order>;

const STREAM_EVENT = 'device_resource_stream';

/** Events, version 2: a socket has several subscriptions, and each is answered (`platform-api.md` section 2.2). */
export const eventsV2Route: SocketRoute = {
  method: 'SOCKET',
  path: '/v2/users/:user/events',
  action: 'SubscribeUserEvents',
  access: 'token',
  asset: 'User',
  id: 'user',
  summary:
    'Events: send {"event","filters","params"}, as often as wanted; "enabled":false ends a subscription',
  open: (call) => (socket) => new EventSubscriptions(call, socket).serve(),
};

/** The subscriptions of one socket. */
class EventSubscriptions {
  readonly #call: SocketCall;
  readonly #socket: ClientSocket;
  readonly #ends = new Map<string, () => void>();
  readonly #feeds: MessageFeeds;

  constructor(call: SocketCall, socket: ClientSocket) {
    this.#call = call;
    this.#socket = socket;
    this.#feeds = new MessageFeeds(socket, (count) => call.context.metrics.samplesDropped.add({}, count));
  }

  serve(): void {
    this.#socket.listen((data) => this.#answer(data));
    const onEnd = guarded('event subscriptions end', warnProcess, () => {
      for (const end of this.#ends.values()) end();
      this.#ends.clear();
    });
    this.#call.signal.addEventListener('abort', onEnd);
  }

  #answer(data: Buffer): void {
    try {
      const wanted = readFrame(data, order);
      const { event, filters } = wanted;
      this.#register(wanted);
      const state = wanted.enabled ? 'registered' : 'unregistered';
      this.#socket.send(toJson({ success: true, [state]: { event, filters } }));
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      this.#socket.send(toJson({ success: false, error: { message: errorText(error), code: error.code } }));
    }
  }

  /** Replaces a subscription to the same event with the same filters. */
  #register(wanted: Order): void {
    const key = JSON.stringify([wanted.event, wanted.filters]);
    const { streamsPerSocket } = this.#call.context.limits;
    if (wanted.enabled && !this.#ends.has(key) && this.#ends.size >= streamsPerSocket) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many subscriptions');
    }
    const end = wanted.enabled ? this.#subscribe(wanted) : undefined;
    this.#ends.get(key)?.();
    this.#ends.delete(key);
    if (end !== undefined) this.#ends.set(key, end);
  }

  #subscribe({ event, filters, params }: Order): () => void {
    const { context, param, principal } = this.#call;
    const user = param('user');
    const send = (frame: Record<string, Value | undefined>): void => {
      this.#socket.send(toJson(frame));
    };
    if (event !== STREAM_EVENT) {
      const isWanted = filterByValues(event, filters);
      const { permissions } = principal;
      const feed = this.#feeds.open((lost) =>
        toJson({ event: 'events_lost', user, ts: Date.now(), lost, subscription: { event, filters } }),
      );
      const leave = listenToUser(context, { user, permissions }, (one) => {
        if (isWanted(one)) feed.send(toJson(one));
      });
      return () => {
        leave();
        feed.close();
      };
    }
    const stream = new FleetStream({
      context,
      principal,
      user,
      filters,
      intervalMs: params.interval ?? 0,
      send,
    });
    return () => stream.close();
  }
}
