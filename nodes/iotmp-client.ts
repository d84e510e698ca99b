import type { Node, NodeAPI, NodeDef } from 'node-red';
import { IotmpClient, type ClientOptions, type ClientState, type IotmpError } from '../src';
import { ClientLink } from './lib/client-link';
import { showLink } from './lib/flow-node';
import type { LinkNode, LinkState } from './lib/link';
import { LogGate } from './lib/log-gate';
import { nodeError } from './lib/node-error';
import { tlsSettings } from './lib/server-settings';
import { choiceSetting, numberSetting, portSetting, textSetting } from './lib/settings';
import { StateFeed } from './lib/state-feed';
import { StatusReporter } from './lib/status-reporter';
import { translate } from './lib/translate';

interface ClientConfig extends NodeDef {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly transport?: unknown;
  readonly path?: unknown;
  readonly tls?: unknown;
  readonly user?: unknown;
  readonly device?: unknown;
  readonly keepAlive?: unknown;
}

interface ClientCredentials {
  credential?: string;
}

interface ClientNode extends Node<ClientCredentials>, LinkNode {
  link: ClientLink | undefined;
  /** Core hands the status and the errors of a config node on to the flows of these. */
  users: Record<string, Node>;
}

/** What a flow's device accepts, told to our own server: flows have more room than microcontrollers. */
const MAX_MESSAGE_SIZE = 262_144;

export = function register(RED: NodeAPI): void {
  RED.nodes.registerType<ClientNode, ClientConfig, object, ClientCredentials>(
    'iotmp-client',
    function (this: ClientNode, config) {
      RED.nodes.createNode(this, config);
      this.users = {};
      const status = new StatusReporter(this);
      try {
        run(RED, this, clientOptions(RED, config, this.credentials), status);
      } catch (error) {
        this.link = undefined;
        this.error(nodeError(error).message);
        status.red(translate(RED, 'status.invalid'));
        this.on('close', () => status.close());
      }
    },
    { credentials: { credential: { type: 'password' } } },
  );
};

function clientOptions(RED: NodeAPI, config: ClientConfig, credentials: ClientCredentials): ClientOptions {
  const transport = choiceSetting('transport', config.transport, ['tcp', 'tls', 'ws', 'wss'], 'tcp');
  const usesTls = (transport === 'tls' || transport === 'wss') && textSetting(config.tls) !== '';
  return {
    host: textSetting(config.host),
    port: portSetting('port', config.port),
    transport,
    path: textSetting(config.path) || '/iotmp',
    tls: usesTls ? tlsSettings(RED, config.tls) : undefined,
    user: textSetting(config.user),
    device: textSetting(config.device),
    credential: credentials.credential ?? '',
    keepAliveS: numberSetting('keepAlive', config.keepAlive, { min: 1, max: 1800, fallback: 60 }),
    maxMessageSize: MAX_MESSAGE_SIZE,
  };
}

/** Runs the client of a node: it connects when the first flow node uses it, and until the node closes. */
function run(RED: NodeAPI, node: ClientNode, options: ClientOptions, status: StatusReporter): void {
  const client = new IotmpClient(options);
  const feed = new StateFeed(stateOf(RED, 'idle', undefined));
  const log = new LogGate();
  node.link = new ClientLink(client, feed);
  feed.watch((state) => showLink(status, state));
  let failures = 0;
  client.on('state', (state, error) => {
    feed.set(stateOf(RED, state, error));
    if (state === 'open') {
      failures = 0;
      log.clear('connection');
    } else if (error !== undefined) {
      failures++;
      // The first attempt may come before the server of the same flows listens: only a second one is news.
      const isNews = (failures > 1 || state === 'refused') && log.isNews('connection', error.message);
      if (isNews) node.warn(translate(RED, 'errors.connect', { address: client.url, reason: error.message }));
    }
  });
  client.on('warning', (text) => {
    if (log.isNews('warning', text)) node.warn(text);
  });
  const start = connectWhileUsed(node, client);
  // An embedded server of the same flows listens by then.
  RED.events.once('flows:started', start);

  node.on('close', (_removed: boolean, done: () => void) => {
    RED.events.off('flows:started', start);
    status.close();
    client.close().then(done, (error: unknown) => {
      node.error(nodeError(error).message);
      done();
    });
  });
}

/**
 * Connects when the first flow node uses the client, and rests when the last one was removed: not when it is
 * only made anew by a deploy. Returns the function that begins.
 */
function connectWhileUsed(node: ClientNode, client: IotmpClient): () => void {
  let begun = false;
  const isUsed = (): boolean => Object.keys(node.users).length > 0;
  node.register = (user): void => {
    node.users[user.id] = user;
    if (begun) client.connect();
  };
  node.deregister = (user, removed): void => {
    Reflect.deleteProperty(node.users, user.id);
    if (removed && !isUsed()) void client.disconnect();
  };
  return () => {
    begun = true;
    if (isUsed()) client.connect();
  };
}

function stateOf(RED: NodeAPI, state: ClientState, error: IotmpError | undefined): LinkState {
  switch (state) {
    case 'open':
      return { kind: 'up', text: translate(RED, 'status.connected') };
    case 'refused':
      return { kind: 'error', text: error?.message ?? translate(RED, 'status.refused') };
    case 'closed':
      return { kind: 'off', text: translate(RED, 'status.disconnected') };
    default:
      return { kind: 'waiting', text: translate(RED, 'status.connecting') };
  }
}
