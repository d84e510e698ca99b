import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { BrokerBench, LAMP, PUMP } from '../../support/broker-fixture';
import { WebSocketWire } from '../../support/raw-wire';

describe('the WebSocket of a device', () => {
  it('is opened by pages that are allowed, of the server itself, and by whoever is no browser', async () => {
    const bench = await BrokerBench.start({ origins: ['https://app.example'] });
    const port = await bench.listenHttp();
    for (const headers of [
      ['Origin: https://app.example'],
      ['Origin: http://127.0.0.1'],
      ['Origin: https://iot.example', 'X-Forwarded-Host: iot.example'],
      [],
    ]) {
      await bench.device({}, bench.track(await WebSocketWire.connect(port, '/iotmp', headers)));
    }
    // As the WebSocket library of Arduino does.
    const ofArduino = await WebSocketWire.connect(port, '/iotmp', ['Origin: file://']);
    await bench.device(LAMP, bench.track(ofArduino));
    for (const origin of [
      'https://evil.example',
      'http://127.0.0.1:1',
      'null',
      'https://app.example.evil.example',
    ]) {
      const wire = await WebSocketWire.connect(port, '/iotmp', [`Origin: ${origin}`]).catch(String);
      assert.match(typeof wire === 'string' ? wire : wire.answer, /no answer|^HTTP\/1\.1 403 Forbidden/);
    }
    assert.equal(bench.server.refusedLogins.counts.get('origin'), 4);
    assert.deepEqual(bench.refusalLines, [
      'refused login: reason=origin address=127.0.0.1 transport=ws user="" device="" left_out=0',
    ]);
  });

  it('is opened by any page where any is allowed', async () => {
    const bench = await BrokerBench.start({ origins: ['*'] });
    const port = await bench.listenHttp();
    await bench.device({}, bench.track(await WebSocketWire.connect(port, '/iotmp', ['Origin: null'])));
  });

  it('comes from the address that a trusted proxy names, and from no other', async () => {
    for (const [trustedProxies, address] of [
      [['127.0.0.1'], /^203\.0\.113\.7$/],
      [['192.0.2.1'], /^127\.0\.0\.1:\d+$/],
      [[], /^127\.0\.0\.1:\d+$/],
    ] as const) {
      const bench = await BrokerBench.start({ trustedProxies });
      const headers = ['X-Forwarded-For: 198.51.100.1, 203.0.113.7'];
      await bench.device(
        {},
        bench.track(await WebSocketWire.connect(await bench.listenHttp(), '/iotmp', headers)),
      );
      assert.match(bench.server.device(PUMP)?.address ?? '', address);
    }
  });
});
