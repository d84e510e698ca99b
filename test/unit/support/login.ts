import assert from 'node:assert/strict';
import type { BrokerBench } from './broker-fixture';
import { CONNECT_ID, RawDevice, type RawDeviceOptions } from './raw-device';
import { Type, type RawMessage } from './raw-message';

/** Tries to log in, with the answer; a refused device is disconnected in the end. */
export async function knock(
  bench: BrokerBench,
  options: Partial<RawDeviceOptions> = {},
): Promise<{ device: RawDevice; answer: RawMessage }> {
  const device = new RawDevice(bench.memory(), options);
  device.connect();
  const answer = await device.next();
  if (answer.type !== Type.OK) await device.closed;
  return { device, answer };
}

/** The device gets ERROR with code 2, and nothing else, and is disconnected. */
export async function assertRefused(bench: BrokerBench, options: Partial<RawDeviceOptions>): Promise<void> {
  const { device, answer } = await knock(bench, options);
  assert.equal(answer.type, Type.ERROR);
  assert.equal(answer.id, CONNECT_ID);
  assert.equal(answer.parameters, 2);
  assert.equal(device.received.length, 1, 'nothing follows the ERROR');
}
