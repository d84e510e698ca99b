import type { NodeAPI } from 'node-red';
import { guarded, warnProcess } from '../../../src';

/** Properties with the paths of core nodes that serve some. */
const PATH_PROPERTIES: ReadonlyMap<unknown, string> = new Map([
  ['http in', 'url'],
  ['websocket-listener', 'path'],
]);

/**
 * Whether a node of a flow may serve a path of Node-RED's HTTP server. Of a path with parameters, such as `/v1/:name`, the
 * part before them decides.
 */
export function isServedByFlow(RED: NodeAPI, path: string): boolean {
  const asked = segmentsOf(path);
  const root = segmentsOf(String(RED.settings.httpNodeRoot ?? ''));
  let isServed = false;
  const look = guarded('paths of flows', warnProcess, (config: object) => {
    const property = PATH_PROPERTIES.get(Reflect.get(config, 'type'));
    if (property === undefined || Reflect.get(config, 'd') === true) return;
    const served: unknown = Reflect.get(config, property);
    if (typeof served !== 'string') return;
    isServed ||= mayServe([...root, ...segmentsOf(served)], asked);
  });
  RED.nodes.eachNode(look);
  return isServed;
}

function segmentsOf(path: string): string[] {
  const [plain = ''] = path.split('?', 1);
  return plain.split('/').filter((segment) => segment !== '');
}

function mayServe(served: readonly string[], asked: readonly string[]): boolean {
  const open = served.findIndex((segment) => /[:*?+(]/.test(segment));
  if (open < 0 && served.length !== asked.length) return false;
  const fixed = open < 0 ? served : served.slice(0, open);
  return fixed.every((segment, index) => segment === asked[index]);
}
