import type { NodeAPI, NodeStatus } from 'node-red';
import {
  errorText,
  guarded,
  IotmpError,
  type BridgeLink,
  type FaultHandler,
  type Topics,
} from '../../../src';
import { nodeError } from '../red/node-error';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader } from '../../settings/setting';
import type { ServerConfig } from './server-settings';
import { translate } from '../red/translate';

/** Maximum number of messages that the core node may be sending at once. */
const MAX_PENDING = 1000;

/** The part of a server that its bridge uses. */
export interface MqttBridgePort {
  /** The name of the subscription at the core node. */
  readonly id: string;
  readonly topics: Topics;
  /** The user whose topics are bridged if the prefix names no user. */
  readonly user: string;
  warn(text: string): void;
}

interface MqttMessage {
  topic: string;
  payload: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
}

/** A user of the core broker node, which gets the state of the connection. */
interface MqttUser {
  readonly id: string;
  status(status: NodeStatus): void;
}

/** A core `mqtt-broker` node, as the core nodes for MQTT use it. */
interface MqttBrokerNode {
  readonly connected?: unknown;
  readonly options?: { readonly protocolVersion?: unknown };
  register(user: MqttUser): void;
  deregister(user: MqttUser, done: () => void, removed: boolean): void;
  subscribe(
    topic: string,
    options: { qos: 0; rap: true },
    callback: (topic: string, payload: Uint8Array, packet?: { retain?: unknown }) => void,
    ref: string,
  ): void;
  unsubscribe(topic: string, ref: string, removed: boolean): void;
  publish(message: MqttMessage, done: (error?: unknown) => void): void;
}

/** The bridge of a node, if the node has one. */
export interface MqttMount {
  /** The reason for a missing bridge, if the node asks for one. */
  readonly fault: Error | undefined;
  /** @param removed whether the node was deleted, and not only restarted by a deploy */
  close(removed: boolean): Promise<void>;
}

/** Opens the bridge of a node. A fault is reported and not thrown, so that the server runs without its bridge. */
export function mountMqttBridge(RED: NodeAPI, config: ServerConfig, port: MqttBridgePort): MqttMount {
  try {
    const bridge = MqttBridge.open(RED, config, port);
    return { fault: undefined, close: async (removed) => bridge?.close(removed) };
  } catch (error) {
    return { fault: nodeError(error), close: () => Promise.resolve() };
  }
}

/** Connects the topics of a server with an MQTT broker, through the connection of a core `mqtt-broker` node. */
class MqttBridge {
  readonly #broker: MqttBrokerNode;
  readonly #port: MqttBridgePort;
  readonly #user: MqttUser;
  readonly #link: BridgeLink;
  readonly #onFault: FaultHandler;
  #pending = 0;
  /** Counts the connections. The core node does not report the messages of an earlier connection any more. */
  #epoch = 0;

  /**
   * Makes the bridge that the properties of a node ask for; `undefined` if they ask for none.
   * @throws IotmpError IOTMP_ERR_CONFIG if the broker node is missing, or the prefix is bad
   */
  static open(RED: NodeAPI, config: ServerConfig, port: MqttBridgePort): MqttBridge | undefined {
    const read = settingReader(serverTable, config);
    const id = read('mqtt');
    if (id === '') return undefined;
    const broker: unknown = RED.nodes.getNode(id);
    if (!isMqttBroker(broker)) throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.mqttMissing'));
    const prefix = prefixOf(read('mqttPrefix'));
    if (port.user === '' && !prefix.includes('{user}')) {
      throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.mqttNoUser'));
    }
    return new MqttBridge(broker, prefix, port);
  }

  private constructor(broker: MqttBrokerNode, prefix: string, port: MqttBridgePort) {
    this.#broker = broker;
    this.#port = port;
    const onFault = (error: unknown): void => port.warn(`MQTT: ${errorText(error)}`);
    this.#onFault = onFault;
    this.#user = {
      id: port.id,
      status: guarded('MQTT status', onFault, (status: NodeStatus) => this.#handleStatus(status)),
    };
    // Without "no local" of MQTT 5: other nodes publish through the same connection, and their messages must get here.
    this.#link = port.topics.attachBridge(
      {
        // The core node drops messages that it cannot send, without an error.
        get connected() {
          return broker.connected === true;
        },
        publish: (topic, payload, { retain, qos }) => this.#publish({ topic, payload, qos, retain }),
        ...(broker.options?.protocolVersion !== 5 && { askRetained: (topic) => this.#askRetained(topic) }),
      },
      { prefix, ...(prefix.includes('{user}') ? {} : { user: port.user }) },
    );
    broker.register(this.#user);
    broker.subscribe(
      this.#link.filter,
      { qos: 0, rap: true },
      guarded('MQTT message', onFault, (topic: string, payload: Uint8Array, packet?: { retain?: unknown }) =>
        this.#link.receive(topic, payload, { retain: packet?.retain === true }),
      ),
      port.id,
    );
  }

  async close(removed: boolean): Promise<void> {
    this.#link.detach();
    this.#broker.unsubscribe(this.#link.filter, this.#port.id, removed);
    await new Promise<void>((resolve) =>
      this.#broker.deregister(this.#user, guarded('MQTT deregistered', this.#onFault, resolve), removed),
    );
  }

  /** With a subscription of its own to a topic, the broker sends its retained message again. The bridge hears of it. */
  #askRetained(topic: string): () => void {
    const ref = `${this.#port.id} retained`;
    const ignore = guarded('MQTT retained', this.#onFault, () => undefined);
    this.#broker.subscribe(topic, { qos: 0, rap: true }, ignore, ref);
    return () => this.#broker.unsubscribe(topic, ref, true);
  }

  #publish(message: MqttMessage): void {
    if (this.#pending >= MAX_PENDING) {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many messages wait for the MQTT broker');
    }
    const epoch = this.#epoch;
    this.#pending++;
    const onPublished = guarded('MQTT published', this.#onFault, (error?: unknown) => {
      if (epoch === this.#epoch) this.#pending--;
      if (error !== undefined && error !== null) this.#onFault(error);
    });
    this.#broker.publish(message, onPublished);
  }

  #handleStatus({ fill }: NodeStatus): void {
    if (fill === 'green') {
      this.#link.resume();
      return;
    }
    this.#epoch++;
    this.#pending = 0;
  }
}

function prefixOf(prefix: string): string {
  return prefix.endsWith('/') ? prefix : `${prefix}/`;
}

function isMqttBroker(node: unknown): node is MqttBrokerNode {
  if (typeof node !== 'object' || node === null) return false;
  const fields = new Map<string, unknown>(Object.entries(node));
  return ['register', 'deregister', 'subscribe', 'unsubscribe', 'publish'].every(
    (name) => typeof fields.get(name) === 'function',
  );
}
