import type { ConnectedDevice } from '../../../broker/connected-device';
import { IotmpError, RemoteError } from '../../../errors';
import { isMap, type Value } from '../../../types';
import type { GatewayContext } from '../../gateway-context';
import { conflict } from '../../http/request-error';
import { describedBy, measured } from '../resource-access';
import { isFolder, parentOf } from './file-path';

/** Largest file that goes into one message; larger ones are streamed. */
const INLINE_BYTES = 65_536;
/** What a message holds beside its payload and the path, in bytes, at most. */
const ENVELOPE_BYTES = 128;

/** What a device can be asked to do with a file. */
type Verb = 'get' | 'info' | 'put' | 'delete' | 'move' | 'hash';

/** What goes along with a request, and what came of it. */
interface Asked {
  readonly payload?: unknown;
  readonly parameters?: Readonly<Record<string, Value>> | undefined;
}

/** A file that is too large for one message, with its size. */
export class LargeFile {
  constructor(readonly size: number) {}
}

/**
 * The files of a device that offers them as the resources `$fs/...` (`devices-linux.md` section 7). What it refuses is a
 * RemoteError with its status; a device without such resources is IOTMP_ERR_NOT_ALLOWED with 501.
 */
export class DeviceFiles {
  readonly device: ConnectedDevice;
  readonly #context: GatewayContext;
  readonly #signal: AbortSignal;

  /** @param signal aborts when nobody waits any more */
  constructor(context: GatewayContext, device: ConnectedDevice, signal: AbortSignal) {
    this.device = device;
    this.#context = context;
    this.#signal = signal;
  }

  /** Largest file that can be sent to the device in one message. */
  inlineBytes(path: string): number {
    const { maxBodySize } = this.device;
    return Math.max(0, Math.min(INLINE_BYTES, maxBodySize - ENVELOPE_BYTES - Buffer.byteLength(path)));
  }

  /** What is in a folder, as a list, or the bytes of a file, or how large that is. */
  async read(path: string, withHidden: boolean): Promise<Value | LargeFile | undefined> {
    const parameters = withHidden ? { include_hidden: true } : undefined;
    try {
      const found = await this.#run('get', path, { parameters });
      // Older ones put the list into a map.
      return isMap(found) && Array.isArray(found.entries) ? found.entries : found;
    } catch (error) {
      if (!(error instanceof RemoteError) || error.statusCode !== 413) throw error;
      return new LargeFile(sizeIn(error.payload) ?? sizeIn(await this.info(path)) ?? rethrow(error));
    }
  }

  /** What is known of a file or folder. */
  info(path: string): Promise<Value | undefined> {
    return this.#run('info', path);
  }

  /** Writes a file of {@link inlineBytes} at most. */
  put(path: string, bytes: Uint8Array, mayOverwrite: boolean): Promise<Value | undefined> {
    // Without bytes the file is empty; an empty payload is none to a device.
    const payload = bytes.length === 0 ? undefined : bytes;
    return this.#run('put', path, { payload, parameters: mayOverwrite ? undefined : { overwrite: false } });
  }

  /** Makes a folder, and those that it is in; one that is there already stays. */
  makeFolder(path: string): Promise<Value | undefined> {
    return this.#run('put', isFolder(path) ? path : `${path}/`);
  }

  /** Makes ready for a file that will be streamed: devices do not look after these things themselves then. */
  async prepare(path: string, mayOverwrite: boolean): Promise<void> {
    if (!mayOverwrite && (await this.#exists(path))) throw conflict('there is such a file already');
    const folder = parentOf(path);
    if (folder.replaceAll('/', '') !== '') await this.makeFolder(folder);
  }

  remove(path: string, isRecursive: boolean): Promise<Value | undefined> {
    return this.#run('delete', path, { parameters: isRecursive ? { recursive: true } : undefined });
  }

  /** Moves a file or folder. Devices of different age look for its new path under different names. */
  move(path: string, to: string, mayOverwrite: boolean): Promise<Value | undefined> {
    const payload = { path: to, destination: to };
    return this.#run('move', path, { payload, parameters: mayOverwrite ? { overwrite: true } : undefined });
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.info(path);
      return true;
    } catch (error) {
      if (error instanceof RemoteError && error.statusCode === 404) return false;
      throw error;
    }
  }

  /** Contents of files are nothing to remember as the last state of a resource. */
  async #run(verb: Verb, path: string, { payload, parameters }: Asked = {}): Promise<Value | undefined> {
    const resource = `$fs/${verb}/${path}`;
    const described = await describedBy(this.device);
    if (described !== undefined && described.find(resource) === undefined) throw noFiles();
    const options = { payload, parameters, signal: this.#signal, isState: false };
    const reply = await measured(this.#context, () => this.device.run(resource, options));
    return reply.payload;
  }
}

function sizeIn(payload: unknown): number | undefined {
  const size: unknown =
    typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'size') : undefined;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function noFiles(): IotmpError {
  return new IotmpError('IOTMP_ERR_NOT_ALLOWED', 'the device does not offer its files so', {
    statusCode: 501,
  });
}

function rethrow(error: Error): never {
  throw error;
}
