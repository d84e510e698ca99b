import { IotmpClient, type Value } from '../../../src';

/** The device that tests connect. */
export const STATION = { user: 'home', device: 'station', credential: 'of-a-test' };

/** A device in the process of the test: an output of 23.4, and an input that remembers what it was told. */
export interface Station {
  readonly client: IotmpClient;
  readonly switched: readonly Value[];
}

/** Connects the device to a server on 127.0.0.1. The caller closes its client. */
export async function connectStation(port: number): Promise<Station> {
  const client = new IotmpClient({ ...STATION, host: '127.0.0.1', port });
  const switched: Value[] = [];
  client.host('temperature', { kind: 'output', run: () => 23.4 });
  client.host('led', { kind: 'input', run: ({ payload }) => void switched.push(payload ?? null) });
  client.connect();
  await client.ready();
  return { client, switched };
}
