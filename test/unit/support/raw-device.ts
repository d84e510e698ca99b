import { Field, message, psonField, RawReader, Type, varintField, type RawMessage } from './raw-message';
import type { RawWire } from './raw-wire';

/** How a resource of a raw device behaves. Firmware runs the same function for a read and for a write. */
export interface RawResource {
  /** As in DESCRIBE: 1 run, 2 input, 3 output, 4 input and output; `undefined` is not told. */
  readonly fn: 1 | 2 | 3 | 4 | undefined;
  /** Runs the handler; what it gives is the output. `undefined` is no payload. */
  run(input: unknown): unknown;
}

/** Who is played, and how he writes. */
export interface RawDeviceOptions {
  /**
   * `linux`: payload first, stream id last, a negative integer is lost. `micro`: fields in the order of their ids,
   * a negative integer is ten bytes.
   */
  readonly dialect: 'linux' | 'micro';
  /** The wire type of integers at the top of a field; devices use `varint`. */
  readonly integers: 'varint' | 'pson';
  /** The forms of a stream's interval that the firmware understands. */
  readonly intervals: 'map' | 'number' | 'both';
  readonly user: string;
  readonly device: string;
  readonly credential: string;
}

const DEFAULTS: RawDeviceOptions = {
  dialect: 'micro',
  integers: 'varint',
  intervals: 'both',
  user: 'anna',
  device: 'pump',
  credential: 'secret',
};

/** The ids that every device in the field draws first, because nobody seeds its generator. */
export const CONNECT_ID = 17767;
export const FIRST_CALL_ID = 9158;

/** Real milliseconds after which a message that a test waits for counts as missing. */
const PATIENCE_MS = 5_000;

interface Waiter {
  readonly accepts: (received: RawMessage) => boolean;
  readonly resolve: (received: RawMessage) => void;
}

/**
 * A device that is made of bytes: it writes down what it gets, answers by its resources while {@link serves} is true,
 * and sends whatever a test says. It uses nothing of `src`.
 */
export class RawDevice {
  readonly options: RawDeviceOptions;
  readonly resources = new Map<string, RawResource>();
  /** Streams that the server has open here, by id. */
  readonly streams = new Map<number, { readonly resource: string; readonly interval: number | undefined }>();
  /** Everything that the server sent. */
  readonly received: RawMessage[] = [];
  /** The same as it came from the system, or frame by frame. */
  readonly chunks: Buffer[] = [];
  /** Whether requests of the server are answered. */
  serves = true;
  /** Whether the server has ended its side of the connection. */
  ended = false;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<unknown>;
  /** Resolves when the server has ended its side. */
  readonly serverEnded: Promise<unknown>;
  readonly wire: RawWire;
  readonly #reader = new RawReader();
  readonly #waiters: Waiter[] = [];
  #unread: RawMessage[] = [];

  constructor(wire: RawWire, options: Partial<RawDeviceOptions> = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.wire = wire;
    const closed = Promise.withResolvers<undefined>();
    const ended = Promise.withResolvers<undefined>();
    this.closed = closed.promise;
    this.serverEnded = ended.promise;
    wire.start({
      onChunk: (chunk) => this.#handleChunk(chunk),
      onEnd: () => {
        this.ended = true;
        ended.resolve(undefined);
      },
      onClose: () => {
        this.ended = true;
        ended.resolve(undefined);
        closed.resolve(undefined);
      },
    });
  }

  /** Connects, and waits to be let in. */
  static async login(wire: RawWire, options: Partial<RawDeviceOptions> = {}): Promise<RawDevice> {
    const device = new RawDevice(wire, options);
    device.connect();
    const answer = await device.next();
    if (answer.type !== Type.OK) throw new Error(`not let in: ${answer.bytes.toString('hex')}`);
    return device;
  }

  /** Sends the CONNECT of the device. */
  connect(): void {
    const { user, device, credential } = this.options;
    this.send(this.build(Type.CONNECT, { id: CONNECT_ID, payload: [user, device, credential] }));
  }

  /** Sends bytes as they are. */
  send(bytes: Buffer): void {
    this.wire.write(bytes);
  }

