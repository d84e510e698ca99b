import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench } from '../../support/broker-fixture';
import { RawDevice } from '../../support/raw-device';
import { Type } from '../../support/raw-message';

describe('the first byte of a connection', () => {
  it('closes it at once, unless it is that of CONNECT', async () => {
    const bench = await BrokerBench.start();
    for (let byte = 0; byte < 256; byte++) {
      if (byte === Type.CONNECT) continue;
      const device = new RawDevice(bench.memory());
      device.send(Buffer.from([byte]));
      await device.closed;
      assert.deepEqual(device.received, [], `byte ${byte}`);
    }
    assert.equal(bench.server.refusedLogins.counts.get('protocol'), 255);
    assert.equal(bench.server.refusedLogins.last?.text, 'the first message was not CONNECT');
    assert.equal(bench.refusalLines.length, 1);
  });

  it('may come alone: the rest of CONNECT is waited for', async () => {
    const bench = await BrokerBench.start();
    const device = new RawDevice(bench.memory());
    const connect = device.build(Type.CONNECT, { id: 1, payload: ['anna', 'pump', 'secret'] });
    for (const byte of connect) {
      device.send(Buffer.from([byte]));
      await bench.clock.settle();
    }
    assert.equal((await device.next()).type, Type.OK);
  });

  it('names the protocol that it belongs to, where the first bytes tell', async () => {
    const bench = await BrokerBench.start();
    for (const text of [
      'GET / HTTP/1.1\r\n\r\n',
      'SSH-2.0-OpenSSH\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n',
    ]) {
      const device = new RawDevice(bench.memory());
      device.send(Buffer.from(text));
      await device.closed;
    }
    assert.deepEqual(
      bench.refusedLogins.map(({ reason }) => reason),
      ['http', 'ssh', 'protocol'],
    );
  });
});
