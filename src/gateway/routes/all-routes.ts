import type { Route } from '../route';
import { deviceStreamsRoute } from '../sockets/device-streams';
import { eventsV1Route } from '../sockets/events-v1';
import { eventsV2Route } from '../sockets/events-v2';
import { resourceStreamRoute } from '../sockets/resource-stream';
import type { SocketRoute } from '../sockets/socket-route';
import { bucketDataRoutes } from './bucket-data';
import { bucketExportRoutes } from './bucket-exports';
import { bucketRoutes } from './buckets';
import { callbackRoutes } from './callbacks';
import { deviceFileRoutes } from './device-files';
import { deviceTokenRoutes } from './device-tokens';
import { deviceRoutes } from './devices';
import { endpointRoutes } from './endpoints';
import { oauthDeviceRoutes } from './oauth-device';
import { oauthRoutes } from './oauth';
import { propertyRoutes } from './properties';
import { referenceRoutes } from './reference';
import { resourceRoutes } from './resources';
import { serverRoutes } from './server';
import { statsRoutes } from './stats';
import { tokenRoutes } from './tokens';
import { userRoutes } from './users';

/** All paths that take WebSockets. */
export const SOCKET_ROUTES: readonly SocketRoute[] = [
  deviceStreamsRoute,
  resourceStreamRoute,
  eventsV1Route,
  eventsV2Route,
];

/** All that is served over HTTP, with what others add to it, and the description of both. */
export function allRoutes(added: readonly Route[], sockets: readonly SocketRoute[]): readonly Route[] {
  const routes = [
    ...deviceRoutes,
    ...resourceRoutes,
    ...statsRoutes,
    ...callbackRoutes,
    ...propertyRoutes,
    ...deviceTokenRoutes,
    ...deviceFileRoutes,
    ...bucketRoutes,
    ...bucketDataRoutes,
    ...bucketExportRoutes,
    ...endpointRoutes,
    ...tokenRoutes,
    ...userRoutes,
    ...oauthRoutes,
    ...oauthDeviceRoutes,
    ...serverRoutes,
    ...added,
  ];
  return [...routes, ...referenceRoutes(routes, sockets)];
}
