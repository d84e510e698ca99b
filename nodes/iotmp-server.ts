import type { Node, NodeAPI } from 'node-red';
import { IotmpServer, type ListenerStatus, type ServerOptions } from '../src';
import { mountAdminApi } from './lib/admin-api';
import { BrokerPool } from './lib/broker-pool';
import { showLink } from './lib/flow-node';
import { FlowsStarted } from './lib/flows-started';
import type { LinkNode } from './lib/link';
import { LogGate } from './lib/log-gate';
import { mountMqttBridge } from './lib/mqtt-bridge';
import { nodeError, statusReason } from './lib/node-error';
import { ServerLink } from './lib/server-link';
import { closeServer, servicesOf } from './lib/server-services-of';
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
import { translate } from './lib/translate';
import { UpgradeMount } from './lib/upgrade-mount';
import { UpgradeRouter } from './lib/upgrade-router';

interface ServerNode extends Node<ServerCredentials>, LinkNode {
  link: ServerLink | undefined;
  /** Core hands the status and the errors of a config node on to the flows of these. */
  users: Record<string, Node>;
}

/** What all servers of a Node-RED share. */
interface Shared {
  readonly pool: BrokerPool;
  readonly upgrades: UpgradeRouter;
  readonly started: FlowsStarted;
}

export = function register(RED: NodeAPI): void {
  const shared: Shared = {
    pool: new BrokerPool(RED),
    upgrades: new UpgradeRouter(RED),
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
  { pool, upgrades, started }: Shared,
): void {
  const options = serverSettings(RED, config, node.credentials, (text) => node.warn(text));
  const path = webSocketPath(RED, config);
  const server = pool.take(node.id) ?? new IotmpServer(options);
  const feed = new StateFeed({ kind: 'waiting', text: translate(RED, 'status.starting') });
  const log = new LogGate();
  const mount = new UpgradeMount(upgrades, path, server);
  const services = servicesOf(server);
  const firstUser = options.devices?.[0]?.user;
  const mqtt = mountMqttBridge(RED, config, {
    id: node.id,
    topics: services.topics,
    user: firstUser ?? server.defaultUser,
    warn: (text) => {
      if (log.isNews('mqtt', text)) node.warn(text);
    },
  });
  if (mqtt.fault !== undefined) node.error(mqtt.fault.message);
  const update = (): void =>
    feed.set(serverState(RED, server, options.anonymous === true, mount.fault ?? mqtt.fault));
  node.link = new ServerLink(server, services, feed, firstUser);
  showLink(status, feed.state);
  feed.watch((state) => showLink(status, state));
  const unfollow = followServer(node, server, log, update);
  let opened = false;
  // Devices connect only when the flows are there to serve them.
  const unwatch = started.watch(() => {
    // A path that another server had may be free after a deploy.
    mount.open();
    if (mount.fault !== undefined && log.isNews('path', mount.fault.message)) node.error(mount.fault.message);
    if (opened) update();
    else {
      opened = true;
      openServer(server, options).then(update, (error: unknown) => {
        node.error(nodeError(error).message);
        feed.set({ kind: 'error', text: statusReason(error) });
      });
    }
  });
  warnOfOpenDoors(RED, node, options);

  node.on('close', (removed: boolean, done: () => void) => {
    unwatch();
    mount.close();
    unfollow();
    status.close();
    const isKept = !removed && server.running;
    if (isKept) pool.park(node.id, server);
    const ends = [mqtt.close(removed), isKept ? Promise.resolve() : closeServer(server)];
    Promise.all(ends).then(
      () => done(),
      (error: unknown) => {
        node.error(nodeError(error).message);
        done();
      },
    );
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
