import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LoginHold } from '../../../src/broker/login-hold';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';

describe('logins that are held', () => {
  it('are decided by who may connect afterwards', async () => {
    const bench = await BrokerBench.start({ devices: [PUMP] });
    const letIn = bench.server.holdLogins();
    const lamp = new RawDevice(bench.memory(), LAMP);
    const pump = new RawDevice(bench.memory(), PUMP);
    lamp.connect();
    pump.connect();
    await bench.server.configure(bench.options({ devices: [LAMP] }));
    assert.equal(bench.server.deviceCount, 0);
    letIn();
    assert.equal((await lamp.next()).type, Type.OK);
    assert.equal((await pump.next()).type, Type.ERROR);
  });

  it('do not hold devices that are connected', async () => {
    const bench = await BrokerBench.start();
    const pump = await bench.device();
    const letIn = bench.server.holdLogins();
    await pump.barrier();
    letIn();
    await bench.device(LAMP);
  });

  it('are forgotten with their connections', async () => {
    const bench = await BrokerBench.start();
    const letIn = bench.server.holdLogins();
    const lamp = new RawDevice(bench.memory(), LAMP);
    lamp.connect();
    lamp.wire.cut();
    await bench.server.close();
    letIn();
    assert.deepEqual(bench.log, []);
  });

  it('go on when nobody holds them any more', () => {
    const gate = new LoginHold();
    const [first, second] = [gate.hold(), gate.hold()];
    first();
    first();
    assert.notEqual(gate.opening, undefined);
    second();
    assert.equal(gate.opening, undefined);
  });
});
