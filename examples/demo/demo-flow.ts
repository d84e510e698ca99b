import { DEMO_DEVICES, DEMO_PORT } from './demo-devices';
import { portNumber } from './port-number';

/** The config nodes of the demo flow, which all examples share. */
const SERVER_ID = 'c0de5e4e40000001';
const CLIENT_ID = 'c0dec11e40000001';

type FlowNode = Record<string, unknown>;

/**
 * Reads the text of a flow file.
 * @throws Error when it is not a list of nodes
 */
function parseFlow(text: string): FlowNode[] {
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every(isNode)) return list;
  throw new Error('the flow file is not a list of nodes');
}

function isNode(value: unknown): value is FlowNode {
  return typeof value === 'object' && value !== null && 'id' in value;
}

/** The text of a flow file with the IoTMP port of its server, and of the client that connects to it, changed. */
export function withPort(text: string, port: number): string {
  const nodes = parseFlow(text).map((node) => {
    if (node.id === SERVER_ID) return { ...node, tcpPort: port };
    return node.id === CLIENT_ID ? { ...node, port } : node;
  });
  return `${JSON.stringify(nodes, null, 4)}\n`;
}

/** The IoTMP port of the demo's server in the text of a flow file; the usual one where it names none. */
export function portOf(text: string): number {
  const server = parseFlow(text).find(({ id }) => id === SERVER_ID);
  try {
    return portNumber(String(server?.tcpPort));
  } catch {
    return DEMO_PORT;
  }
}

/** The text of the credentials file for the demo flow: who may connect, and as whom the flow itself does. */
export function credentialsFile(): string {
  const credentials = {
    [SERVER_ID]: { devices: JSON.stringify(Object.values(DEMO_DEVICES)) },
    [CLIENT_ID]: { credential: DEMO_DEVICES.greenhouse.credential },
  };
  return `${JSON.stringify(credentials, null, 4)}\n`;
}
