import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseFlow, type FlowNode } from './flow';
import { Program } from './program';
import { PACK_DIRECTORY } from './user-directory';

/** A flow of the menu Import > Examples. */
export interface Example {
  /** Its place in the menu, with slashes between the levels. */
  readonly name: string;
  readonly text: string;
  readonly flow: readonly FlowNode[];
}

const DIRECTORY = join(PACK_DIRECTORY, 'examples');

/** Every example flow of the pack. */
export function readExamples(): Example[] {
  return readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(DIRECTORY, file), 'utf8');
      return { name: file.slice(0, -'.json'.length).split(sep).join('/'), text, flow: parseFlow(text) };
    });
}

/** The flow with another IoTMP port in its server, and in the client that connects to it. */
export function onPort(flow: readonly FlowNode[], port: number): FlowNode[] {
  return flow.map((node) => {
    if (node.type === 'iotmp-server') return { ...node, tcpPort: port };
    return node.type === 'iotmp-client' ? { ...node, port } : node;
  });
}

/** The config nodes of a flow: what stays, and is shared, when the flow is imported once more. */
export function configNodesOf(flow: readonly FlowNode[]): FlowNode[] {
  return flow.filter(({ type }) => type === 'iotmp-server' || type === 'iotmp-client');
}

/** The id of a node of an example. */
export function nodeId({ name, flow }: Example, type: string, nodeName: string): string {
  const node = flow.find((candidate) => candidate.type === type && candidate.name === nodeName);
  if (node === undefined) throw new Error(`${name} has no ${type} node "${nodeName}"`);
  return node.id;
}

/** A program that plays a device; its defaults are those of the demo. */
export function deviceProgram(
  device: 'weather-station' | 'relay-board',
  env: Readonly<Record<string, string>>,
): Program {
  const file = join(PACK_DIRECTORY, 'dist/examples/demo', `${device}.js`);
  return new Program({ name: device, file, env });
}

/** All flows in one: nodes of the same id, which are the config nodes, are there once. */
export function mergeFlows(flows: readonly (readonly FlowNode[])[]): FlowNode[] {
  return [...new Map(flows.flat().map((node) => [node.id, node])).values()];
}
