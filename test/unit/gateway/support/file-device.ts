import { createHash } from 'node:crypto';
import { IotmpClient } from '../../../../src/client/client';
import { IotmpError } from '../../../../src/errors';
import { Answer, type ResourceCall, type ResourceStream } from '../../../../src/session/hosting/resource';
import type { Value } from '../../../../src/types';
import { cleanUp } from '../../../support/clean-up';

/** A file, or a folder. */
type Entry = Buffer | 'folder';

const INLINE = 65_536;
const CHUNK = 65_536;

/**
 * A device with the files of the Linux client library (`devices-linux.md` section 7), by path without a slash at the
 * beginning: the same requests, answers and errors, and the same streams.
 */
export class FileDevice {
  readonly client: IotmpClient;
  readonly files = new Map<string, Entry>();
  /** `get a.txt {"include_hidden":true}`, `download a.bin`, ... */
  readonly log: string[] = [];
  /** Most bytes of a download that were not acknowledged. */
  mostInFlight = 0;
  /** Bytes of each acknowledgement of a download. */
  readonly acks: number[] = [];
  /** What a file has grown by when it is downloaded. */
  grown = Buffer.alloc(0);
  /** Whether uploads are acknowledged. */
  acknowledges = true;
  /** Whether downloads go on after their first chunk. */
  sends = true;

