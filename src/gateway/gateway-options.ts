import type { Backups } from '../store/backup/backups';
import type { FileStore } from '../store/files/file-store';
import type { AuditLog } from '../services/audit-log';
import type { Store } from '../store/store';
import type { Clock } from '../util/clock';
import type { Directory } from '../directory/directory';
import type { UserRole } from '../directory/user-accounts';
import type { ServerHealth } from './health/server-health';
import type { GatewayLimits } from './limits/gateway-limits';
import type { Route } from './route';

/** A user that the gateway has from its beginning. */
export interface GatewayUser {
  readonly user: string;
  /** Without one, the user can have tokens, but cannot log in. */
  readonly password?: string;
  readonly role?: UserRole;
}

/** What a `Gateway` is made with. */
export interface GatewayOptions {
  /** Signs tokens; at least 16 characters. With another secret, all tokens given out so far count no more. */
  readonly secret: string;
  /**
   * The users and devices of the server. The directory is closed by its owner. Without it, the gateway makes one in its
   * store.
   */
  readonly directory?: Directory;
  /**
   * Where devices, users, tokens and endpoints are kept where no directory is given: a store, or one that is being opened. It stays its owner's.
   * Without it they are in memory, and gone with the gateway.
   */
  readonly store?: Store | Promise<Store>;
  /**
   * The folder for the files of storages; it is made where it is missing, and is for this gateway alone. Without it they
   * are in a temporary folder, and gone with the gateway.
   */
  readonly filesFolder?: string;
  /** The files of storages, in place of those in a folder. They stay their owner's. */
  readonly files?: FileStore;
  /** Makes backups for administrators; without it there are none. It stays its owner's. */
  readonly backups?: Backups;
  /** The audit log of the server, where more than the API writes into it. Without it the gateway has one in its store. */
  readonly audit?: AuditLog;
  /** Users that are made at the start, unless they are there. */
  readonly users?: readonly GatewayUser[];
  /** The path that the gateway is mounted under, such as `/api`: for the OpenAPI document. */
  readonly basePath?: string;
  /** The host that tokens name as their server (`svr`); without it, the one that they were asked of. */
  readonly host?: string;
  /** Origins whose pages may use the API in a browser; `*` is any. None without it. */
  readonly corsOrigins?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  /** The health of the server, where more than the server, its store and the memory of the process counts. */
  readonly health?: ServerHealth;
  /**
   * Whether somebody else serves a path that the gateway does not know, such as `/v1/hook`: then the request is left to
   * them. Without it, all paths below `/v1`, `/v2` and `/v3` are the gateway's.
   */
  readonly isServedElsewhere?: (target: string) => boolean;
  /** Routes that others add. */
  readonly routes?: readonly Route[];
  /** Lifetime of access tokens, in s; 2 hours without it. */
  readonly accessTokenS?: number;
  /** Lifetime of refresh tokens, in s; 60 days without it. */
  readonly refreshTokenS?: number;
  readonly clock?: Clock;
  /** Something that deserves a line in a log. Never holds a token. */
  readonly onWarning?: (text: string) => void;
}