  /** A message in the manner of the device. */
  build(
    type: number,
    fields: { id?: number; parameters?: unknown; payload?: unknown; resource?: unknown },
  ): Buffer {
    const parts: Buffer[] = [];
    if (fields.id !== undefined) parts.push(varintField(Field.ID, fields.id));
    if (fields.parameters !== undefined) parts.push(this.#field(Field.PARAMETERS, fields.parameters));
    if (fields.payload !== undefined) parts.push(this.#field(Field.PAYLOAD, fields.payload));
    if (fields.resource !== undefined) parts.push(this.#field(Field.RESOURCE, fields.resource));
    return message(type, ...(this.options.dialect === 'linux' ? parts.reverse() : parts));
  }

  ok(id: number, payload?: unknown, parameters?: unknown): void {
    this.send(this.build(Type.OK, { id, payload, parameters }));
  }

  error(id: number, payload?: unknown, parameters?: unknown): void {
    this.send(this.build(Type.ERROR, { id, payload, parameters }));
  }

  /** A sample of a stream. */
  sample(id: number, payload: unknown, parameters?: unknown): void {
    this.send(this.build(Type.STREAM_DATA, { id, payload, parameters }));
  }

  /** The next message that no earlier call has taken; with a type, the next one of it. */
  next(type?: number): Promise<RawMessage> {
    const accepts = (received: RawMessage): boolean => type === undefined || received.type === type;
    const index = this.#unread.findIndex(accepts);
    const [found] = index < 0 ? [] : this.#unread.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const guard = setTimeout(() => {
        const got = this.received.map(({ bytes }) => bytes.toString('hex')).join(' ');
        reject(new Error(`no message of type ${type ?? 'any'}; the device got: ${got}`));
      }, PATIENCE_MS);
      this.#waiters.push({
        accepts,
        resolve(received) {
          clearTimeout(guard);
          resolve(received);
        },
      });
    });
  }

  /** Resolves when the server has dealt with everything that was sent so far, and its answers are here. */
  async barrier(): Promise<void> {
    this.send(message(Type.KEEP_ALIVE));
    await this.next(Type.KEEP_ALIVE);
  }

  /** Messages of a type that came so far. */
  all(type: number): RawMessage[] {
    return this.received.filter((one) => one.type === type);
  }

  /** Requests that make firmware run a handler: everything but DESCRIBE of the whole device. */
  get acts(): RawMessage[] {
    const types: number[] = [Type.RUN, Type.START_STREAM, Type.STREAM_DATA];
    return this.received.filter(
      ({ type, resource }) => types.includes(type) || (type === Type.DESCRIBE && resource !== undefined),
    );
  }

  #field(field: number, value: unknown): Buffer {
    const isInteger = typeof value === 'bigint' || (Number.isInteger(value) && !Object.is(value, -0));
    if (!isInteger || this.options.integers === 'pson') return psonField(field, value);
    const integer = value as number | bigint;
    return varintField(field, integer < 0 && this.options.dialect === 'linux' ? 0 : integer);
  }

  #handleChunk(chunk: Buffer): void {
    this.chunks.push(chunk);
    for (const received of this.#reader.push(chunk)) {
      this.received.push(received);
      const index = this.#waiters.findIndex(({ accepts }) => accepts(received));
      if (index < 0) this.#unread.push(received);
      else this.#waiters.splice(index, 1)[0]?.resolve(received);
      if (this.serves) this.#serve(received);
    }
  }

  #serve({ type, id = 0, parameters, payload, resource }: RawMessage): void {
    const found = this.resources.get(String(resource));
    if (type === Type.STOP_STREAM) {
      this.streams.delete(id);
      this.ok(id);
    } else if (type === Type.STREAM_DATA) this.#serveData(id, payload);
    else if (type === Type.DESCRIBE && resource === undefined) this.ok(id, this.#description());
    else if (type !== Type.RUN && type !== Type.DESCRIBE && type !== Type.START_STREAM) return;
    else if (found === undefined) this.error(id);
    else if (type === Type.RUN) this.ok(id, found.run(payload));
    else if (type === Type.DESCRIBE) this.ok(id, { out: found.run(undefined) ?? null });
    else this.#serveStart(id, String(resource), parameters, found);
  }

  /** What comes out is the handler once more without input, as in firmware. */
  #serveData(id: number, payload: unknown): void {
    const stream = this.streams.get(id);
    const resource = stream && this.resources.get(stream.resource);
    if (resource === undefined) return;
    resource.run(payload);
    this.sample(id, resource.run(undefined) ?? null);
  }

  #serveStart(id: number, name: string, parameters: unknown, resource: RawResource): void {
    this.streams.set(id, { resource: name, interval: this.#interval(parameters) });
    this.ok(id);
    this.sample(id, resource.run(undefined) ?? null);
  }

  #interval(parameters: unknown): number | undefined {
    const { intervals } = this.options;
    if (typeof parameters === 'number') return intervals === 'map' ? undefined : parameters;
    if (intervals === 'number' || typeof parameters !== 'object' || parameters === null) return undefined;
    const interval: unknown = Reflect.get(parameters, 'interval');
    return typeof interval === 'number' ? interval : undefined;
  }

  #description(): unknown {
    if (this.resources.size === 0) return null;
    const entries = [...this.resources].map(([name, { fn }]): [string, unknown] => [
      name,
      fn === undefined ? null : { fn },
    ]);
    return Object.fromEntries(entries);
  }
}
