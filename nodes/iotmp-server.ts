import type { Node, NodeAPI } from 'node-red';
import {
  detached,
  guarded,
  IotmpError,
  openStore,
  StorageError,
  type ListenerStatus,
  type ServerOptions,
  type Store,
  type StoreOptions,
} from '../src';
import { mountAdminApi } from './lib/server/admin-api';
import { apiSettings } from './lib/server/api-settings';
import { closeWith } from './lib/red/close-with';
import { ServerPool } from './lib/server/server-pool';
import { showLink } from './lib/flow/flow-node';
import { FlowsStarted } from './lib/red/flows-started';
import { FlowsStopping } from './lib/red/flows-stopping';
import { HostedServer } from './lib/server/hosted-server';
import { GatewayMount } from './lib/server/gateway-mount';
import { HttpRouter } from './lib/server/http-router';
import type { LinkNode } from './lib/flow/link';
import { LogGate } from './lib/red/log-gate';
import { mountMqttBridge } from './lib/server/mqtt-bridge';
import { nodeError, statusReason } from './lib/red/node-error';
import { ServerLink } from './lib/server/server-link';
import {
  serverSettings,
  webSocketPath,
  type ServerConfig,
  type ServerCredentials,
} from './lib/server/server-settings';
import { serverState } from './lib/server/server-state';
import { StateFeed } from './lib/flow/state-feed';
import { StatusReporter } from './lib/red/status-reporter';
import { filesFolder, storageFile } from './lib/server/storage-settings';
import { mountTokenEndpoint } from './lib/server/token-endpoint';
import { translate } from './lib/red/translate';
import { UpgradeMount } from './lib/server/upgrade-mount';
import { UpgradeRouter } from './lib/server/upgrade-router';
import { serverTable } from './settings/iotmp-server';
import { settingReader } from './settings/setting';

interface ServerNode extends Node<ServerCredentials>, LinkNode {
  link: ServerLink | undefined;
  /** The API for programs, while the server runs. */
  api: GatewayMount | undefined;
  /** Core hands the status and the errors of a config node on to the flows of these. */
  users: Record<string, Node>;
}

/** What all servers of a Node-RED share. */
interface Shared {
  readonly pool: ServerPool<HostedServer>;
  readonly upgrades: UpgradeRouter;
  readonly http: HttpRouter;
  readonly started: FlowsStarted;
  readonly stopping: FlowsStopping;
}

export = function register(RED: NodeAPI): void {
  const shared: Shared = {
    pool: new ServerPool(RED),
    upgrades: new UpgradeRouter(RED),
    http: new HttpRouter(RED),
    started: new FlowsStarted(RED),
    stopping: new FlowsStopping(RED),
  };

  RED.nodes.registerType<ServerNode, ServerConfig, object, ServerCredentials>(
    'iotmp-server',
    function (this: ServerNode, config) {
      RED.nodes.createNode(this, config);
      this.users = {};
      this.register = (user): void => {
        this.users[user.id] = user;
      };
      this.deregister = (user): void => {
        Reflect.deleteProperty(this.users, user.id);
      };
      const status = new StatusReporter(this);
      try {
        if (settingReader(serverTable, config)('enabled')) run(RED, this, config, status, shared);
        else idle(this, () => status.grey(translate(RED, 'status.disabled')), status);
      } catch (error) {
        this.error(nodeError(error).message);
        idle(this, () => status.red(statusReason(error)), status);
      }
    },
    { credentials: { ...serverTable.credentials } },
  );
  mountAdminApi(RED);
  mountTokenEndpoint(RED);
};

/** A server that is switched off or cannot work: nodes that use it say so. */
function idle(node: ServerNode, show: () => void, status: StatusReporter): void {
  node.link = undefined;
  show();
  const onFault = (error: unknown): void => node.error(nodeError(error).message);
  node.on(
    'close',
    guarded('idle server close', onFault, () => status.close()),
  );
}

