import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AuditLog } from '../services/audit-log';
import type { IotmpServer } from '../broker/broker';
import { Directory } from '../directory/directory';
import { loadAll, type Keeper } from '../directory/records';
import { errorText } from '../errors';
import type { ServerServices } from '../services/server-services';
import { DiskFiles } from '../store/files/disk-files';
import { TemporaryFolder } from '../store/files/temporary-folder';
import { openStore } from '../store/open-store';
import type { Store } from '../store/store';
import type { DeviceId } from '../types';
import { systemClock } from '../util/clock';
import { RateLimiter } from '../util/rate-limiter';
import { CallbackPresence } from './accounts/callback-presence';
import { CallbackRecords } from './accounts/callback-records';
import { EndpointRecords } from './accounts/endpoint-records';
import { Authentication } from './auth/authentication';
import { DeviceGrants } from './auth/device-grants';
import { DeviceTokens } from './auth/device-tokens';
import { Sessions } from './auth/sessions';
import { TokenSigner } from './auth/token-signer';
import { Tokens, type TokenDraft } from './auth/tokens';
import { BucketExports } from './exports/bucket-exports';
import type { GatewayContext } from './gateway-context';
import type { GatewayOptions } from './gateway-options';
import { ServerHealth } from './health/server-health';
import { HttpFront } from './http-front';
import { Router } from './http/router';
import { AddressPlaces } from './limits/address-places';
import { gatewayLimits } from './limits/gateway-limits';
import { RequestTurns } from './limits/request-turns';
import { SocketPlaces } from './limits/socket-places';
import { GatewayMetrics } from './metrics/gateway-metrics';
import { allRoutes, SOCKET_ROUTES } from './routes/all-routes';
import { SocketFront } from './sockets/socket-front';

const HOURS_S = 3600;
const DAYS_S = 24 * HOURS_S;

/**
 * The REST and WebSocket API of a server (`platform-api.md`), to be mounted on an HTTP server. Both handlers get the
 * target of the request below the path that the gateway is mounted under, with a slash at its beginning.
 */
export class Gateway {
  readonly #context: GatewayContext;
  readonly #http: HttpFront;
  readonly #sockets: SocketFront;
  readonly #options: GatewayOptions;
  /** In memory, and the gateway's own, where none was given. */
  readonly #store: Store | Promise<Store>;
  /** Ends the directory, and its store, that the gateway made itself as none was given. */
  #endOwn: () => Promise<void> = () => Promise.resolve();
  readonly #closing = new AbortController();
  readonly #ends: (() => void)[] = [];
  #started: Promise<void> | undefined;

