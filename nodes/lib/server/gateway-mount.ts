import { randomBytes } from 'node:crypto';
import type { NodeAPI } from 'node-red';
import {
  DamagedRecordError,
  Gateway,
  IotmpError,
  serveHealth,
  StorageError,
  type DocumentKey,
  type AuditLog,
  type Backups,
  type Directory,
  type FileStore,
  type ServerHealth,
  type IotmpServer,
  type ServerServices,
  type Store,
} from '../../../src';
import { allowedOrigins } from '../red/allowed-origins';
import { isServedByFlow } from './flow-paths';
import type { HttpRouter } from './http-router';
import { nodeError } from '../red/node-error';
import type { UpgradeRouter } from './upgrade-router';

/** What all mounts of a Node-RED share. */
export interface GatewayRouters {
  readonly http: HttpRouter;
  readonly upgrades: UpgradeRouter;
}

/** What a mount is made with. */
export interface GatewayMountOptions {
  readonly server: IotmpServer;
  readonly services: ServerServices;
  readonly directory: Directory;
  /** The store of the services; it stays its owner's. */
  readonly store: Store | Promise<Store>;
  /** The files of storages, which stay their owner's; without them they are in a temporary folder. */
  readonly files: FileStore | undefined;
  readonly backups: Backups;
  readonly audit: AuditLog;
  readonly health: ServerHealth;
  /** False mounts nothing. */
  readonly enabled: boolean;
  /** The path below Node-RED's HTTP root; '' is the root itself. */
  readonly path: string;
  /** Signs tokens. Without one, a secret is made and kept in the store. */
  readonly secret: string | undefined;
  /** Something that deserves a line in the log. */
  readonly onWarning: (text: string) => void;
}

/** What a token made in the editor lets a program do: all that its user may. */
const EVERYTHING = { '*': { '*': '*' } } as const;
/** Where the secret is kept; no user has this name. */
const SECRET_KEY = { collection: 'gateway', user: '*', id: 'secret' } as const;
/** In place of one that cannot be read, and stays as it is. */
const SECOND_SECRET_KEY = { ...SECRET_KEY, id: 'secret-2' } as const;

/** The REST and WebSocket API of a server on the HTTP server of Node-RED, from {@link open} to {@link close}. */
export class GatewayMount {
  /** The path of the API on Node-RED's HTTP server, with its root. */
  readonly path: string;
  readonly #RED: NodeAPI;
  readonly #routers: GatewayRouters;
  readonly #options: GatewayMountOptions;
  readonly #corsOrigins: readonly string[];
  readonly #ends: (() => void)[] = [];
  #gateway: Gateway | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;
  #fault: Error | undefined;

  constructor(RED: NodeAPI, routers: GatewayRouters, options: GatewayMountOptions) {
    this.#RED = RED;
    this.#routers = routers;
    this.#options = options;
    const root: unknown = RED.settings.httpNodeRoot;
    this.#corsOrigins = allowedOrigins(RED.settings.httpNodeCors);
    this.path = (typeof root === 'string' ? root.replace(/\/$/, '') : '') + options.path;
  }

  /** Why the API is not served. */
  get fault(): Error | undefined {
    return this.#fault;
  }

  /** Serves the API, unless it is served or cannot be: {@link fault} tells. Never rejects. */
  open(): Promise<void> {
    if (!this.#options.enabled || this.#closed) return Promise.resolve();
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#fault = nodeError(error);
      this.#unmount();
      if (error instanceof StorageError) this.#serveHealth();
      // What was in the way may be gone after the next deploy.
      this.#opening = undefined;
    });
    return this.#opening;
  }

  /**
   * Makes a token for a user, in place of an older one of this name; it may do all that the user may.
   * @param admin makes the user an administrator first
   * @throws IotmpError (as a rejection) IOTMP_ERR_CLOSED while the API is not served
   */
  async createToken(user: string, name: string, host: string, admin: boolean): Promise<string> {
    if (this.#gateway === undefined) throw new IotmpError('IOTMP_ERR_CLOSED', 'the API is not served');
    if (admin) await this.#gateway.makeAdministrator(user);
    return this.#gateway.createToken(user, name, { allow: EVERYTHING }, host);
  }

  /** Serves the API no more; resolves when its sockets are gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unmount();
    await this.#opening;
    await this.#gateway?.close();
    this.#gateway = undefined;
  }

  async #open(): Promise<void> {
    const gateway = this.#gateway ?? (await this.#start());
    this.#gateway = gateway;
    if (this.#closed) return;
    const { http, upgrades } = this.#routers;
    this.#unmount();
    this.#ends.push(
      http.mount(this.path, (request, response, target) => gateway.handle(request, response, target)),
    );
    this.#ends.push(
      upgrades.mountBelow(this.path, (request, socket, head, target) =>
        gateway.handleUpgrade(request, socket, head, target),
      ),
    );
    this.#fault = undefined;
  }

  /** Without its store there is no API, and those who watch over the server are told so. */
  #serveHealth(): void {
    if (this.#closed) return;
    const { health } = this.#options;
    const end = this.#routers.http.mount(this.path, (request, response, target) => {
      if (isServedByFlow(this.#RED, `${this.path}${target}`)) return false;
      return serveHealth(health, request.method ?? '', response, target);
    });
    this.#ends.push(end);
  }

  async #start(): Promise<Gateway> {
    const { server, services, directory, store, files, backups, audit, secret, health, onWarning } =
      this.#options;
    const gateway = new Gateway(server, services, {
      secret: secret ?? (await keptSecret(await store, onWarning)),
      directory,
      health,
      backups,
      audit,
      ...(files !== undefined && { files }),
      basePath: this.path,
      corsOrigins: this.#corsOrigins,
      isServedElsewhere: (target) => isServedByFlow(this.#RED, `${this.path}${target}`),
      onWarning,
    });
    try {
      await gateway.start();
      return gateway;
    } catch (error) {
      await gateway.close();
      throw error;
    }
  }

  #unmount(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}

/** The secret that was made at the first start. */
async function keptSecret({ documents }: Store, onWarning: (text: string) => void): Promise<string> {
  try {
    return await secretUnder(documents, SECRET_KEY);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    onWarning(
      'the secret of the API cannot be read: another one signs, and tokens given out before count no more',
    );
    return secretUnder(documents, SECOND_SECRET_KEY);
  }
}

async function secretUnder(documents: Store['documents'], key: DocumentKey): Promise<string> {
  const kept = await documents.get(key);
  if (typeof kept?.body.secret === 'string') return kept.body.secret;
  if (kept !== undefined) throw new DamagedRecordError('the secret of the API', 'it has another form');
  const secret = randomBytes(32).toString('base64url');
  await documents.put(key, { secret });
  return secret;
}
