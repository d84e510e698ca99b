import type { Node, NodeAPI } from 'node-red';
import {
  errorText,
  detached,
  IotmpError,
  openStore,
  StorageError,
  type ServerOptions,
  type Store,
  type StoreOptions,
} from '../../../src';
import { apiSettings, type ApiSettings } from './api-settings';
import type { ServerPool } from './server-pool';
import { DevicePresence } from './device-presence';
import { showLink } from '../flow/flow-node';
import type { FlowsStarted } from '../red/flows-started';
import type { FlowsStopping } from '../red/flows-stopping';
import { GatewayMount } from './gateway-mount';
import { HostedServer } from './hosted-server';
import type { HttpRouter } from './http-router';
import type { LinkNode } from '../flow/link';
import { serverHealth } from './server-health';
import { LossWatch } from './loss-watch';
import { warnOfCertificates } from './certificate-warnings';
import { mountMqttBridge, type MqttMount } from './mqtt-bridge';
import { statusReason } from '../red/node-error';
import { applyRules } from './rights-rules';
import { ServerLink } from './server-link';
import {
  serverSettings,
  serverTls,
  webSocketPath,
  type ServerConfig,
  type ServerCredentials,
} from './server-settings';
import { serverState } from './server-state';
import { StateFeed } from '../flow/state-feed';
import type { StatusReporter } from '../red/status-reporter';
import { storageFile } from './storage-settings';
import { TlsRenewal } from './tls-renewal';
import type { TlsSource } from '../red/tls-source';
import { nodeVariables } from '../red/node-variables';
import { translate } from '../red/translate';
import { UpgradeMount } from './upgrade-mount';
import type { UpgradeRouter } from './upgrade-router';
import { ServerLog } from './server-log';

/** An `iotmp-server` node. */
export interface ServerNode extends Node<ServerCredentials>, LinkNode {
  link: ServerLink | undefined;
  /** The API for programs, while the server runs. */
  api: GatewayMount | undefined;
}

/** Objects that all servers of a Node-RED share. */
export interface SharedByServers {
  readonly pool: ServerPool<HostedServer>;
  readonly upgrades: UpgradeRouter;
  readonly http: HttpRouter;
  readonly started: FlowsStarted;
  readonly stopping: FlowsStopping;
}

/**
 * Runs the server of a node from the start of the node to its close: the hosted server, its WebSocket path, its API, its
 * bridge to an MQTT broker, and the status and log of the node. {@link close} ends all of them, but for a hosted server
 * that is left to the next node of the same id.
 */
export class ServerRuntime {
  readonly #RED: NodeAPI;
  readonly #node: ServerNode;
  readonly #status: StatusReporter;
  readonly #shared: SharedByServers;
  readonly #options: ServerOptions;
  readonly #hosted: HostedServer;
  /** Resolves when an earlier server of the node has released its ports and its file. */
  readonly #ready: Promise<void>;
  readonly #log: ServerLog;
  readonly #feed: StateFeed;
  readonly #losses: LossWatch;
  readonly #path: UpgradeMount;
  readonly #api: GatewayMount;
  readonly #mqtt: MqttMount;
  readonly #onFault = (error: unknown): void => this.#node.error(errorText(error));
  /** Ends the watching of flows and server. */
  readonly #ends: (() => void)[] = [];
  #opened = false;
  #closed = false;

