import type { Node, NodeAPI } from 'node-red';
import {
  errorText,
  defaultClientOptions,
  detached,
  guarded,
  IotmpClient,
  type ClientOptions,
  type ClientTlsOptions,
  type IotmpError,
} from '../src';
import { ClientLink } from './lib/flow/client-link';
import { closeWith } from './lib/red/close-with';
import { showLink } from './lib/flow/flow-node';
import { FlowsStarted } from './lib/red/flows-started';
import { clientState } from './lib/flow/client-state';
import { trackUsers, type LinkNode } from './lib/flow/link';
import { LogGate } from './lib/red/log-gate';
import { statusReason } from './lib/red/node-error';
import { TlsSource } from './lib/red/tls-source';
import { StateFeed } from './lib/flow/state-feed';
import { StatusReporter } from './lib/red/status-reporter';
import { translate } from './lib/red/translate';
import { clientTable } from './settings/iotmp-client';
import { settingReader, type ConfigOf } from './settings/setting';

type ClientConfig = ConfigOf<typeof clientTable>;

interface ClientCredentials {
  credential?: string;
}

interface ClientNode extends Node<ClientCredentials>, LinkNode {
  link: ClientLink | undefined;
}

/** Time until the next login, in ms: a device may be registered, or its credential corrected, without a deploy here. */
const RETRY_REFUSED_MS = 30_000;

export = function register(RED: NodeAPI): void {
  const started = FlowsStarted.of(RED);

  RED.nodes.registerType<ClientNode, ClientConfig, object, ClientCredentials>(
    'iotmp-client',
    function (this: ClientNode, config) {
      RED.nodes.createNode(this, config);
      trackUsers(this);
      const status = new StatusReporter(this);
      try {
        run(RED, this, clientOptions(RED, config, this.credentials), status, started);
      } catch (error) {
        this.link = undefined;
        this.error(errorText(error));
        status.red(statusReason(error));
        const onFault = (fault: unknown): void => this.error(errorText(fault));
        this.on(
          'close',
          guarded('idle client close', onFault, () => status.close()),
        );
      }
    },
    { credentials: { ...clientTable.credentials } },
  );
};

function clientOptions(RED: NodeAPI, config: ClientConfig, credentials: ClientCredentials): ClientOptions {
  const read = settingReader(clientTable, config);
  const transport = read('transport');
  const tls = read('tls');
  const usesTls = (transport === 'tls' || transport === 'wss') && tls !== '';
  return {
    host: read('host'),
    port: read('port'),
    transport,
    path: read('path'),
    tls: usesTls ? clientTls(new TlsSource(RED, tls)) : undefined,
    user: read('user'),
    device: read('device'),
    credential: credentials.credential ?? '',
    keepAliveS: read('keepAlive'),
    compactStreams: read('compactStreams'),
    // Given although it is the default: the server is told, and takes a flow for no microcontroller.
    maxMessageSize: defaultClientOptions.maxMessageSize,
    retryRefusedMs: RETRY_REFUSED_MS,
  };
}

/** Reads the files for each connection, so that those that were renewed count. */
function clientTls(source: TlsSource): () => ClientTlsOptions {
  return () => source.options();
}

/** Runs the client of a node until the node closes. */
function run(
  RED: NodeAPI,
  node: ClientNode,
  options: ClientOptions,
  status: StatusReporter,
  started: FlowsStarted,
): void {
  const client = new IotmpClient(options);
  const feed = new StateFeed(clientState(RED, client));
  node.link = new ClientLink(client, feed);
  showLink(status, feed.state);
  feed.watch((state) => showLink(status, state));
  client.on('state', () => feed.set(clientState(RED, client)));
  logTroubles(RED, node, client);
  const unwatch = connectWhileUsed(node, client, started);

  closeWith(node, async () => {
    unwatch();
    status.close();
    await client.close();
  });
}

/** Logs the troubles of the client: each of them once, until the connection works again. */
function logTroubles(RED: NodeAPI, node: ClientNode, client: IotmpClient): void {
  const log = new LogGate();
  let failures = 0;
  client.on('state', (state, error) => {
    if (state === 'open') {
      failures = 0;
      log.clear('connection');
      return;
    }
    if (error === undefined) return;
    failures++;
    // A connection that was lost mostly comes back at once: only a second failure is news.
    if (failures === 1 && state !== 'refused') return;
    if (!log.isNews('connection', error.message)) return;
    node.warn(connectText(RED, client.url, error));
  });
  client.on('warning', (text) => {
    if (log.isNews('warning', text)) node.warn(text);
  });
}

/**
 * Connects after each deploy that leaves the client with users, and disconnects after one that leaves it without. It
 * waits for the end of the deploy: nodes that are only made anew are back by then, and an embedded server of the same
 * flows listens. Returns the function that ends it.
 */
function connectWhileUsed(node: ClientNode, client: IotmpClient, started: FlowsStarted): () => void {
  return started.watch(() => {
    if (Object.keys(node.users).length > 0) client.connect();
    else detached('client rests', (error) => node.error(errorText(error)), client.disconnect());
  });
}

/** Why a client is not connected, with the address said once. */
function connectText(RED: NodeAPI, address: string, { message: reason }: IotmpError): string {
  if (reason.includes(address)) return reason;
  return translate(RED, 'errors.connect', { address, reason });
}
