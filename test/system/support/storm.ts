import { IotmpClient, IotmpError } from '../../../src';
import { STATION } from './station';

const LANES = 4;
/** How requests end whose server is gone. */
const GONE: readonly string[] = ['IOTMP_ERR_CLOSED', 'IOTMP_ERR_OFFLINE', 'IOTMP_ERR_CONNECT'];

/** What a server has answered with OK. */
export class Acknowledged {
  /** The last value of each property. */
  readonly properties = new Map<string, number>();
  /** The numbers of all rows. */
  readonly rows = new Set<number>();
  #writes = 0;

  /** How many writes there were. */
  get writes(): number {
    return this.#writes;
  }

  addProperty(name: string, value: number): void {
    this.#writes++;
    this.properties.set(name, value);
  }

  addRow(number: number): void {
    this.#writes++;
    this.rows.add(number);
  }
}

/** Writes properties and bucket rows of a device as fast as they are answered, until the server is gone. */
export class Storm {
  /** Resolves when nothing is on its way any more. */
  readonly ended: Promise<void>;
  readonly #client: IotmpClient;
  readonly #acknowledged: Acknowledged;
  readonly #bucket: string;

  /** @param first number of the first value and the first row: no earlier storm may have had it */
  constructor(client: IotmpClient, acknowledged: Acknowledged, bucket: string, first: number) {
    this.#client = client;
    this.#acknowledged = acknowledged;
    this.#bucket = bucket;
    const lanes = Array.from({ length: LANES }, (_, lane) => [
      untilGone((turn) => this.#setProperty(`p${lane}`, first + turn)),
      untilGone((turn) => this.#writeRow(first + turn * LANES + lane)),
    ]);
    this.ended = Promise.all(lanes.flat()).then(() => undefined);
  }

  async #setProperty(name: string, value: number): Promise<void> {
    await this.#client.setProperty(name, value);
    this.#acknowledged.addProperty(name, value);
  }

  async #writeRow(number: number): Promise<void> {
    await this.#client.writeBucket(this.#bucket, { number, text: 'x'.repeat(number % 200) });
    this.#acknowledged.addRow(number);
  }
}

/** Connects the device to a server of 127.0.0.1. The caller closes it. */
export async function connectWriter(port: number): Promise<IotmpClient> {
  const reconnect = { minMs: 20, maxMs: 100 };
  const client = new IotmpClient({ ...STATION, host: '127.0.0.1', port, reconnect });
  client.connect();
  await client.ready();
  return client;
}

/** Writes again and again; any other error than that the server is gone fails the storm. */
async function untilGone(write: (turn: number) => Promise<void>): Promise<void> {
  for (let turn = 0; ; turn++) {
    try {
      await write(turn);
    } catch (error) {
      if (error instanceof IotmpError && GONE.includes(error.code)) return;
      throw error;
    }
  }
}