/** Runs the server of a node until the node closes. */
function run(
  RED: NodeAPI,
  node: ServerNode,
  config: ServerConfig,
  status: StatusReporter,
  { pool, upgrades, http, started, stopping }: Shared,
): void {
  const options = serverSettings(RED, config, node.credentials, (text) => node.warn(text));
  const path = webSocketPath(RED, config);
  const file = storageFile(RED, node.id, config);
  const programs = apiSettings(config, node.credentials.apiSecret);
  // Nothing that follows may throw: whoever has taken a server over has to end it.
  const { hosted, ready } = takeOrMake(node, pool, options, file);
  const feed = new StateFeed({ kind: 'waiting', text: translate(RED, 'status.starting') });
  const log = new LogGate();
  const { server, services, store } = hosted;
  const api = new GatewayMount(
    RED,
    { http, upgrades },
    {
      ...programs,
      server,
      services,
      store,
      filesFolder: file === undefined ? undefined : filesFolder(file),
      onWarning: (text) => node.warn(text),
    },
  );
  node.api = api;
  const mount = new UpgradeMount(upgrades, path, server);
  const firstUser = options.devices?.[0]?.user;
  const mqtt = mountMqttBridge(RED, config, {
    id: node.id,
    topics: hosted.services.topics,
    user: firstUser ?? hosted.server.defaultUser,
    warn: (text) => {
      if (log.isNews('mqtt', text)) node.warn(text);
    },
  });
  if (mqtt.fault !== undefined) node.error(mqtt.fault.message);
  const update = (): void => {
    const fault = mount.fault ?? mqtt.fault ?? wrongSetting(api.fault);
    feed.set(serverState(RED, hosted, options.anonymous === true, fault));
  };
  node.link = new ServerLink(hosted, feed, firstUser);
  showLink(status, feed.state);
  feed.watch((state) => showLink(status, state));
  const offerApi = async (): Promise<void> => {
    await api.open();
    update();
    // Of the store, its own line tells.
    if (api.fault === undefined || api.fault instanceof StorageError) return;
    if (log.isNews('api', api.fault.message)) node.warn(api.fault.message);
  };
  const unfollow = followServer(RED, node, hosted, log, {
    update,
    // An API whose store could not be opened at the start is offered when it works.
    onRecovered: () => {
      if (opened) detached('API offered again', (error) => node.error(nodeError(error).message), offerApi());
    },
  });
  let opened = false;
  let closed = false;
  // Devices connect only when the flows are there to serve them.
  const unwatchStop = stopping.watch();
  const unwatch = started.watch(() => {
    // A path that another server had may be free after a deploy.
    mount.open();
    const mounted = offerApi();
    if (mount.fault !== undefined && log.isNews('path', mount.fault.message)) node.error(mount.fault.message);
    if (opened) update();
    else {
      opened = true;
      // Devices that were made over the API are let in from the beginning.
      const running = mounted.then(() => (closed ? undefined : openServer(hosted, options, ready)));
      const onFault = (error: unknown): void => {
        node.error(nodeError(error).message);
        feed.set({ kind: 'error', text: statusReason(error) });
      };
      running.then(
        guarded('server opened', onFault, () => update()),
        guarded('server not opened', onFault, onFault),
      );
    }
  });
  warnOfOpenDoors(RED, node, options);

  closeWith(node, async (removed) => {
    closed = true;
    unwatch();
    unwatchStop();
    mount.close();
    unfollow();
    status.close();
    const isKept = !removed && hosted.running && stopping.isDeploy;
    // The node that follows may let in others, and until it does so the devices of the API are not known.
    if (isKept) hosted.holdLogins();
    await Promise.all([api.close(), mqtt.close(removed)]);
    if (isKept) pool.park(node.id, hosted);
    else await hosted.close();
  });
}

/**
 * The server that an earlier node of the same id left, if its store is kept in the same place; else a new one, to be
 * opened when the one before has ended.
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
  const ready = ending.catch((error: unknown) => node.error(nodeError(error).message));
  const open = async (wanted: StoreOptions): Promise<Store> => {
    await ready;
    return openStore(wanted);
  };
  return { hosted: new HostedServer(options, file, open), ready };
}

/** What keeps the API from being served, where that is for its settings to mend, and not for Node-RED's or the store. */
function wrongSetting(fault: Error | undefined): Error | undefined {
  const isSetting = fault instanceof IotmpError && /CONFIG|CONFLICT/.test(fault.code);
  return isSetting ? fault : undefined;
}

/** A server that was left by an earlier node of the same id runs already: only what changed is restarted. */
async function openServer(hosted: HostedServer, options: ServerOptions, ready: Promise<void>): Promise<void> {
  await ready;
  if (hosted.running) await hosted.configure(options);
  else await hosted.start();
}

/** Keeps the state of the server known, and its troubles in the log: the first of each kind, and changes. */
function followServer(
  RED: NodeAPI,
  node: ServerNode,
  hosted: HostedServer,
  log: LogGate,
  { update, onRecovered }: { readonly update: () => void; readonly onRecovered: () => void },
): () => void {
  const { server } = hosted;
  const onListener = (kind: string, status: ListenerStatus): void => {
    update();
    if (status.kind === 'listening') {
      log.clear(kind);
      node.log(`${kind}: ${status.address}`);
    } else if (status.kind === 'error' && log.isNews(kind, status.error.message)) {
      node.error(status.error.message);
    }
  };
  const onStore = (fault: StorageError | undefined): void => {
    update();
    if (fault === undefined) {
      log.clear('store');
      onRecovered();
    } else if (log.isNews('store', fault.reason)) logStoreFault(RED, node, fault);
  };
  const onWarning = (text: string, cause?: Error): void => {
    // Of these the store itself has told.
    if (cause instanceof StorageError) return;
    if (log.isNews('warning', text)) node.warn(text);
  };
  server.on('connected', update);
  server.on('disconnected', update);
  server.on('listener', onListener);
  server.on('warning', onWarning);
  hosted.on('store', onStore);
  return () => {
    server.off('connected', update);
    server.off('disconnected', update);
    server.off('listener', onListener);
    server.off('warning', onWarning);
    hosted.off('store', onStore);
  };
}

function logStoreFault(RED: NodeAPI, node: ServerNode, { reason, message }: StorageError): void {
  if (reason === 'unsupported') node.warn(translate(RED, 'errors.storageUnsupported', { reason: message }));
  else node.error(translate(RED, 'errors.storage', { reason: message }));
}

function warnOfOpenDoors(RED: NodeAPI, node: ServerNode, options: ServerOptions): void {
  if (options.anonymous === true) node.warn(translate(RED, 'errors.anonymous'));
  else if ((options.devices ?? []).length === 0) node.warn(translate(RED, 'errors.unregistered'));
}
