import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Node, NodeAPI } from 'node-red';
import { guarded, IotmpError, warnProcess, type TlsOptions } from '../../../src';
import { translate } from './translate';

/** Options of TLS that a `tls-config` node can read from files, with the property that has the path. */
const FILES = { cert: 'cert', key: 'key', ca: 'ca', pfx: 'p12' } as const;
type FileOption = keyof typeof FILES;

/** Time between two looks at the files, in ms. */
const LOOK_MS = 1500;

/** A core `tls-config` node. */
interface TlsNode extends Node {
  addTLSOptions(options: TlsOptions): TlsOptions;
}

/**
 * Keys and certificates of a core `tls-config` node. The core node reads its files once, when it is made; this reads them
 * each time, so that certificates that were renewed on the disk count.
 */
export class TlsSource {
  readonly #node: TlsNode;
  readonly #files: ReadonlyMap<FileOption, string>;

  /** @throws IotmpError IOTMP_ERR_CONFIG where there is no such node */
  constructor(RED: NodeAPI, id: string) {
    const node: unknown = id === '' ? undefined : RED.nodes.getNode(id);
    if (!isTlsNode(node)) throw new IotmpError('IOTMP_ERR_CONFIG', translate(RED, 'errors.tlsMissing'));
    this.#node = node;
    this.#files = filesOf(RED, node);
  }

  /** The options now. Where a file cannot be read, it is as the core node has read it. */
  options(): TlsOptions {
    const options = this.#node.addTLSOptions({});
    const read = [...this.#files].flatMap(([option, path]): [FileOption, Buffer][] => {
      const bytes = contentOf(path);
      return bytes === undefined || options[option] === undefined ? [] : [[option, bytes]];
    });
    return { ...options, ...Object.fromEntries(read) };
  }

  /** Calls back when one of the files has changed; returns the function that ends it. */
  watch(onChange: () => void): () => void {
    const listener = guarded('TLS files', warnProcess, onChange);
    const paths = [...this.#files.values()];
    for (const path of paths) watchFile(path, { interval: LOOK_MS, persistent: false }, listener);
    return () => {
      for (const path of paths) unwatchFile(path, listener);
    };
  }
}

/** The paths that the configuration of a `tls-config` node has: the core node keeps only what was in the files. */
function filesOf(RED: NodeAPI, node: TlsNode): ReadonlyMap<FileOption, string> {
  const files = new Map<FileOption, string>();
  const add = guarded('TLS configuration', warnProcess, (config: object) => {
    if (Reflect.get(config, 'id') !== node.id) return;
    for (const [option, property] of Object.entries(FILES)) {
      const path: unknown = Reflect.get(config, property);
      if (isFileOption(option) && typeof path === 'string') files.set(option, pathOf(RED, node, path.trim()));
    }
  });
  RED.nodes.eachNode(add);
  for (const [option, path] of files) if (path === '') files.delete(option);
  return files;
}

/** Core puts environment variables in place of a whole `${NAME}`. */
function pathOf(RED: NodeAPI, node: Node, path: string): string {
  if (!/^\$\{[^}]+\}$/.test(path)) return path;
  const value: unknown = RED.util.evaluateNodeProperty(path, 'env', node, {});
  return typeof value === 'string' ? value.trim() : '';
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined; // A file that is being replaced: what was read before stays.
  }
}

function isFileOption(option: string): option is FileOption {
  return Object.hasOwn(FILES, option);
}

function isTlsNode(node: unknown): node is TlsNode {
  return (
    typeof node === 'object' &&
    node !== null &&
    'addTLSOptions' in node &&
    typeof node.addTLSOptions === 'function'
  );
}