  /**
   * @param services the services of the same server
   * @throws IotmpError IOTMP_ERR_CONFIG when the secret is too short, or a limit is not usable
   */
  constructor(server: IotmpServer, services: ServerServices, options: GatewayOptions) {
    this.#options = options;
    this.#store = options.store ?? openStore({ memory: true });
    const warn = (text: string): void => options.onWarning?.(text);
    const signer = new TokenSigner(options.secret);
    const limits = gatewayLimits(options.limits);
    const directory = options.directory ?? this.#ownDirectory(server);
    const { signal: closing } = this.#closing;
    this.#context = newContext({
      server,
      services,
      options,
      store: this.#store,
      limits,
      signer,
      directory,
      closing,
    });
    const review = (): void => this.#context.places.review();
    const onCutOff = (id: DeviceId): void =>
      this.#context.presence.end(id, 'the device was removed or locked out');
    directory.on('userChanged', review).on('deviceCutOff', onCutOff);
    this.#ends.push(() => directory.off('userChanged', review).off('deviceCutOff', onCutOff));
    const { clock } = this.#context;
    const { requestsPerSecond: perSecond, requestBurst: burst } = limits;
    const requests = new RequestTurns({ perSecond, burst }, clock, closing);
    const port = {
      context: this.#context,
      authentication: new Authentication({ signer, ...this.#context }),
      requests,
      isServedElsewhere: options.isServedElsewhere ?? (() => false),
      onFault: warn,
    };
    const routes = allRoutes(options.routes ?? [], SOCKET_ROUTES);
    const sockets = new Router(SOCKET_ROUTES);
    const origins = options.corsOrigins ?? [];
    this.#http = new HttpFront({ ...port, router: new Router(routes), sockets, origins });
    this.#sockets = new SocketFront({ ...port, router: sockets, origins });
  }

  /**
   * Reads all records. From then on devices that were made over the API may connect.
   * @throws what the store throws (as a rejection)
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /**
   * Serves a request. Returns false, and does not touch the request, when its path is not one of the gateway.
   * @param target path and query below the mount point
   */
  handle(request: IncomingMessage, response: ServerResponse, target = request.url ?? '/'): boolean {
    return this.#http.handle(request, response, target);
  }

  /** Takes over an upgrade request. Returns false, and does not touch it, when its path is not one of the gateway. */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    target = request.url ?? '/',
  ): boolean {
    if (this.#closing.signal.aborted) return false;
    return this.#sockets.handle(request, socket, head, target);
  }

  /**
   * Makes a named token for a user, in place of an older one of this name. Returns its text.
   * @param draft its permissions and its time of expiry; without `allow` it permits nothing
   */
  async createToken(user: string, token: string, draft: TokenDraft, host = ''): Promise<string> {
    const { tokens } = this.#context;
    await tokens.remove(user, token);
    return tokens.sign(await tokens.create(user, token, draft), this.#options.host ?? host);
  }

  /** Makes a user an administrator, with all his tokens. A user without a record gets one. */
  async makeAdministrator(user: string): Promise<void> {
    const { users } = this.#context;
    const record = users.get(user);
    if (record === undefined) await users.create(user, { role: 'admin' });
    else if (record.role !== 'admin') await users.update(record, { role: 'admin' });
  }

  /** The metrics of server and gateway in the text format of Prometheus. */
  metrics(): string {
    return this.#context.metrics.text();
  }

  /** Ends sockets and event streams. Resolves when they are gone and all records are kept. Idempotent. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const end of this.#ends.splice(0)) end();
    await this.#sockets.close();
    this.#context.metrics.close();
    this.#context.presence.close();
    await Promise.all([...this.#kept.map((kept) => kept.settled()), this.#endFiles()]);
    await this.#endOwn();
    if (this.#options.store === undefined) await (await this.#store).close();
  }

  /** Files that were given stay their owner's. */
  async #endFiles(): Promise<void> {
    if (this.#options.files === undefined) await this.#context.files.close();
  }

  /** The keepers of the gateway's own records: they are read at the start, and waited for at the end. */
  get #kept(): readonly Keeper[] {
    const { callbacks, endpoints, sessions, tokens, deviceTokens } = this.#context;
    return [callbacks, endpoints, sessions, tokens, deviceTokens].map(({ kept }) => kept);
  }

  #ownDirectory(server: IotmpServer): Directory {
    const { clock, onWarning } = this.#options;
    const directory = new Directory(server, { store: this.#store, clock, onWarning });
    this.#endOwn = () => directory.close();
    return directory;
  }

  async #start(): Promise<void> {
    const { directory, users, files } = this.#context;
    // What is left of earlier files costs room, and nothing else.
    await files.start().catch((error: unknown) => this.#options.onWarning?.(errorText(error)));
    await directory.start();
    await loadAll(this.#kept, (text) => this.#options.onWarning?.(text));
    for (const { user, ...draft } of this.#options.users ?? []) {
      if (users.get(user) === undefined) await users.create(user, draft);
    }
  }
}

/** The parts that a context is made from. */
interface ContextParts extends Pick<
  GatewayContext,
  'server' | 'services' | 'directory' | 'limits' | 'closing'
> {
  readonly options: GatewayOptions;
  readonly store: Store | Promise<Store>;
  readonly signer: TokenSigner;
}

function newContext({
  server,
  services,
  options,
  store,
  limits,
  signer,
  directory,
  closing,
}: ContextParts): GatewayContext {
  const { clock = systemClock } = options;
  const places = new SocketPlaces(limits);
  const review = (): void => places.review();
  const { documents, revocations, users, devices, assets, lastSeen } = directory;
  const loginRate = { perSecond: limits.loginsPerMinute / 60, burst: limits.loginsPerMinute };
  const lifetimes = {
    accessS: options.accessTokenS ?? 2 * HOURS_S,
    refreshS: options.refreshTokenS ?? 60 * DAYS_S,
  };
  const audit = options.audit ?? newAudit(server, store, options);
  const own = {
    callbacks: new CallbackRecords(documents),
    endpoints: new EndpointRecords(documents),
    sessions: new Sessions(documents, revocations, { signer, lifetimes }, review),
    tokens: new Tokens(documents, revocations, signer, review),
    deviceTokens: new DeviceTokens(documents, revocations, signer, review),
  };
  return {
    ...own,
    server,
    services,
    clock,
    directory,
    users,
    devices,
    assets,
    presence: new CallbackPresence(clock, server.events),
    lastSeen,
    grants: new DeviceGrants(clock),
    files:
      options.files ??
      new DiskFiles(
        options.filesFolder ?? new TemporaryFolder(),
        limits,
        () => services.storeFault?.reason === 'full',
      ),
    backups: options.backups,
    audit,
    exports: new BucketExports(clock),
    limits,
    logins: new RateLimiter(loginRate, clock),
    loginTurns: new RequestTurns(loginRate, clock, closing),
    addressPlaces: new AddressPlaces(limits.publicRequestsPerAddress),
    places,
    health: options.health ?? new ServerHealth({ server, services, clock }),
    metrics: new GatewayMetrics(server, services.losses, clock, {
      sockets: () => places.size,
      auditGaps: () => audit.gaps,
      damagedRecords: () =>
        Object.values(own).reduce(
          (sum, { kept }) => sum + kept.unusable,
          services.damagedRecords + directory.unusable,
        ),
    }),
    basePath: options.basePath ?? '',
    host: options.host,
    closing,
  };
}

function newAudit(
  server: IotmpServer,
  store: Store | Promise<Store>,
  { onWarning, clock }: GatewayOptions,
): AuditLog {
  const warn = (text: string): void => onWarning?.(text);
  return new AuditLog({ store, events: server.events, warn, ...(clock !== undefined && { clock }) });
}
