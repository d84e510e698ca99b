/**
 * A simulated relay board: four relays to switch, their states as an output, and resources that compute, take their
 * time, or fail.
 *
 *     node dist/examples/demo/relay-board.js --host 127.0.0.1 --user demo --credential demo-relay
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Answer, IotmpError, type IotmpClient, type ResourceCall } from '../../src';
import { DEMO_DEVICES } from './demo-devices';
import { deviceArguments } from './device-arguments';
import { print, runDevice } from './device-program';

const CHANNELS = ['1', '2', '3', '4'];
const SLOW_MS = 3000;

/** Relays that are switched by `relay/:channel`, and shown by `relays`. */
function hostRelays(client: IotmpClient): void {
  const relays = new Map(CHANNELS.map((channel) => [channel, false]));
  const states = (): Record<string, boolean> => Object.fromEntries(relays);
  const output = client.host('relays', { kind: 'output', run: states });

  client.host('relay/:channel', {
    kind: 'input',
    describe: () => ({ in: false }),
    run: ({ captures, payload }) => {
      const channel = captures.channel ?? '';
      if (!relays.has(channel)) {
        throw new IotmpError('IOTMP_ERR_NOT_FOUND', `there is no relay ${channel}`);
      }
      // A call without a value is no wish to switch off.
      if (typeof payload !== 'boolean') {
        throw new IotmpError('IOTMP_ERR_NO_INPUT', 'a relay takes true or false');
      }
      relays.set(channel, payload);
      print(`relay ${channel} ${payload ? 'on' : 'off'}`);
      output.publish(states());
    },
  });
}

/** `{a, b}` in, `{result}` out. */
function add({ payload }: ResourceCall): unknown {
  const a = numberOf(payload, 'a');
  const b = numberOf(payload, 'b');
  print(`sum ${a} + ${b}`);
  return { result: a + b };
}

function numberOf(payload: unknown, name: string): number {
  const fields = new Map<string, unknown>(
    typeof payload === 'object' && payload !== null ? Object.entries(payload) : [],
  );
  const value = fields.get(name);
  if (typeof value === 'number') return value;
  throw new IotmpError('IOTMP_ERR_NO_INPUT', 'sum takes an object with the numbers a and b');
}

runDevice(deviceArguments(DEMO_DEVICES.relayBoard), (client) => {
  hostRelays(client);
  client.host('sum', {
    kind: 'inout',
    describe: () => ({ in: { a: 2, b: 40 }, out: { result: 42 } }),
    run: add,
  });
  client.host('slow', {
    kind: 'output',
    describe: () => ({ out: 'done' }),
    run: async ({ signal }) => {
      print(`slow: an answer in ${SLOW_MS / 1000} s`);
      await delay(SLOW_MS, undefined, { signal });
      return 'done';
    },
  });
  client.host('failing', {
    kind: 'run',
    run: () => {
      print('failing: answers with error 418');
      return new Answer({ error: 'this resource always fails' }, 418);
    },
  });
  return () => undefined;
});