  /**
   * Begins to run the server of a node. Its ports open when the flows have started.
   * @throws IotmpError IOTMP_ERR_CONFIG naming the property of the node that is wrong
   */
  constructor(
    RED: NodeAPI,
    node: ServerNode,
    config: ServerConfig,
    status: StatusReporter,
    shared: SharedByServers,
  ) {
    const tls = serverTls(RED, config);
    const variable = nodeVariables(RED, node);
    const options = serverSettings(RED, config, node.credentials, tls, variable, (text) => node.warn(text));
    const path = webSocketPath(RED, config);
    const file = storageFile(RED, node.id, config);
    const api = apiSettings(config, node.credentials.apiSecret);
    this.#RED = RED;
    this.#node = node;
    this.#status = status;
    this.#shared = shared;
    this.#options = options;
    // Nothing from here on may throw: a server that was taken over has to be ended.
    const { hosted, ready } = takeOrMake(node, shared.pool, options, file);
    this.#hosted = hosted;
    this.#ready = ready;
    this.#log = new ServerLog(RED, node);
    this.#feed = new StateFeed({ kind: 'waiting', text: translate(RED, 'status.starting') });
    this.#losses = new LossWatch(hosted.services, () => this.#update(), this.#onFault);
    this.#ends.push(() => this.#losses.close());
    this.#path = new UpgradeMount(shared.upgrades, path, hosted.server);
    this.#api = this.#mountApi(api);
    this.#mqtt = this.#mountBridge(config);
    this.#publish();
    this.#watch();
    // Watched before, because what new rules end is told.
    applyRules(RED, node, config, hosted.services.rights);
    if (tls !== undefined) this.#ends.push(this.#renewCertificates(tls));
    warnOfOpenDoors(RED, node, options);
    warnOfCertificates(RED, node, options, path);
  }

  /**
   * Ends everything that belongs to the node. Over a deploy the hosted server itself is left to the node that follows.
   * @param removed whether the node is gone for good, and not made anew by a deploy
   */
  async close(removed: boolean): Promise<void> {
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#path.close();
    this.#status.close();
    const isKept = !removed && this.#hosted.running && this.#shared.stopping.isDeploy;
    // The next node may let in other devices.
    if (isKept) this.#hosted.holdLogins();
    await Promise.all([this.#api.close(), this.#mqtt.close(removed)]);
    if (isKept) this.#shared.pool.park(this.#node.id, this.#hosted);
    else await this.#hosted.close();
  }

  get #firstUser(): string | undefined {
    return this.#options.devices?.[0]?.user;
  }

  #mountApi(settings: ApiSettings): GatewayMount {
    const { server, services, directory, store, files, backups, audit } = this.#hosted;
    return new GatewayMount(this.#RED, this.#shared, {
      ...settings,
      server,
      services,
      directory,
      store,
      files,
      backups,
      audit,
      health: serverHealth(this.#hosted, this.#path),
      onWarning: (text) => server.warn(text),
    });
  }

