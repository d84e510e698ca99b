import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceRule } from '../../../src/rights/device-rule';
import { GatewayBench } from './support/gateway-bench';

const RULES: readonly DeviceRule[] = [
  { effect: 'deny', who: 'anna/lamp', action: 'SubscribeTopic', target: 'secret/*' },
  { effect: 'allow', who: 'type:anna/pumps', action: 'AccessDeviceResources', target: 'anna/box/cmd' },
  { effect: 'deny', who: 'anna/*', action: 'Lock', target: 'door' },
];

interface Right {
  readonly allowed: boolean;
  readonly by: string;
  readonly rule?: { readonly number: number };
}

async function start(): Promise<{ bench: GatewayBench; admin: string }> {
  const bench = await GatewayBench.start();
  bench.services.rights.rules = RULES;
  const admin = await bench.tokenOf('root', { Server: { '*': ['ListServerRules', 'ReadServerRights'] } });
  return { bench, admin };
}

/** Who, what and on what, and perhaps whether only about itself; the decision as one text. */
const QUESTIONS: [string, string, string, string][] = [
  ['anna/pump', 'AccessDeviceResources', 'anna/box/relay', 'allowed by default'],
  ['anna/pump', 'AccessDeviceResources', 'anna/box/$terminal/1', 'denied by default'],
  ['anna/pump', 'AccessDeviceResources', 'bert/box/relay', 'denied by default'],
  ['anonymous/pump', 'AccessDeviceResources', 'anonymous/box/relay', 'denied by default'],
  ['anna/pump', 'Lock', 'door', 'denied by rule 3'],
  ['anna/pump', 'Lock', 'window', 'allowed by default'],
  ['anna/lamp', 'SubscribeTopic', '#', 'denied by rule 1'],
  ['anna/lamp', 'SubscribeEvents', 'device_topic_publish', 'denied by rule 1'],
  ['anna/pump', 'SubscribeEvents', 'device_topic_publish', 'allowed by default'],
  ['anna/pump', 'SubscribeEvents', 'endpoint_call', 'denied by default'],
  ['anna/pump', 'SubscribeEvents', 'endpoint_call&own=true', 'allowed by default'],
  ['anna/pump', 'PublishTopic', '$SYS/x', 'denied by default'],
];

describe('the rules of rights between devices over the API', () => {
  it('are listed for administrators alone', async () => {
    const { bench, admin } = await start();
    for (const path of ['/v1/server/rules', '/v1/server/rights?who=a/b&action=Lock&target=x']) {
      assert.equal((await bench.get(path, { token: null })).status, 401);
      assert.equal((await bench.get(path)).status, 403);
      assert.equal((await bench.ask('POST', path, { token: admin, body: {} })).status, 405);
      assert.equal((await bench.ask('PUT', path, { token: admin, body: [] })).status, 405);
    }
    const { status, body } = await bench.get('/v1/server/rules', { token: admin });
    assert.equal(status, 200);
    assert.deepEqual(
      body,
      RULES.map((rule, index) => ({ number: index + 1, ...rule })),
    );
  });

  it('answer whether a device may do something, and by which rule or default', async () => {
    const { bench, admin } = await start();
    for (const [who, action, target, expected] of QUESTIONS) {
      const query = `who=${who}&action=${action}&target=${encodeURIComponent(target).replace('%26own%3D', '&own=')}`;
      const { status, body } = await bench.get(`/v1/server/rights?${query}`, { token: admin });
      assert.equal(status, 200, query);
      const { allowed, by, rule } = body as Right;
      const number = rule === undefined ? '' : ` ${rule.number}`;
      assert.equal(`${allowed ? 'allowed' : 'denied'} by ${by}${number}`, expected, query);
    }
  });

  it('refuse a question that is none', async () => {
    const { bench, admin } = await start();
    for (const query of [
      '',
      'who=anna&action=Lock&target=x',
      'who=/x&action=Lock&target=x',
      'who=a/b&action=Fly&target=x',
      'who=a/b&action=Lock',
      'who=a/b&action=AccessDeviceResources&target=relay',
      `who=a/b&action=Lock&target=${'x'.repeat(2000)}`,
    ]) {
      assert.equal((await bench.get(`/v1/server/rights?${query}`, { token: admin })).status, 400, query);
    }
  });
});
