import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Node, NodeAPI, NodeDef, NodeInitializer, NodeMessageInFlow, NodeStatus } from 'node-red';
import helper from 'node-red-node-test-helper';
import registerCall from '../../../../nodes/iotmp-call';
import registerClient from '../../../../nodes/iotmp-client';
import registerEvents from '../../../../nodes/iotmp-events';
import registerResourceIn from '../../../../nodes/iotmp-resource-in';
import registerResourceOut from '../../../../nodes/iotmp-resource-out';
import registerResponse from '../../../../nodes/iotmp-response';
import registerServer from '../../../../nodes/iotmp-server';
import registerStream from '../../../../nodes/iotmp-stream';
import { ClientLink } from '../../../../nodes/lib/flow/client-link';
import { ServerLink } from '../../../../nodes/lib/server/server-link';
import type { ConnectedDevice, IotmpServer, ServerServices } from '../../../../src';
import { cleanUp } from '../../../support/clean-up';
import { RawDevice, type RawResource } from '../../support/raw-device';
import { Type } from '../../support/raw-message';
import { tcpWire, type RawWire } from '../../support/raw-wire';
import type { DeviceRow, NodeConfig } from './flows';
import { flowOf, PUMP } from './flows';
import { freePort } from './free-port';
import { patiently } from './patience';
import { Recording } from './recording';

export type Message = NodeMessageInFlow & { error?: CaughtError };

/** What a Catch node is told of an error. */
export interface CaughtError {
  readonly message: string;
  readonly code?: string;
  readonly cause?: unknown;
  readonly source: { readonly id: string };
}

type Initializer = NodeInitializer;

const LEVEL = { error: 20, warn: 30, info: 40 } as const;

helper.init(require.resolve('node-red'));

