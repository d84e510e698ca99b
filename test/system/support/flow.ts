import { randomBytes } from 'node:crypto';

/** A node of a flow file, of which nothing is known but what every node has. */
export interface FlowNode extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly type: string;
}

/** Credentials by the id of their node, as in a `flows_cred.json` that is not encrypted. */
export type Credentials = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** A device of the table of an `iotmp-server` node. */
export interface TableEntry {
  readonly user: string;
  readonly device: string;
  readonly credential: string;
}

/**
 * Reads the text of a flow file.
 * @throws Error when it is not a list of nodes
 */
export function parseFlow(text: string): FlowNode[] {
  const list: unknown = JSON.parse(text);
  if (Array.isArray(list) && list.every(isFlowNode)) return list;
  throw new Error('a flow file is a list of nodes with id and type');
}

/** The device table of a server node, as its credentials hold it. */
export function deviceTable(devices: readonly TableEntry[]): { devices: string } {
  return { devices: JSON.stringify(devices) };
}

/** Nodes that stand on a flow or a subflow, unlike tabs, groups and config nodes. */
export function isPlaced(node: FlowNode): boolean {
  return 'wires' in node && 'x' in node;
}

/**
 * The nodes with new ids, and with every reference to them changed alike: a copy, as an editor imports it.
 * @param keep ids of nodes that are there already, such as config nodes: they are left out, and references to them stay
 */
export function withFreshIds(flow: readonly FlowNode[], keep: ReadonlySet<string> = new Set()): FlowNode[] {
  const ids = new Map(
    flow.filter(({ id }) => !keep.has(id)).map(({ id }) => [id, randomBytes(8).toString('hex')]),
  );
  const copy = flow.filter(({ id }) => !keep.has(id));
  const renew = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? (ids.get(value) ?? value) : value;
  return parseFlow(JSON.stringify(copy, renew));
}

function isFlowNode(value: unknown): value is FlowNode {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('type' in value)) return false;
  return typeof value.id === 'string' && typeof value.type === 'string';
}
