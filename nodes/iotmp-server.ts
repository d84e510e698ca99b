import type { Node, NodeAPI } from 'node-red';
import { IotmpServer, openStore, ServerServices, type ListenerStatus, type ServerOptions } from '../src';
import { mountAdminApi } from './lib/admin-api';
import { apiSettings } from './lib/api-settings';
import { BrokerPool } from './lib/broker-pool';
import { showLink } from './lib/flow-node';
import { FlowsStarted } from './lib/flows-started';
import { GatewayMount } from './lib/gateway-mount';
import { HttpRouter } from './lib/http-router';
import type { LinkNode } from './lib/link';
import { LogGate } from './lib/log-gate';
import { nodeError, statusReason } from './lib/node-error';
import { ServerLink } from './lib/server-link';
import {
  serverSettings,
  webSocketPath,
  type ServerConfig,
  type ServerCredentials,
} from './lib/server-settings';
import { serverState } from './lib/server-state';
import { booleanSetting } from './lib/settings';
import { StateFeed } from './lib/state-feed';
import { StatusReporter } from './lib/status-reporter';
import { mountTokenEndpoint } from './lib/token-endpoint';
import { translate } from './lib/translate';
import { UpgradeMount } from './lib/upgrade-mount';
import { UpgradeRouter } from './lib/upgrade-router';

interface ServerNode extends Node<ServerCredentials>, LinkNode {
  link: ServerLink | undefined;
  /** The API for programs, while the server runs. */
  api: GatewayMount | undefined;
  /** Core hands the status and the errors of a config node on to the flows of these. */
  users: Record<string, Node>;
}

/** What all servers of a Node-RED share. */
interface Shared {
  readonly pool: BrokerPool;
  readonly upgrades: UpgradeRouter;
  readonly http: HttpRouter;
  readonly started: FlowsStarted;
}

export = function register(RED: NodeAPI): void {
  const shared: Shared = {
    pool: new BrokerPool(RED),
    upgrades: new UpgradeRouter(RED),
    http: new HttpRouter(RED),
    started: new FlowsStarted(RED),
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
        if (booleanSetting(config.enabled, true)) run(RED, this, config, status, shared);
        else idle(this, () => status.grey(translate(RED, 'status.disabled')), status);
      } catch (error) {
        this.error(nodeError(error).message);
        idle(this, () => status.red(statusReason(error)), status);
      }
    },
    { credentials: { devices: { type: 'text' }, apiSecret: { type: 'password' } } },
  );
  mountAdminApi(RED);
  mountTokenEndpoint(RED);
};

/** A server that is switched off or cannot work: nodes that use it say so. */
function idle(node: ServerNode, show: () => void, status: StatusReporter): void {
  node.link = undefined;
  show();
  node.on('close', () => status.close());
}

/** Runs the server of a node until the node closes. */
function run(
  RED: NodeAPI,
  node: ServerNode,
  config: ServerConfig,
  status: StatusReporter,
  { pool, upgrades, http, started }: Shared,
): void {
  const options = serverSettings(RED, config, node.credentials, (text) => node.warn(text));
  const path = webSocketPath(RED, config);
  const settings = apiSettings(config, node.credentials.apiSecret);
  const server = pool.take(node.id) ?? new IotmpServer(options);
  const feed = new StateFeed({ kind: 'waiting', text: translate(RED, 'status.starting') });
  const log = new LogGate();
  const store = openStore({ memory: true });
  const services = new ServerServices(server, { store });
  const onWarning = (text: string): void => node.warn(text);
  const api = new GatewayMount(RED, { http, upgrades }, { ...settings, server, services, store, onWarning });
  node.api = api;
  const mount = new UpgradeMount(upgrades, path, server);
  const update = (): void => feed.set(serverState(RED, server, options.anonymous === true, mount.fault));
  node.link = new ServerLink(server, feed, options.devices?.[0]?.user);
  showLink(status, feed.state);
  feed.watch((state) => showLink(status, state));
  const unfollow = followServer(node, server, log, update);
  let opened = false;
  let closed = false;
  // Devices connect only when the flows are there to serve them.
  const unwatch = started.watch(() => {
    // A path that another server had may be free after a deploy.
    mount.open();
    const mounted = api.open().then(() => {
      if (api.fault !== undefined && log.isNews('api', api.fault.message)) node.warn(api.fault.message);
    });
    if (mount.fault !== undefined && log.isNews('path', mount.fault.message)) node.error(mount.fault.message);
    if (opened) update();
    else {
      opened = true;
      // Devices that were made over the API are let in from the beginning.
      const running = mounted.then(() => (closed ? undefined : openServer(server, options)));
      running.then(update, (error: unknown) => {
        node.error(nodeError(error).message);
        feed.set({ kind: 'error', text: statusReason(error) });
      });
    }
  });
  warnOfOpenDoors(RED, node, options);

  node.on('close', (removed: boolean, done: () => void) => {
    closed = true;
    unwatch();
    mount.close();
    unfollow();
    status.close();
    const end = async (): Promise<void> => {
      await api.close();
      services.close();
      await (await store).close();
      if (!removed && server.running) pool.park(node.id, server);
      else await server.close();
    };
    end().then(done, (error: unknown) => {
      node.error(nodeError(error).message);
      done();
    });
  });
}

/** A server that was left by an earlier node of the same id runs already: only what changed is restarted. */
async function openServer(server: IotmpServer, options: ServerOptions): Promise<void> {
  if (server.running) await server.configure(options);
  else await server.start();
}

/** Keeps the state of the server known, and its troubles in the log: the first of each kind, and changes. */
function followServer(node: ServerNode, server: IotmpServer, log: LogGate, update: () => void): () => void {
  const onListener = (kind: string, status: ListenerStatus): void => {
    update();
    if (status.kind === 'listening') {
      log.clear(kind);
      node.log(`${kind}: ${status.address}`);
    } else if (status.kind === 'error' && log.isNews(kind, status.error.message)) {
      node.error(status.error.message);
    }
  };
  const onWarning = (text: string): void => {
    if (log.isNews('warning', text)) node.warn(text);
  };
  server.on('connected', update);
  server.on('disconnected', update);
  server.on('listener', onListener);
  server.on('warning', onWarning);
  return () => {
    server.off('connected', update);
    server.off('disconnected', update);
    server.off('listener', onListener);
    server.off('warning', onWarning);
  };
}

function warnOfOpenDoors(RED: NodeAPI, node: ServerNode, options: ServerOptions): void {
  if (options.anonymous === true) node.warn(translate(RED, 'errors.anonymous'));
  else if ((options.devices ?? []).length === 0) node.warn(translate(RED, 'errors.unregistered'));
}
