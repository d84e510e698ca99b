import type { Node, NodeAPI } from 'node-red';
import { IotmpServer, type ListenerStatus, type ServerOptions } from '../src';
import { mountAdminApi } from './lib/admin-api';
import { BrokerPool } from './lib/broker-pool';
import type { LinkNode } from './lib/link';
import { LogGate } from './lib/log-gate';
import { nodeError } from './lib/node-error';
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
import { showLink } from './lib/flow-node';
import { translate } from './lib/translate';
import { UpgradeRouter } from './lib/upgrade-router';

interface ServerNode extends Node<ServerCredentials>, LinkNode {
  link: ServerLink | undefined;
  /** Core hands the status and the errors of a config node on to the flows of these. */
  users: Record<string, Node>;
}

export = function register(RED: NodeAPI): void {
  const pool = new BrokerPool(RED);
  const upgrades = new UpgradeRouter(RED.server);

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
        if (booleanSetting(config.enabled, true)) run(RED, this, config, status, pool, upgrades);
        else idle(this, status, translate(RED, 'status.disabled'));
      } catch (error) {
        const { message } = nodeError(error);
        this.error(message);
        this.link = undefined;
        status.red(translate(RED, 'status.invalid'));
        this.on('close', () => status.close());
      }
    },
    { credentials: { devices: { type: 'text' }, apiSecret: { type: 'password' } } },
  );
  mountAdminApi(RED);
};

/** A server that is switched off: nodes that use it say so. */
function idle(node: ServerNode, status: StatusReporter, text: string): void {
  node.link = undefined;
  status.grey(text);
  node.on('close', () => status.close());
}

/** Runs the server of a node until the node closes. */
function run(
  RED: NodeAPI,
  node: ServerNode,
  config: ServerConfig,
  status: StatusReporter,
  pool: BrokerPool,
  upgrades: UpgradeRouter,
): void {
  const options = serverSettings(RED, config, node.credentials);
  const path = webSocketPath(RED, config);
  const server = pool.take(node.id) ?? new IotmpServer(options);
  const feed = new StateFeed({ kind: 'waiting', text: translate(RED, 'status.starting') });
  node.link = new ServerLink(server, feed);
  const unfollow = followServer(RED, node, server, feed, options.anonymous === true);
  const unwatch = feed.watch((state) => showLink(status, state));
  const unmount =
    path === ''
      ? (): void => undefined
      : upgrades.mount(path, (request, socket, head) => server.handleUpgrade(request, socket, head));
  // Devices connect only when the flows are there to serve them.
  const open = (): void => {
    openServer(server, options)
      .then(() => feed.set(serverState(RED, server, options.anonymous === true)))
      .catch((error: unknown) => node.error(nodeError(error).message));
  };
  RED.events.once('flows:started', open);
  warnOfOpenDoors(RED, node, options);

  node.on('close', (removed: boolean, done: () => void) => {
    RED.events.off('flows:started', open);
    unmount();
    unfollow();
    unwatch();
    status.close();
    if (!removed && server.running) {
      pool.park(node.id, server);
      done();
      return;
    }
    server.close().then(done, (error: unknown) => {
      node.error(nodeError(error).message);
      done();
    });
  });
}

/** A server that was left by an earlier node of the same id runs already: only what changed is restarted. */
async function openServer(server: IotmpServer, options: ServerOptions): Promise<void> {
  await server.configure(options);
  if (!server.running) await server.start();
}

/** Keeps the state of the server known, and its troubles in the log: the first of each kind, and changes. */
function followServer(
  RED: NodeAPI,
  node: ServerNode,
  server: IotmpServer,
  feed: StateFeed,
  anonymous: boolean,
): () => void {
  const log = new LogGate();
  const update = (): void => feed.set(serverState(RED, server, anonymous));
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
