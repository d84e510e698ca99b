import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { LatencyHistogram } from '../../../src/gateway/metrics/metrics-text';
import { MetricsText } from '../../../src/gateway/metrics/metrics-text';
import { knock } from '../support/login';
import { GatewayBench } from './support/gateway-bench';

describe('metrics', () => {
  it('are for administrators', async () => {
    const bench = await GatewayBench.start();
    assert.equal((await bench.get('/metrics', { token: null })).status, 401);
    assert.equal((await bench.get('/metrics')).status, 403);
    const scraper = await bench.tokenOf('root', { Server: { '*': ['ReadServerMetrics'] } });
    const answer = await bench.get('/metrics', { token: scraper });
    assert.equal(answer.status, 200);
    assert.equal(answer.type, 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal((await bench.get('/v1/users', { token: scraper })).status, 403);
  });

  it('are lines of the text format of Prometheus', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 } });
    await bench.get('/v3/users/anna/devices/pump/resources/temp');
    await bench.ask('BREW', '/v1/users').catch(() => undefined);
    const text = bench.metric('');
    for (const line of text.trimEnd().split('\n')) {
      assert.match(
        line,
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[\d.e+-]+)$/,
      );
    }
    assert.match(text, /^iotmp_devices_connected 1$/m);
    assert.match(text, /^iotmp_connections_total 1$/m);
    assert.match(text, /^iotmp_messages_total\{direction="in"\} [1-9]/m);
    assert.match(text, /^iotmp_bytes_total\{direction="out"\} [1-9]/m);
    assert.match(text, /^iotmp_http_requests_total\{method="GET",status="200"\} 1$/m);
    assert.match(text, /^iotmp_http_request_seconds_count [12]$/m);
    assert.match(text, /^iotmp_call_seconds_bucket\{le="\+Inf"\} 1$/m);
    assert.match(text, /^iotmp_event_loop_delay_seconds\{quantile="0.99"\} /m);
  });

  it('keep the traffic of devices that have gone', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device();
    const bytes = (): number => Number(/bytes_total\{direction="in"\} (\d+)/.exec(bench.metric(''))?.[1]);
    const before = bytes();
    assert.ok(before > 0);
    device.wire.cut();
    await bench.until(() => bench.server.deviceCount === 0);
    assert.equal(bytes(), before);
    assert.match(bench.metric(''), /^iotmp_disconnections_total 1$/m);
  });

  it('count what is dropped, cut or refused', async () => {
    const bench = await GatewayBench.start();
    await knock(bench.broker, { credential: 'wrong' });
    await assert.rejects(bench.socket('/v1/users/anna/nothing'));
    const text = bench.metric('');
    assert.match(text, /^iotmp_refused_logins_total\{reason="credentials"\} 1$/m);
    assert.match(text, /^iotmp_lost_total\{kind="login"\} 1$/m);
    for (const kind of [
      'connection',
      'message',
      'sample',
      'event',
      'subscription',
      'bridge',
      'row',
      'frame',
    ]) {
      assert.match(text, new RegExp(`^iotmp_lost_total\\{kind="${kind}"\\} 0$`, 'm'));
    }
    assert.match(text, /^iotmp_sockets_refused_total\{status="404"\} 1$/m);
  });

  it('count latencies in buckets that hold the ones below', () => {
    const histogram = new LatencyHistogram();
    for (const seconds of [0.0005, 0.02, 0.02, 100]) histogram.observe(seconds);
    const samples = [...histogram.samples()].map(
      ([suffix, { le = '' }, value]) => `${suffix} ${le} ${value}`,
    );
    assert.equal(samples[0], '_bucket 0.001 1');
    assert.equal(samples[3], '_bucket 0.05 3');
    assert.equal(samples[9], '_bucket 30 3');
    assert.equal(samples[10], '_bucket +Inf 4');
    assert.equal(samples[12], '_count  4');
  });

  it('escape what labels hold', () => {
    const text = new MetricsText().add('a', 'gauge', 'x', [[{ b: 'q"\\\n' }, NaN]]).toString();
    assert.equal(text, '# HELP a x\n# TYPE a gauge\na{b="q\\"\\\\\\n"} NaN\n');
  });
});
