import type { AuditLog } from '../services/audit-log';
import type { IotmpServer } from '../broker/broker';
import type { ServerServices } from '../services/server-services';
import type { Backups } from '../store/backup/backups';
import type { FileStore } from '../store/files/file-store';
import type { Clock } from '../util/clock';
import type { RateLimiter } from '../util/rate-limiter';
import type { Directory } from '../directory/directory';
import type { Assets } from '../directory/asset-records';
import type { DeviceAccounts } from '../directory/device-accounts';
import type { CallbackPresence } from './accounts/callback-presence';
import type { CallbackRecords } from './accounts/callback-records';
import type { EndpointRecords } from './accounts/endpoint-records';
import type { LastSeen } from '../directory/last-seen';
import type { UserAccounts } from '../directory/user-accounts';
import type { DeviceGrants } from './auth/device-grants';
import type { DeviceTokens } from './auth/device-tokens';
import type { Sessions } from './auth/sessions';
import type { Tokens } from './auth/tokens';
import type { BucketExports } from './exports/bucket-exports';
import type { ServerHealth } from './health/server-health';
import type { AddressPlaces } from './limits/address-places';
import type { GatewayLimits } from './limits/gateway-limits';
import type { RequestTurns } from './limits/request-turns';
import type { SocketPlaces } from './limits/socket-places';
import type { GatewayMetrics } from './metrics/gateway-metrics';

/** The parts that routes and sockets share. */
export interface GatewayContext {
  readonly server: IotmpServer;
  readonly services: ServerServices;
  readonly clock: Clock;
  readonly directory: Directory;
  /** The parts of the directory. */
  readonly users: UserAccounts;
  readonly devices: DeviceAccounts;
  readonly assets: Assets;
  readonly lastSeen: LastSeen;
  readonly callbacks: CallbackRecords;
  readonly presence: CallbackPresence;
  readonly endpoints: EndpointRecords;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly deviceTokens: DeviceTokens;
  readonly grants: DeviceGrants;
  /** The files of storages. */
  readonly files: FileStore;
  readonly exports: BucketExports;
  readonly limits: GatewayLimits;
  /** Limits what is asked for a login, but for the logins themselves. */
  readonly logins: RateLimiter;
  /** Turns of logins, by their network. */
  readonly loginTurns: RequestTurns;
  /** Places of requests without a token. */
  readonly addressPlaces: AddressPlaces;
  readonly places: SocketPlaces;
  readonly metrics: GatewayMetrics;
  readonly backups: Backups | undefined;
  readonly audit: AuditLog;
  readonly health: ServerHealth;
  /** The path that the gateway is mounted under, such as `/api`; '' at the root. */
  readonly basePath: string;
  /** The host that tokens name as their server. By default it is the host that the request was sent to. */
  readonly host: string | undefined;
  /** Aborts when the gateway is closed. */
  readonly closing: AbortSignal;
}
