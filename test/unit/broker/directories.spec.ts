import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceDirectory } from '../../../src/broker/directory-authenticator';
import type { DeviceId } from '../../../src/types';
import { BrokerBench, PUMP } from '../support/broker-fixture';

const VALVE = { user: 'anna', device: 'valve', credential: 'turn' } as const;

function directory(devices: Record<string, string>): DeviceDirectory {
  const key = ({ user, device }: DeviceId): string => `${user}/${device}`;
  return {
    has: (id) => key(id) in devices,
    admits: (id, credential) => devices[key(id)] === credential,
  };
}

describe('directory of devices', () => {
  it('lets its devices in beside those of the options', async () => {
    const bench = await BrokerBench.start();
    bench.server.addDirectory(directory({ 'anna/valve': 'turn' }));
    await bench.device(VALVE);
    await bench.device(PUMP);
    assert.equal(bench.server.deviceCount, 2);
  });

  it('alone decides about its devices, even where anybody may come in', async () => {
    const bench = await BrokerBench.start({ anonymous: true });
    const remove = bench.server.addDirectory(directory({ 'anna/pump': 'other' }));
    await assert.rejects(bench.device(PUMP), /not let in/);
    assert.equal(bench.refusedLogins.length, 1);
    remove();
    await bench.device(PUMP);
    await bench.device({ ...VALVE, credential: 'any' });
  });

  it('keeps its devices connected when the options change', async () => {
    const bench = await BrokerBench.start();
    bench.server.addDirectory(directory({ 'anna/valve': 'turn' }));
    const valve = await bench.device(VALVE);
    const pump = await bench.device(PUMP);
    await bench.server.configure(bench.options({ devices: [] }));
    await bench.clock.settle();
    assert.equal(valve.ended, false);
    assert.equal(pump.ended, true);
  });

  it('that is not read lets nobody in but the devices of the options', async () => {
    const bench = await BrokerBench.start({ anonymous: true });
    let isRead = false;
    bench.server.addDirectory({ isRead: () => isRead, has: () => false, admits: () => false });
    await bench.device(PUMP);
    await assert.rejects(bench.device(VALVE), /not let in/);
    assert.equal(bench.refusedLogins.at(-1)?.reason, 'failed');
    isRead = true;
    await bench.device(VALVE);
  });
});
