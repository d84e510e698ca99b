import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Journal, type WaitOptions } from './journal';

/** What the editor of a Node-RED is told over its WebSocket. */
export interface CommsEvent {
  readonly topic: string;
  readonly data: unknown;
}

/** A message that a debug node has shown in the sidebar. */
export interface DebugMessage {
  readonly nodeId: string;
  /** Name of the debug node. */
  readonly name: string;
  /** What was shown, decoded from JSON where it was an object. */
  readonly value: unknown;
}

/** The status of a node, as the editor shows it. */
export interface NodeStatusEvent {
  readonly nodeId: string;
  readonly fill: string;
  readonly shape: string;
  readonly text: string;
}

/**
 * The connection of an editor: everything that Node-RED tells it is recorded, with the retained topics (the status of
 * every node) at the beginning. Its owner closes it.
 */
export class Comms {
  readonly events = new Journal<CommsEvent>('comms', (event) => JSON.stringify(event).slice(0, 300));
  readonly debug = new Journal<DebugMessage>('debug sidebar');
  readonly statuses = new Journal<NodeStatusEvent>('node status');
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    socket.on('close', () => {
      for (const journal of [this.events, this.debug, this.statuses]) journal.end('the connection has ended');
    });
  }

  /**
   * @param url HTTP address of the editor
   * @param token of a login, where Node-RED asks for one
   */
  static async open(url: string, token?: string): Promise<Comms> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/$/, '')}/comms`);
    const comms = new Comms(socket);
    await once(socket, 'open');
    if (token !== undefined) socket.send(JSON.stringify({ auth: token }));
    for (const topic of ['status/#', 'notification/#', 'debug']) {
      socket.send(JSON.stringify({ subscribe: topic }));
    }
    return comms;
  }

  /** Waits for something that a debug node has shown; the node is given by its name, or by its id. */
  async waitForDebug(
    node: string,
    check: (value: unknown) => boolean = () => true,
    options?: WaitOptions,
  ): Promise<unknown> {
    const isMeant = ({ name, nodeId, value }: DebugMessage): boolean =>
      (name === node || nodeId === node) && check(value);
    return (await this.debug.waitFor(`debug node "${node}"`, isMeant, options)).value;
  }

  /** Waits until a node shows a status. */
  waitForStatus(
    nodeId: string,
    check: (status: NodeStatusEvent) => boolean,
    options?: WaitOptions,
  ): Promise<NodeStatusEvent> {
    const what = `status of ${nodeId}`;
    return this.statuses.waitFor(what, (status) => status.nodeId === nodeId && check(status), options);
  }

  /** What each node shows by now. */
  currentStatuses(): Map<string, NodeStatusEvent> {
    return new Map(this.statuses.entries.map((status) => [status.nodeId, status]));
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #receive(text: string): void {
    const parsed: unknown = JSON.parse(text);
    const list: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    for (const entry of list) {
      const topic = field(entry, 'topic');
      if (typeof topic !== 'string') continue;
      const data = field(entry, 'data');
      this.events.add({ topic, data });
      if (topic === 'debug') this.debug.add(debugMessage(data));
      else if (topic.startsWith('status/')) this.statuses.add(nodeStatus(topic, data));
    }
  }
}

function debugMessage(data: unknown): DebugMessage {
  return { nodeId: text(data, 'id'), name: text(data, 'name'), value: debugValue(data) };
}

/** Node-RED sends objects as JSON, and other values as text with the name of their type beside it. */
function debugValue(data: unknown): unknown {
  const value = field(data, 'msg');
  const format = text(data, 'format');
  if (typeof value !== 'string') return value;
  if (format === 'Object' || format === 'error' || format.startsWith('array')) return parseJson(value);
  if (format === 'number') return Number(value);
  if (format === 'boolean') return value === 'true';
  return format === 'null' || format === 'undefined' ? null : value;
}

function parseJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  return value;
}

function nodeStatus(topic: string, data: unknown): NodeStatusEvent {
  return {
    nodeId: topic.slice('status/'.length),
    fill: text(data, 'fill'),
    shape: text(data, 'shape'),
    text: text(data, 'text'),
  };
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}