/** A Node-RED with the nodes of this package, one flow at a time, and the devices that a test connects to it. */
export class FlowBench {
  /** A port that nobody listens on, for the server of the test. */
  readonly port: number;
  /** What constructors threw. There is never any. */
  readonly thrown: unknown[] = [];
  readonly #boxes = new Map<string, Recording<Message>>();
  readonly #statuses = new Map<string, Recording<NodeStatus>>();
  readonly #wires: RawWire[] = [];
  readonly #extra: Initializer[];
  readonly #onStatus = ({ id, status }: { id: string; status?: NodeStatus }): void => {
    if (status !== undefined) this.statuses(id).push(status);
  };
  #RED: NodeAPI | undefined;
  #loaded = false;

  private constructor(port: number, extra: Initializer[]) {
    this.port = port;
    this.#extra = extra;
  }

  /** @param extra registers node types of the test's own */
  static async start(settings: Record<string, unknown> = {}, extra: Initializer[] = []): Promise<FlowBench> {
    const bench = new FlowBench(await freePort(), extra);
    helper.settings(settings);
    await helper.startServer();
    cleanUp(() => bench.close());
    return bench;
  }

  /** The API that the nodes were given. */
  get RED(): NodeAPI {
    assert.ok(this.#RED !== undefined, 'nothing is loaded');
    return this.#RED;
  }

  /** Port of Node-RED's HTTP server. */
  get httpPort(): number {
    return Number(new URL(helper.url()).port);
  }

  /** Starts Node-RED with a flow of these nodes. */
  async load(...nodes: readonly NodeConfig[]): Promise<void> {
    const flow = flowOf(...nodes);
    const credentials = Object.fromEntries(flow.map(({ id, credentials }) => [id, credentials ?? {}]));
    const bare = flow.map(({ credentials: _, ...node }) => node);
    this.#loaded = true;
    await helper.load(
      [
        (RED) => this.#prepare(RED),
        ...this.#extra,
        registerServer,
        registerClient,
        registerResourceIn,
        registerResponse,
        registerResourceOut,
        registerCall,
        registerStream,
        registerEvents,
      ],
      bare,
      credentials,
    );
    assert.deepEqual(this.thrown, []);
    // What keeps Node-RED from starting a flow it only prints.
    for (const { id, type, d } of flow) if (type !== 'tab' && d !== true) this.node(id);
  }

  /**
   * Deploys a flow of these nodes. As in the editor, credentials that changed are given with their node, and a
   * node that has some counts as changed.
   */
  async deploy(type: 'full' | 'flows' | 'nodes', ...nodes: readonly NodeConfig[]): Promise<void> {
    const started = once(this.RED.events, 'flows:started');
    await helper.setFlows(flowOf(...nodes), type).catch((error: unknown) => {
      // The helper begins to wait when the flows may have been started already.
      if (!(error instanceof Error && error.message === 'timeout waiting event')) throw error;
    });
    await patiently(started, () => 'the end of the deploy');
    assert.deepEqual(this.thrown, []);
  }

  node(id: string): Node {
    const node: unknown = helper.getNode(id);
    assert.ok(isNode(node), `${id} is not there`);
    return node;
  }

  /** Gives a node a message. */
  send(id: string, message: Record<string, unknown>): void {
    this.node(id).receive(message);
  }

  /** The messages that reach a sink, also over deploys. */
  box(id = 'out'): Recording<Message> {
    return ensure(this.#boxes, id, () => new Recording<Message>(`a message at ${id}`));
  }

  /** The statuses of a node, also over deploys. */
  statuses(id: string): Recording<NodeStatus> {
    return ensure(this.#statuses, id, () => new Recording<NodeStatus>(`a status of ${id}`));
  }

  /** Resolves when the status of a node is of this colour, and its text begins with this. */
  status(id: string, fill: string, text = ''): Promise<NodeStatus> {
    return this.statuses(id).latest(
      (status) => status.fill === fill && status.text?.startsWith(text) === true,
    );
  }

  /** The next error at the sink of the Catch node. */
  async error(): Promise<CaughtError & { readonly msg: Message }> {
    const msg = await this.box('errors').next();
    assert.ok(msg.error !== undefined);
    return { ...msg.error, msg };
  }

  /** Lines of the nodes of this package in the log. */
  log(level: keyof typeof LEVEL, id?: string): string[] {
    return helper
      .log()
      .args.map(([entry]) => entry)
      .filter((entry) => entry.level === LEVEL[level] && entry.type?.startsWith('iotmp-') === true)
      .filter((entry) => id === undefined || entry.id === id)
      .map((entry) => String(entry.msg));
  }

  /** The server behind a server node. */
  server(id = 'server'): IotmpServer {
    const { link } = this.node(id) as Node & { link: unknown };
    assert.ok(link instanceof ServerLink);
    return link.server;
  }

  /** What the server keeps and offers beside its devices. */
  services(id = 'server'): ServerServices {
    const { link } = this.node(id) as Node & { link: unknown };
    assert.ok(link instanceof ServerLink);
    return link.services;
  }

  /** Resolves when a listener of a server is open. */
  async listening(kind: 'tcp' | 'tls' = 'tcp', id = 'server'): Promise<number> {
    const server = this.server(id);
    for (;;) {
      const status = server.listenerStatus.get(kind);
      if (status?.kind === 'listening') return status.port;
      await patiently(once(server, 'listener'), () => `a ${kind} listener`);
    }
  }

  /** Resolves when a client node is connected. */
  async connected(id = 'client'): Promise<void> {
    const { link } = this.node(id) as Node & { link: unknown };
    assert.ok(link instanceof ClientLink);
    if (link.state.kind === 'up') return;
    const up = new Promise<void>((resolve) => {
      const end = link.watch((state) => {
        if (state.kind !== 'up') return;
        end();
        resolve();
      });
    });
    await patiently(up, () => 'the connection of the client');
  }

  /** Connects a device over TCP. The server may ask for its resources as soon as it is let in. */
  async device(
    row: Partial<DeviceRow> = {},
    resources: Readonly<Record<string, RawResource>> = {},
    port?: number,
  ): Promise<RawDevice> {
    const wire = await tcpWire(port ?? (await this.listening()));
    const device = new RawDevice(this.track(wire), { ...PUMP, ...row });
    for (const [name, resource] of Object.entries(resources)) device.resources.set(name, resource);
    device.connect();
    const answer = await device.next();
    assert.equal(answer.type, Type.OK, 'the device was not let in');
    return device;
  }

  /** Resolves with a device, as soon as the server knows it. */
  async connectedDevice(row: DeviceRow = PUMP, id = 'server'): Promise<ConnectedDevice> {
    const server = this.server(id);
    for (;;) {
      const device = server.device(row);
      if (device !== undefined) return device;
      await patiently(once(server, 'connected'), () => `${row.user}/${row.device}`);
    }
  }

  /** Has the wire cut at the end of the test. */
  track<T extends RawWire>(wire: T): T {
    this.#wires.push(wire);
    return wire;
  }

  /** Stops the flows, as Node-RED does at its own end. */
  async unload(): Promise<void> {
    if (!this.#loaded) return;
    this.#loaded = false;
    await helper.unload();
    this.#RED?.events.off('node-status', this.#onStatus);
  }

  async close(): Promise<void> {
    for (const wire of this.#wires) wire.cut();
    await this.unload();
    await helper.stopServer();
  }

  #prepare(RED: NodeAPI): void {
    this.#RED = RED;
    RED.events.on('node-status', this.#onStatus);
    // Keys and parameters instead of texts: those are for people, and change.
    Object.assign(RED, { _: shownKey });
    const registerType = RED.nodes.registerType.bind(RED.nodes) as (
      type: string,
      constructor: (this: Node, config: NodeDef) => void,
      options?: object,
    ) => void;
    const { thrown } = this;
    const watched: typeof registerType = (type, constructor, options) =>
      registerType(
        type,
        function (config) {
          try {
            constructor.call(this, config);
          } catch (error) {
            thrown.push(error);
          }
        },
        options,
      );
    Object.assign(RED.nodes, { registerType: watched });
    const box = (id: string): Recording<Message> => this.box(id);
    watched('sink', function (config) {
      RED.nodes.createNode(this, config);
      this.on('input', (message, _send, done) => {
        box(this.id).push(message);
        done();
      });
    });
  }
}

/** `status.listening(count=3)` */
function shownKey(key: string, parameters: Readonly<Record<string, unknown>> = {}): string {
  const shown = Object.entries(parameters).map(([name, value]) => `${name}=${String(value)}`);
  return key.replace(/^.*:/, '') + (shown.length > 0 ? `(${shown.join(', ')})` : '');
}

function ensure<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'receive' in value;
}
