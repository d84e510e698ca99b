import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { PACK_DIRECTORY } from './user-directory';

/** What the editor knows of a node type: that of its `registerType`. */
export interface NodeDefinition {
  readonly type: string;
  readonly isConfig: boolean;
  /** Names of the properties that are stored in flow files. */
  readonly properties: readonly string[];
  readonly credentials: readonly string[];
}

const SCRIPT = /<script type="text\/javascript">([\s\S]*?)<\/script>/g;

/** The definitions of every node of the pack, as its html files give them to the editor. */
export function readDefinitions(): NodeDefinition[] {
  return nodeFiles().flatMap((file) => {
    const found: NodeDefinition[] = [];
    const register = (type: string, definition: Record<string, unknown>): void => {
      found.push({
        type,
        isConfig: definition.category === 'config',
        properties: Object.keys(definition.defaults ?? {}),
        credentials: Object.keys(definition.credentials ?? {}),
      });
    };
    const context = createContext({ RED: { _: (key: string) => key, nodes: { registerType: register } } });
    const html = readFileSync(join(PACK_DIRECTORY, file), 'utf8');
    for (const [, script = ''] of html.matchAll(SCRIPT)) runInContext(script, context);
    return found;
  });
}

/** The html files of the nodes, as the build has made them. */
function nodeFiles(): string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(PACK_DIRECTORY, 'package.json'), 'utf8'));
  const nodes = member(member(manifest, 'node-red'), 'nodes');
  if (typeof nodes !== 'object' || nodes === null) throw new Error('package.json names no nodes');
  return Object.values(nodes).map((file) => String(file).replace(/\.js$/, '.html'));
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}
