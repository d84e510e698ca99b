import type { Route } from '../route';
import { deviceStreamsRoute } from '../sockets/device-streams';
import { eventsV1Route } from '../sockets/events-v1';
import { eventsV2Route } from '../sockets/events-v2';
import { resourceStreamRoute } from '../sockets/resource-stream';
import type { SocketRoute } from '../sockets/socket-route';
import { addressBlockRoutes } from './address-blocks';
import { assetRoutes } from './assets';
import { auditRoutes } from './audit';
import { backupRoutes } from './backups';
import { bucketDataRoutes } from './bucket-data';
import { bucketExportRoutes } from './bucket-exports';
import { bucketRoutes } from './buckets';
import { callbackRoutes } from './callbacks';
import { deviceBucketRoutes } from './device-buckets';
import { deviceCloneRoutes } from './device-clone';
import { deviceFileRoutes } from './device-files';
import { deviceTokenRoutes } from './device-tokens';
import { deviceRuleRoutes } from './device-rules';
import { deviceRoutes } from './devices';
import { endpointRoutes } from './endpoints';
import { namePatternRoutes } from './name-patterns';
import { oauthDeviceRoutes } from './oauth-device';
import { oauthRoutes } from './oauth';
import { propertyRoutes } from './properties';
import { proxyRoutes } from './server-lists';
import { referenceRoutes } from './reference';
import { resourceRoutes } from './resources';
import { serverRoutes } from './server';
import { statsRoutes } from './stats';
import { storageFileRoutes } from './storage-files';
import { tokenRoutes } from './tokens';
import { userRoutes } from './users';

/** All routes of WebSockets. */
export const SOCKET_ROUTES: readonly SocketRoute[] = [
  deviceStreamsRoute,
  resourceStreamRoute,
  eventsV1Route,
  eventsV2Route,
];

/** All HTTP routes, with the routes that others add, and the description of all of them. */
export function allRoutes(added: readonly Route[], sockets: readonly SocketRoute[]): readonly Route[] {
  const routes = [
    ...deviceRoutes,
    ...resourceRoutes,
    ...statsRoutes,
    ...callbackRoutes,
    ...propertyRoutes,
    ...assetRoutes,
    ...deviceCloneRoutes,
    ...storageFileRoutes,
    ...deviceTokenRoutes,
    ...namePatternRoutes,
    ...deviceFileRoutes,
    ...bucketRoutes,
    ...bucketDataRoutes,
    ...deviceBucketRoutes,
    ...bucketExportRoutes,
    ...endpointRoutes,
    ...tokenRoutes,
    ...userRoutes,
    ...oauthRoutes,
    ...oauthDeviceRoutes,
    ...deviceRuleRoutes,
    ...proxyRoutes,
    ...serverRoutes,
    ...addressBlockRoutes,
    ...backupRoutes,
    ...auditRoutes,
    ...added,
  ];
  return [...routes, ...referenceRoutes(routes, sockets)];
}
