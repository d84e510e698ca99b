import { z } from 'zod';
import { text, json } from '../http/answer';
import { HEALTH_PATHS, healthDocument, healthStatus, healthWithReasons } from '../health/health-answer';
import { PLAIN, route, type Route } from '../route';
import { SERVER_ASSETS, SERVER_EVENTS } from './server-lists';

/** Version of this API: of its paths and of what they give. */
export const API_VERSION = '1.0.0';

const ABOUT = { ...PLAIN, method: 'GET', asset: 'Server', access: 'public' } as const;

const assetDocument = z.object({
  asset: z.string(),
  category: z.string(),
  role: z.enum(['user', 'admin']),
  paths: z.object({ list: z.string() }),
});

const eventDocument = z.object({
  event: z.string(),
  filters: z.array(z.object({ field: z.string(), hints: z.array(z.string()).optional() })),
});

/** What programs ask the server itself (`platform-api.md` section 1.6). Some do it before they have a token. */
export const serverRoutes: readonly Route[] = [
  route({
    ...ABOUT,
    path: '/v1/server/assets',
    action: 'ListServerAssets',
    summary: 'List the types of assets, and where to list those',
    answer: z.array(assetDocument),
    handle: () => json(SERVER_ASSETS),
  }),
  route({
    ...ABOUT,
    path: '/v1/server/events',
    action: 'ListServerEvents',
    summary: 'List the events that can be subscribed to',
    answer: z.array(eventDocument),
    handle: () => json(SERVER_EVENTS),
  }),
  route({
    ...ABOUT,
    path: '/v1/server/version',
    action: 'ReadServerVersion',
    summary: 'Read the version of the API',
    answer: z.object({ version: z.string(), build_date: z.string(), license: z.string() }),
    handle: () => json({ version: API_VERSION, build_date: '', license: 'MIT' }),
  }),
  route({
    ...ABOUT,
    path: HEALTH_PATHS.withReasons,
    action: 'ReadServerHealth',
    summary: 'Ask whether the server does all of its work; 503 with the reasons where it does not',
    answer: healthDocument,
    handle: ({ context }) => healthWithReasons(context.health),
  }),
  route({
    ...ABOUT,
    path: HEALTH_PATHS.statusOnly,
    action: 'ReadServerHealthStatus',
    summary: 'Ask the same for the status alone: 200 or 503',
    yields: true,
    handle: ({ context }) => healthStatus(context.health),
  }),
  route({
    ...ABOUT,
    path: '/metrics',
    access: 'admin',
    action: 'ReadServerMetrics',
    summary: 'Read the metrics of the server, for Prometheus',
    produces: 'text/plain',
    handle: ({ context }) => text('text/plain; version=0.0.4', context.metrics.text()),
  }),
];
