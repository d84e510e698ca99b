import { z } from 'zod';
import type { HubSubscription } from '../../broker/hub/stream-hub';
import { IotmpError } from '../../errors';
import { MAX_INTERVAL_MS } from '../../session/streams/stream-interval';
import type { DeviceId } from '../../types';
import { reachesResource } from '../auth/principal';
import { knownDevice } from '../devices/known-device';
import { CloseCode, type ClientSocket } from './client-socket';
import { readFrame, sampleFrame } from './frames';
import { isSessionName } from '../../session/streams/stream-kind';
import type { SocketCall, SocketRoute } from './socket-route';
import { guarded, warnProcess } from '../../util/guard';

const MAX_INTERVAL_S = MAX_INTERVAL_MS / 1000;

/** A frame of a client: it asks for a stream, for another interval of it, or for its end. */
const order = z.object({
  resource: z.string().min(1).max(1024),
  /** In s; 0 is each event of the device. `NaN` arrives as null. */
  interval: z.number().nullish(),
  enabled: z.boolean().default(true),
});

interface Stream {
  readonly intervalMs: number;
  readonly subscription: HubSubscription;
}

/** All streams of a device in one socket (`platform-api.md` section 2.1). */
export const deviceStreamsRoute: SocketRoute = {
  method: 'SOCKET',
  path: '/v3/users/:user/devices/:device/resources',
  action: 'AccessDeviceResources',
  access: 'token',
  asset: 'Device',
  id: 'device',
  summary:
    'Streams of a device: send {"resource","interval" in s,"enabled"}, get {"resource","signal","payload"}',
  open(call) {
    const device = knownDevice(call.context, { user: call.param('user'), device: call.param('device') });
    return (socket) => new MultiplexedStreams(call, device, socket).serve();
  },
};

/** Streams go on after the device was away. Only samples are sent, as clients take each frame for a sample. */
class MultiplexedStreams {
  readonly #call: SocketCall;
  readonly #device: DeviceId;
  readonly #socket: ClientSocket;
  readonly #streams = new Map<string, Stream>();

  constructor(call: SocketCall, device: DeviceId, socket: ClientSocket) {
    this.#call = call;
    this.#device = device;
    this.#socket = socket;
  }

  serve(): void {
    this.#socket.listen((data) => {
      try {
        this.#handle(readFrame(data, order));
      } catch (error) {
        if (!(error instanceof IotmpError)) throw error;
        this.#socket.close(CloseCode.BAD_DATA, error.message.slice(0, 100));
      }
    });
    const onEnd = guarded('device streams end', warnProcess, () => {
      for (const resource of this.#streams.keys()) this.#stop(resource);
    });
    this.#call.signal.addEventListener('abort', onEnd);
  }

  #handle({ resource, interval, enabled }: z.infer<typeof order>): void {
    if (!enabled) {
      this.#stop(resource);
      return;
    }
    const { limits } = this.#call.context;
    if (!reachesResource(this.#call.principal, resource)) {
      this.#socket.close(CloseCode.POLICY, 'the token is not for this resource');
    } else if (this.#streams.size >= limits.streamsPerSocket && !this.#streams.has(resource)) {
      this.#socket.close(CloseCode.POLICY, 'too many streams');
    } else this.#start(resource, Math.round(Math.min(Math.max(interval ?? 0, 0), MAX_INTERVAL_S) * 1000));
  }

  /** Starts a stream, or changes its interval. The same order again only retries a stream that did not open. */
  #start(resource: string, intervalMs: number): void {
    const stream = this.#streams.get(resource);
    if (stream?.intervalMs === intervalMs) {
      const { kind } = stream.subscription.state;
      if (kind === 'held' || kind === 'failed') stream.subscription.ask();
      return;
    }
    // Nobody shares a session, not even with himself.
    if (isSessionName(resource)) this.#stop(resource);
    const subscription = this.#call.context.server.subscribe(this.#device, resource, {
      intervalMs,
      onSample: (sample) => void this.#socket.send(sampleFrame(resource, sample)),
    });
    // Only now, so that the device's stream is not stopped in between.
    stream?.subscription.close();
    this.#streams.set(resource, { intervalMs, subscription });
  }

  #stop(resource: string): void {
    this.#streams.get(resource)?.subscription.close();
    this.#streams.delete(resource);
  }
}
