import { z } from 'zod';
import { json } from '../http/answer';
import { PLAIN, route, type Route } from '../route';

/** Proxies into networks of devices: there are none here, but programs prove a token by asking for them. */
export const proxyRoutes: readonly Route[] = [
  route({
    ...PLAIN,
    method: 'GET',
    path: '/v1/proxies',
    action: 'ListProxies',
    asset: 'Proxy',
    summary: 'List proxies, of which this server has none',
    answer: z.array(z.unknown()),
    handle: () => json([]),
  }),
];