  private constructor(client: IotmpClient) {
    this.client = client;
    const { client: host } = this;
    host.host('$fs/get/*path', { kind: 'inout', run: (call) => this.#get(call) });
    host.host('$fs/info/*path', { kind: 'inout', run: (call) => this.#info(call) });
    host.host('$fs/put/*path', { kind: 'inout', run: (call) => this.#put(call) });
    host.host('$fs/delete/*path', { kind: 'inout', run: (call) => this.#delete(call) });
    host.host('$fs/move/*source', { kind: 'inout', run: (call) => this.#move(call) });
    host.host('$fs/hash/*path', {
      kind: 'inout',
      describe: () => ({ in: { path: '' }, out: { hash: '' } }),
      run: (call) => this.#hash(call),
    });
    for (const [name, open] of [
      ['download', (stream: ResourceStream) => this.#download(stream)],
      ['upload', (stream: ResourceStream) => this.#upload(stream)],
    ] as const) {
      host.host(`$fs/${name}/:session`, { kind: 'inout', run: () => undefined, open });
    }
  }

  /** anna's pump, connected. */
  static async connect(port: number): Promise<FileDevice> {
    const client = new IotmpClient({
      host: '127.0.0.1',
      port,
      user: 'anna',
      device: 'pump',
      credential: 'secret',
    });
    cleanUp(() => client.close());
    const device = new FileDevice(client);
    client.connect();
    await client.ready();
    return device;
  }

  #note(
    verb: string,
    path: string,
    { parameters, payload }: Pick<ResourceCall, 'parameters' | 'payload'>,
  ): void {
    const shown = Buffer.isBuffer(payload) ? `${payload.length} bytes` : textOf(payload);
    this.log.push([verb, path, textOf(parameters), shown].filter((part) => part !== '').join(' '));
  }

  #found({ captures, parameters, payload }: ResourceCall, verb: string): { path: string; entry: Entry } {
    const given = captures.path ?? captures.source ?? '';
    this.#note(verb, given, { parameters, payload });
    const path = given.replace(/^\/+|\/+$/g, '');
    const entry = path === '' ? 'folder' : this.files.get(path);
    if (entry === undefined) throw new Failure(404, 'Path does not exist');
    return { path, entry };
  }

  #get(call: ResourceCall): unknown {
    return guarded(() => {
      const { path, entry } = this.#found(call, 'get');
      if (entry === 'folder') return this.#list(path, memberOf(call.parameters, 'include_hidden') === true);
      if (entry.length <= INLINE) return entry;
      throw new Failure(413, 'File too large for inline transfer', { size: entry.length, max_size: INLINE });
    });
  }

  #list(folder: string, withHidden: boolean): unknown[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = [...this.files.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length));
    return names
      .filter((name) => withHidden || !name.startsWith('.'))
      .map((name) => ({ name, ...this.#about(prefix + name) }));
  }

  #about(path: string): Record<string, unknown> {
    const entry = this.files.get(path) ?? 'folder';
    const size = entry === 'folder' ? {} : { size: entry.length };
    return { type: entry === 'folder' ? 'directory' : 'file', mode: 'rw-r--r--', modified: 1, ...size };
  }

  #info(call: ResourceCall): unknown {
    return guarded(() => {
      const { path } = this.#found(call, 'info');
      return { name: path.split('/').at(-1), path: `/root/${path}`, ...this.#about(path) };
    });
  }

  #put({ captures, parameters, payload }: ResourceCall): unknown {
    return guarded(() => {
      const { path = '' } = captures;
      this.#note('put', path, { parameters, payload });
      const name = path.replace(/^\/+|\/+$/g, '');
      if (path.endsWith('/')) {
        this.#makeFolders(`${name}/`);
        return { success: true, path: `/root/${path}`, type: 'directory' };
      }
      if (this.files.has(name) && memberOf(parameters, 'overwrite') === false) {
        throw new Failure(409, 'File already exists (overwrite=false)');
      }
      this.#makeFolders(name);
      const bytes = payload instanceof Uint8Array ? Buffer.from(payload) : Buffer.alloc(0);
      this.files.set(name, bytes);
      return { success: true, path: `/root/${path}`, type: 'file', size: bytes.length };
    });
  }

  #makeFolders(path: string): void {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      if (!this.files.has(folder)) this.files.set(folder, 'folder');
    }
  }

  #delete(call: ResourceCall): unknown {
    return guarded(() => {
      const { path } = this.#found(call, 'delete');
      const inside = [...this.files.keys()].filter((one) => one.startsWith(`${path}/`));
      if (inside.length > 0 && memberOf(call.parameters, 'recursive') !== true) {
        throw new Failure(undefined, 'Directory not empty');
      }
      for (const one of [path, ...inside]) this.files.delete(one);
      return { success: true, deleted: `/root/${path}` };
    });
  }

  #move(call: ResourceCall): unknown {
    return guarded(() => {
      const { path, entry } = this.#found(call, 'move');
      const to = String(memberOf(call.payload, 'path')).replace(/^\//, '');
      if (this.files.has(to) && memberOf(call.parameters, 'overwrite') !== true) {
        throw new Failure(409, 'Destination already exists');
      }
      this.files.delete(path);
      this.files.set(to, entry);
      return { success: true, source: `/root/${path}`, destination: `/root/${to}` };
    });
  }

  #hash(call: ResourceCall): unknown {
    return guarded(() => {
      const { path, entry } = this.#found(call, 'hash');
      const algorithm = textOf(memberOf(call.parameters, 'algorithm') ?? 'sha256')
        .replaceAll('"', '')
        .toLowerCase();
      if (!['sha256', 'sha1', 'md5'].includes(algorithm))
        throw new Failure(400, 'unsupported hash algorithm');
      if (entry === 'folder') throw new Failure(400, 'Not a regular file');
      const hash = createHash(algorithm).update(entry).digest('hex');
      return { path: `/root/${path}`, algorithm, hash, size: entry.length, mtime: 1 };
    });
  }

  #download(stream: ResourceStream): unknown {
    const path = String(memberOf(stream.parameters, 'path')).replace(/^\//, '');
    this.#note('download', path, { parameters: undefined, payload: undefined });
    const file = this.files.get(path);
    const entry = Buffer.isBuffer(file) ? Buffer.concat([file, this.grown]) : file;
    if (!Buffer.isBuffer(entry)) return new Answer({ message: 'File not found' }, 500);
    const window = Number(memberOf(stream.parameters, 'window_size') ?? 2_097_152);
    let [at, inFlight, chunks] = [0, 0, 0];
    const send = (): void => {
      while (at < entry.length && inFlight < window && (this.sends || chunks === 0)) {
        const chunk = entry.subarray(at, at + CHUNK);
        stream.write(chunk);
        chunks++;
        at += chunk.length;
        inFlight += chunk.length;
        this.mostInFlight = Math.max(this.mostInFlight, inFlight);
      }
    };
    stream.onData = (ack) => {
      const bytes = Number(memberOf(ack, 'bytes') ?? CHUNK);
      this.acks.push(bytes);
      // More than is on its way is taken for a stray one.
      if (bytes <= inFlight) inFlight -= bytes;
      send();
    };
    stream.onClose = () => this.log.push(`download of ${path} stopped at ${at}`);
    setImmediate(send);
    return { chunk_size: CHUNK };
  }

  #upload(stream: ResourceStream): unknown {
    const path = String(memberOf(stream.parameters, 'path')).replace(/^\//, '');
    const size = Number(memberOf(stream.parameters, 'size') ?? 0);
    this.#note('upload', `${path} of ${size}`, { parameters: undefined, payload: undefined });
    const folder = path.split('/').slice(0, -1).join('/');
    if (size === 0 || (folder !== '' && !this.files.has(folder))) return new Answer(undefined, 500);
    const every = Math.max(CHUNK, Math.min(size / 100, 1_048_576));
    const chunks: Buffer[] = [];
    let [got, since, acks] = [0, 0, 0];
    stream.onData = (payload) => {
      if (!(payload instanceof Uint8Array)) return;
      chunks.push(Buffer.from(payload));
      got += payload.length;
      since += payload.length;
      if ((since < every && got < size) || !this.acknowledges) return;
      stream.write({ ack: ++acks, bytes: since });
      since = 0;
      if (got >= size) this.files.set(path, Buffer.concat(chunks));
    };
    stream.onClose = () => {
      this.log.push(`upload of ${path} stopped at ${got}`);
    };
    return { chunk_size: CHUNK };
  }
}

/** What a device says when it does not do what it is asked. */
class Failure extends Error {
  constructor(
    readonly status: number | undefined,
    message: string,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

function guarded(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.status === undefined) throw new IotmpError('IOTMP_ERR_HANDLER', error.message);
    return new Answer({ error: error.message, ...error.more }, error.status);
  }
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

function memberOf(value: Value | undefined, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
