/** Nodes of a flow, with the properties that the editor gives them. */
export type NodeConfig = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** A registered device, as a row of the server's table. */
export interface DeviceRow {
  readonly user: string;
  readonly device: string;
  readonly credential: string;
}

export const PUMP: DeviceRow = { user: 'anna', device: 'pump', credential: 'secret' };
export const LAMP: DeviceRow = { user: 'anna', device: 'lamp', credential: 'light' };

const CONFIG_TYPES = ['iotmp-server', 'iotmp-client', 'tls-config', 'mqtt-broker', 'tab'];
const THROUGH_SERVER = { via: 'server', server: 'server', client: '' };

/** A whole flow: a tab, and the nodes on it. Node-RED takes nodes without coordinates for config nodes. */
export function flowOf(...nodes: readonly NodeConfig[]): NodeConfig[] {
  const tab = { id: 'tab', type: 'tab', label: 'test', disabled: false };
  return [
    tab,
    ...nodes.map((node) => (CONFIG_TYPES.includes(node.type) ? node : { z: 'tab', x: 0, y: 0, ...node })),
  ];
}

export function devicesOf(...rows: readonly unknown[]): { devices: string } {
  return { devices: JSON.stringify(rows) };
}

/** An `iotmp-server` on a port of the loopback interface; without `credentials` it has the two devices. */
export function serverNode(tcpPort: number, properties: Readonly<Record<string, unknown>> = {}): NodeConfig {
  return {
    id: 'server',
    type: 'iotmp-server',
    name: '',
    version: 1,
    enabled: true,
    host: '127.0.0.1',
    tcpPort,
    tlsPort: '',
    tls: '',
    wsPath: '',
    anonymous: false,
    keepAlive: 60,
    maxMessageSize: 262144,
    deviceMemory: 16,
    maxConnections: 10000,
    requestTimeout: 10,
    storage: 'memory',
    api: false,
    apiPath: '',
    credentials: devicesOf(PUMP, LAMP),
    ...properties,
  };
}

/** An `iotmp-client` that is the pump. */
export function clientNode(port: number, properties: Readonly<Record<string, unknown>> = {}): NodeConfig {
  return {
    id: 'client',
    type: 'iotmp-client',
    name: '',
    version: 1,
    host: '127.0.0.1',
    port,
    transport: 'tcp',
    path: '/iotmp',
    tls: '',
    user: PUMP.user,
    device: PUMP.device,
    keepAlive: 60,
    credentials: { credential: PUMP.credential },
    ...properties,
  };
}

/** A node without its id and its outlets, which are usually `out`. */
function flowNode(type: string, defaults: Readonly<Record<string, unknown>>) {
  return (properties: Readonly<Record<string, unknown>> = {}): NodeConfig => ({
    id: type.replace('iotmp-', ''),
    type,
    name: '',
    version: 1,
    ...defaults,
    ...properties,
  });
}

export const resourceInNode = flowNode('iotmp-resource-in', {
  ...THROUGH_SERVER,
  resource: 'led',
  kind: 'input',
  reply: 'auto',
  timeout: 10,
  inSample: '',
  outSample: '',
  wires: [['out']],
});

export const responseNode = flowNode('iotmp-response', { wires: [] });

export const resourceOutNode = flowNode('iotmp-resource-out', {
  ...THROUGH_SERVER,
  resource: 'level',
  value: 'payload',
  valueType: 'msg',
  initial: '',
  wires: [],
});

export const callNode = flowNode('iotmp-call', {
  ...THROUGH_SERVER,
  user: '',
  userType: 'str',
  device: 'pump',
  deviceType: 'str',
  resource: 'level',
  resourceType: 'str',
  payload: 'payload',
  payloadType: 'msg',
  params: '',
  paramsType: 'json',
  timeout: 10,
  wires: [['out']],
});

export const streamNode = flowNode('iotmp-stream', {
  ...THROUGH_SERVER,
  user: '',
  userType: 'str',
  device: 'pump',
  deviceType: 'str',
  resource: 'level',
  resourceType: 'str',
  interval: 0,
  autostart: true,
  wires: [['out']],
});

export const eventsNode = flowNode('iotmp-events', {
  ...THROUGH_SERVER,
  events: [],
  device: '',
  wires: [['out']],
});

/** Keeps what reaches it, see `FlowBench.box`. */
export function sinkNode(id = 'out'): NodeConfig {
  return { id, type: 'sink', wires: [] };
}

/** Brings the errors of all nodes, or of some, to the sink `errors`. */
export function catchNodes(scope: readonly string[] | null = null): NodeConfig[] {
  return [
    { id: 'catcher', type: 'catch', name: '', scope, uncaught: false, wires: [['errors']] },
    sinkNode('errors'),
  ];
}

/** Brings what a node has dealt with to the sink `completed`. */
export function completeNodes(...scope: readonly string[]): NodeConfig[] {
  return [
    { id: 'completer', type: 'complete', name: '', scope, uncaught: false, wires: [['completed']] },
    sinkNode('completed'),
  ];
}