  #mountBridge(config: ServerConfig): MqttMount {
    const { server, services } = this.#hosted;
    const mount = mountMqttBridge(this.#RED, config, {
      id: this.#node.id,
      topics: services.topics,
      user: this.#firstUser ?? server.defaultUser,
      warn: (text) => this.#log.warn('mqtt', text),
    });
    if (mount.fault !== undefined) this.#node.error(mount.fault.message);
    return mount;
  }

  /** Gives flow nodes and the editor what they need of the server. */
  #publish(): void {
    this.#node.api = this.#api;
    const presence = new DevicePresence(this.#hosted.server, this.#onFault);
    this.#ends.push(() => presence.close());
    this.#node.link = new ServerLink(this.#RED, this.#hosted, this.#feed, presence, this.#firstUser);
    showLink(this.#status, this.#feed.state);
    this.#feed.watch((state) => showLink(this.#status, state));
  }

  #watch(): void {
    const { started, stopping } = this.#shared;
    this.#ends.push(
      this.#watchServer(),
      this.#log.follow(this.#hosted),
      stopping.watch(),
      started.watch(() => this.#handleFlowsStarted()),
    );
  }

  #watchServer(): () => void {
    const { server } = this.#hosted;
    const update = (): void => this.#update();
    const onStore = (fault: StorageError | undefined): void => this.#handleStore(fault);
    server.on('connected', update);
    server.on('disconnected', update);
    server.on('listener', update);
    this.#hosted.on('store', onStore);
    return () => {
      server.off('connected', update);
      server.off('disconnected', update);
      server.off('listener', update);
      this.#hosted.off('store', onStore);
    };
  }

  /** Shows what is in the files of the TLS configuration, also after they have changed. */
  #renewCertificates(tls: TlsSource): () => void {
    const renewal = new TlsRenewal(this.#hosted.server, tls, {
      onRenewed: () => {
        this.#node.log(translate(this.#RED, 'errors.renewed'));
        this.#update();
      },
      onRefused: (reason) =>
        this.#log.warn('tls files', translate(this.#RED, 'errors.notRenewed', { reason })),
      onFault: this.#onFault,
    });
    return () => renewal.close();
  }

  /** An API whose store could not be opened at the start is offered when the store works. */
  #handleStore(fault: StorageError | undefined): void {
    this.#update();
    if (fault === undefined && this.#opened) detached('API offered again', this.#onFault, this.#offerApi());
  }

  /** After the first deploy, devices may connect: the flows are there to serve them. */
  #handleFlowsStarted(): void {
    // After any other deploy, a path that another server had may be free.
    this.#path.open();
    if (this.#path.fault !== undefined) this.#log.error('path', this.#path.fault.message);
    this.#update();
    const offered = this.#offerApi();
    if (this.#opened) detached('API offered after a deploy', this.#onFault, offered);
    else detached('server opened', this.#onFault, this.#open(offered));
  }

  async #offerApi(): Promise<void> {
    await this.#api.open();
    this.#update();
    const { fault } = this.#api;
    // The store reports its faults itself.
    if (fault !== undefined && !(fault instanceof StorageError)) this.#log.error('api', fault.message);
  }

  /** Opens the server when its API is there: a device may call the API as soon as it is let in. */
  async #open(apiOffered: Promise<void>): Promise<void> {
    this.#opened = true;
    try {
      await apiOffered;
      if (this.#closed) return;
      await this.#ready;
      // A server that an earlier node left runs already: only what changed is restarted.
      if (this.#hosted.running) await this.#hosted.configure(this.#options);
      else await this.#hosted.start();
      this.#update();
    } catch (error) {
      this.#feed.set({ kind: 'error', text: statusReason(error) });
      throw error;
    }
  }

  #update(): void {
    const fault = this.#path.fault ?? this.#mqtt.fault ?? wrongSetting(this.#api.fault);
    const state = serverState(this.#RED, this.#hosted, this.#options.anonymous === true, fault);
    this.#feed.set(this.#losses.with(this.#RED, state));
  }
}

/**
 * The server that an earlier node of the same id left, if its store is kept in the same place. Otherwise a new one, which
 * may open its ports when `ready` resolves.
 */
function takeOrMake(
  node: ServerNode,
  pool: ServerPool<HostedServer>,
  options: ServerOptions,
  file: string | undefined,
): { hosted: HostedServer; ready: Promise<void> } {
  const left = pool.take(node.id);
  if (left !== undefined && left.file === file) return { hosted: left, ready: Promise.resolve() };
  const ending = left?.close() ?? pool.ended(node.id);
  const ready = ending.catch((error: unknown) => node.error(errorText(error)));
  const open = async (wanted: StoreOptions): Promise<Store> => {
    await ready;
    return openStore(wanted);
  };
  return { hosted: new HostedServer(options, file, open), ready };
}

/** The fault of an API whose settings are wrong; faults of Node-RED or of the store are shown elsewhere. */
function wrongSetting(fault: Error | undefined): Error | undefined {
  const isSetting = fault instanceof IotmpError && /CONFIG|CONFLICT/.test(fault.code);
  return isSetting ? fault : undefined;
}

function warnOfOpenDoors(RED: NodeAPI, node: ServerNode, options: ServerOptions): void {
  if (options.anonymous === true) node.warn(translate(RED, 'errors.anonymous'));
  else if ((options.devices ?? []).length === 0) node.warn(translate(RED, 'errors.unregistered'));
}
