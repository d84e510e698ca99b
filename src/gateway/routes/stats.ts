import { z } from 'zod';
import type { DeviceId } from '../../types';
import type { Principal } from '../auth/principal';
import type { GatewayContext } from '../gateway-context';
import { json, type LiveAnswer } from '../http/answer';
import { eventStream } from '../http/event-stream';
import { PLAIN, route, type Route } from '../route';
import { deviceNames, isConnected } from '../devices/device-rows';
import { isKnownDevice } from '../devices/known-device';
import { idOf, knownDevice } from '../devices/known-device';

/** How a device stands. */
const deviceStats = z.object({
  connected: z.boolean(),
  connected_ts: z.number().describe('ms since 1970; 0 while it is not connected'),
  ip_address: z.string(),
  rx_bytes: z.number().describe('bytes that came from the device'),
  tx_bytes: z.number().describe('bytes that went to the device'),
});

type DeviceStats = z.infer<typeof deviceStats>;

/** Time between two looks at the counters, in ms. */
const LOOK_MS = 1000;
const EVENT_STREAM = /\btext\/event-stream\b/i;

/** How devices stand, once or as it changes (`platform-api.md` section 1.3). */
export const statsRoutes: readonly Route[] = [
  ...['/v1', '/v3'].map((version) =>
    route({
      ...PLAIN,
      method: 'GET',
      path: `${version}/users/:user/devices/:device/stats`,
      action: 'ReadDeviceStatistics',
      asset: 'Device',
      id: 'device',
      deprecated: version === '/v1',
      summary: 'Read how a device stands; with Accept: text/event-stream, be told of each change',
      answer: deviceStats,
      handle({ context, principal, param, request }) {
        const id = knownDevice(context, idOf(param));
        if (EVENT_STREAM.test(request.headers.accept ?? '')) return follow(context, id, principal);
        return json(statsOf(context, id));
      },
    }),
  ),
  route({
    ...PLAIN,
    method: 'GET',
    path: '/v1/users/:user/info/devices/stats',
    action: 'ListDevices',
    asset: 'Device',
    summary: 'Count the devices of a user',
    answer: z.object({ total: z.number(), connected: z.number(), disconnected: z.number() }),
    handle({ context, param, principal }) {
      const user = param('user');
      const allowed = deviceNames(context, user).filter((device) =>
        principal.permissions.allows('Device', device, 'ListDevices'),
      );
      const { length: total } = allowed;
      const { length: connected } = allowed.filter((device) => isConnected(context, { user, device }));
      return json({ total, connected, disconnected: total - connected });
    },
  }),
];

function statsOf({ presence, server }: GatewayContext, id: DeviceId): DeviceStats {
  const device = server.device(id);
  if (device === undefined) {
    const { since = 0, address = '' } = presence.get(id) ?? {};
    return { connected: since > 0, connected_ts: since, ip_address: address, rx_bytes: 0, tx_bytes: 0 };
  }
  const { bytesIn, bytesOut } = device.counters;
  return {
    connected: true,
    connected_ts: device.since,
    ip_address: device.address.replace(/:\d+$/, ''),
    rx_bytes: bytesIn,
    tx_bytes: bytesOut,
  };
}

/** All of it at first, then what is another. Programs look at nothing but messages, but wait for `connect`. */
function follow(context: GatewayContext, id: DeviceId, principal: Principal): LiveAnswer {
  const { clock, closing, limits, places, server } = context;
  const revoked = new AbortController();
  const counts = (): boolean => principal.counts() && isKnownDevice(context, id);
  const leave = places.take({ token: principal.token, counts }, () => revoked.abort());
  const options = {
    clock,
    closing: AbortSignal.any([closing, revoked.signal]),
    counts,
    maxBufferedBytes: limits.maxBufferedBytes,
  };
  return eventStream(options, (stream) => {
    let told = statsOf(context, id);
    stream.send(told, 'connect');
    stream.send(told, 'message');
    const look = (): void => {
      const now = statsOf(context, id);
      const news = changesBetween(told, now);
      told = now;
      if (Object.keys(news).length > 0) stream.send(news, 'message');
    };
    let timer = clock.after(LOOK_MS, tick);
    function tick(): void {
      look();
      timer = clock.after(LOOK_MS, tick);
    }
    server.on('connected', look).on('disconnected', look);
    return () => {
      timer.cancel();
      server.off('connected', look).off('disconnected', look);
      leave();
    };
  });
}

function changesBetween(before: DeviceStats, now: DeviceStats): Partial<DeviceStats> {
  const entries = Object.entries(now).filter(([key, value]) => Reflect.get(before, key) !== value);
  return Object.fromEntries(entries);
}
