import { z } from 'zod';
import type { HubSubscription } from '../../broker/hub/stream-hub';
import { IotmpError } from '../../errors';
import { MAX_INTERVAL_MS } from '../../session/streams/stream-interval';
import type { DeviceId } from '../../types';
import { reachesResource } from '../auth/principal';
import { knownDevice } from '../devices/known-device';
import { CloseCode, type ClientSocket } from './client-socket';
import { readFrame, sampleFrame } from './frames';
import type { SocketCall, SocketRoute } from './socket-route';
import { guarded, warnProcess } from '../../util/guard';

const MAX_INTERVAL_S = MAX_INTERVAL_MS / 1000;

/** What a client asks for: a stream, another interval for it, or its end. */
const order = z.object({
  resource: z.string().min(1).max(1024),
  /** In s; 0 is whenever the device has something. `NaN` arrives as null. */
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
    return (socket) => new DeviceStreams(call, device, socket).serve();
  },
};

/** Streams go on when the device has been away; nothing but samples is sent, as clients take all for one. */
class DeviceStreams {
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

  /** The same order again changes nothing, but is a wish: what did not open is tried again. */
  #start(resource: string, intervalMs: number): void {
    const stream = this.#streams.get(resource);
    if (stream?.intervalMs === intervalMs) {
      const { kind } = stream.subscription.state;
      if (kind === 'held' || kind === 'failed') stream.subscription.ask();
      return;
    }
    const subscription = this.#call.context.server.subscribe(this.#device, resource, {
      intervalMs,
      onSample: (sample) => void this.#socket.send(sampleFrame(resource, sample)),
    });
    // Only now, so that the stream of the device goes on.
    stream?.subscription.close();
    this.#streams.set(resource, { intervalMs, subscription });
  }

  #stop(resource: string): void {
    this.#streams.get(resource)?.subscription.close();
    this.#streams.delete(resource);
  }
}
