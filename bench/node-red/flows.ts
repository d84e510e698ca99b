import { iotmpOptions } from '../harness/iotmp-options';
import { credentialOf, deviceName, forDevices, USER } from '../wire/device-names';
import { FLOW_PATH } from '../wire/http-wire';
import { RESOURCE } from '../wire/iotmp-wire';
import { callTopic, KEYED_REPLIES, REPLY_TOPIC, SAMPLES } from '../wire/mqtt-wire';
import { PROBE } from './flow-probe';

/** A node as flow files hold it. */
export interface FlowNode extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly type: string;
}

/** What a user directory needs to run a flow. */
export interface FlowFiles {
  readonly flows: readonly FlowNode[];
  readonly credentials: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The flow works when this node shows a green status, */
  readonly readyNode?: string;
  /** or when this port of the machine is open; without either, at once. */
  readonly readyPort?: number;
  /** Whether the HTTP server of Node-RED listens. */
  readonly servesHttp?: boolean;
}

const TAB = { id: 'tab', type: 'tab', label: 'bench', disabled: false };
const PLACE = { z: 'tab', x: 100, y: 100 };
const BROKER = '127.0.0.1';

/** Takes the samples, as a user's function would, and passes them on to a debug node that is switched off. */
const ending: readonly FlowNode[] = [
  functionNode('count', `if (msg.payload.temperature > 0) global.get('${PROBE}').received++;\nreturn msg;`, {
    wires: [['debug']],
  }),
  { id: 'debug', type: 'debug', ...PLACE, active: false, tosidebar: true, complete: 'payload', wires: [] },
];

/** An embedded server; each device has a stream node, and the first one a node that calls it. */
export function iotmpFlow(devices: number, port: number): FlowFiles {
  const link = { ...PLACE, via: 'server', server: 'server', user: USER, resource: RESOURCE };
  const server = { id: 'server', type: 'iotmp-server', host: BROKER, tcpPort: port, wsPath: '', api: false };
  const streams = forDevices(devices, (index) => ({
    id: `stream-${index}`,
    type: 'iotmp-stream',
    ...link,
    device: deviceName(index),
    interval: 0,
    autostart: true,
    wires: [['count']],
  }));
  const call = { id: 'call', type: 'iotmp-call', ...link, device: deviceName(0), timeout: 10 };
  return {
    flows: [
      TAB,
      server,
      ...streams,
      ...ending,
      caller("{ key, payload: '' }", 'call'),
      { ...call, payload: '', payloadType: 'str', wires: [['answer']] },
      functionNode('answer', answerWith('msg.key')),
    ],
    credentials: { server: { devices: JSON.stringify(iotmpOptions({ devices }).devices) } },
    readyPort: port,
  };
}

/** Core nodes, with a broker that takes Node-RED for one device more. */
export function mqttFlow(devices: number, port: number): FlowFiles {
  const broker = {
    id: 'broker',
    type: 'mqtt-broker',
    broker: BROKER,
    port,
    clientid: deviceName(devices),
    autoConnect: true,
    usetls: false,
    protocolVersion: '4',
    keepalive: '60',
    cleansession: true,
    autoUnsubscribe: true,
  };
  const input = { type: 'mqtt in', ...PLACE, broker: 'broker', qos: '0', datatype: 'json', inputs: 0 };
  const output = { type: 'mqtt out', ...PLACE, broker: 'broker', qos: '0', retain: 'false', wires: [] };
  return {
    flows: [
      TAB,
      broker,
      { id: 'samples', ...input, topic: SAMPLES, wires: [['count']] },
      ...ending,
      caller('{ payload: key }', 'call'),
      { id: 'call', ...output, topic: callTopic(0) },
      { id: 'replies', ...input, topic: KEYED_REPLIES, wires: [['answer']] },
      functionNode('answer', answerWith(`msg.topic.slice(${REPLY_TOPIC.length + 1})`)),
    ],
    credentials: { broker: { user: USER, password: credentialOf(devices) } },
    readyNode: 'replies',
  };
}

/** Core nodes that answer an HTTP request with what a device of an embedded server answers. */
export function httpFlow(devices: number, port: number): FlowFiles {
  const { flows, ...rest } = iotmpFlow(devices, port);
  const server = flows.filter(({ type }) => type === 'iotmp-server');
  const call = flows.filter(({ type }) => type === 'iotmp-call');
  return {
    ...rest,
    flows: [
      TAB,
      ...server,
      { id: 'in', type: 'http in', ...PLACE, url: FLOW_PATH, method: 'get', wires: [['call']] },
      ...call.map((node) => ({ ...node, wires: [['out']] })),
      { id: 'out', type: 'http response', ...PLACE, statusCode: '', headers: {}, wires: [] },
    ],
    servesHttp: true,
  };
}

/** Nothing but Node-RED: a function sends the samples. */
export function aloneFlow(): FlowFiles {
  const initialize = `global.get('${PROBE}').send = (message) => node.send(message, false);`;
  return {
    flows: [TAB, functionNode('feed', '', { initialize, wires: [['count']] }), ...ending],
    credentials: {},
  };
}

/** A function that sends a message when a call is to be made. */
function caller(message: string, target: string): FlowNode {
  const initialize = `global.get('${PROBE}').call = (key) => node.send(${message}, false);`;
  return functionNode('caller', '', { initialize, wires: [[target]] });
}

/** The answer counts when it has the value, like a sample. */
function answerWith(key: string): string {
  return `if (msg.payload.temperature > 0) global.get('${PROBE}').answer(${key});`;
}

function functionNode(id: string, func: string, more: Readonly<Record<string, unknown>> = {}): FlowNode {
  return { id, type: 'function', ...PLACE, func, outputs: 1, timeout: 0, libs: [], wires: [[]], ...more };
}
