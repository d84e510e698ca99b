import { IotmpClient, type ClientState, type IotmpError } from '../../src';
import type { DeviceArguments } from './device-arguments';
import './end-with-parent';

/** After a refusal the client waits for its owner: this device tries again after a while, as firmware does. */
const REFUSED_RETRY_MS = 10_000;

/** Prints a line of a device program. */
export function print(text: string): void {
  console.log(text);
}

/**
 * Runs a simulated device: connects, stays connected, and ends in good order on SIGINT or SIGTERM.
 * @param setUp hosts the resources of the device; returns what ends its timers
 */
export function runDevice(given: DeviceArguments, setUp: (client: IotmpClient) => () => void): void {
  const client = new IotmpClient(given);
  const tearDown = setUp(client);
  let retry: NodeJS.Timeout | undefined;

  const report = newReporter(client);
  client.on('state', (state, error) => {
    report(state, error);
    if (state === 'refused') retry = setTimeout(() => client.connect(), REFUSED_RETRY_MS);
  });
  client.on('warning', (text) => print(`warning: ${text}`));

  const end = (): void => {
    clearTimeout(retry);
    tearDown();
    client.close().then(
      () => print('ended'),
      (error: unknown) => print(`ended with ${String(error)}`),
    );
  };
  onceAsked(end);
  client.connect();
}

/** Tells how the connection stands: only what is news, as an attempt to connect is made again and again. */
function newReporter(client: IotmpClient): (state: ClientState, error: IotmpError | undefined) => void {
  let last = '';
  return (state, error) => {
    const reason = error === undefined ? '' : `: ${error.message}`;
    let line = '';
    if (state === 'open') line = `connected to ${client.url} as ${client.user}/${client.device}`;
    else if (state === 'waiting') line = `no connection to ${client.url}${reason}. Trying again`;
    else if (state === 'refused') line = `not let in by ${client.url}${reason}. Trying again`;
    if (line === '' || line === last) return;
    last = line;
    print(line);
  };
}

/** Ctrl-C in a terminal and the end of the parent may come both: once is enough. */
function onceAsked(end: () => void): void {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!asked) end();
      asked = true;
    });
  }
}
