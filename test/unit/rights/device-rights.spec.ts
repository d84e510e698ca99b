import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { eventRequest, resourceRequest, sharedRequest } from '../../../src/rights/device-request';
import { DeviceRights } from '../../../src/rights/device-rights';
import type { DeviceRule, DeviceTraits } from '../../../src/rights/device-rule';
import { deviceRules } from '../../../src/rights/rule-list';
import type { DeviceId } from '../../../src/types';

const PUMP = { user: 'anna', device: 'pump' };
const STRANGER = { user: 'anonymous', device: 'pump' };

interface Scene {
  readonly rights: DeviceRights;
  readonly refused: string[];
}

function scene(rules: readonly DeviceRule[] = [], traits: Partial<DeviceTraits> = {}): Scene {
  const refused: string[] = [];
  const known = { type: '', group: '', product: '', ...traits };
  const rights = new DeviceRights({ traitsOf: () => known, onRefused: (text) => refused.push(text) });
  rights.rules = rules;
  return { rights, refused };
}

/** Whether a device may call a resource by the defaults. */
function calls(who: DeviceId, user: string, resource: string): boolean {
  return scene().rights.allows(resourceRequest(who, { user, device: 'box', resource }));
}

describe('default rights of devices', () => {
  it('let a device reach the devices of its user, but nothing that runs commands on them', () => {
    for (const resource of ['relay', 'a/b', 'command', 'cmdx', 'a/cmd', 'a/$x']) {
      assert.equal(calls(PUMP, 'anna', resource), true, resource);
    }
    for (const resource of [
      'cmd',
      'cmd/x',
      '/cmd',
      '//cmd',
      'cmd\0x',
      '$terminal',
      '$terminal/a',
      '/$fs/get',
      '$',
    ]) {
      assert.equal(calls(PUMP, 'anna', resource), false, JSON.stringify(resource));
    }
    assert.equal(calls(PUMP, 'bert', 'relay'), false);
  });

  it('let a device without registration reach no other device', () => {
    assert.equal(calls(STRANGER, 'anna', 'relay'), false);
    assert.equal(calls(STRANGER, 'anonymous', 'relay'), false);
  });

  it('let a device hear of itself, and of the state and the topics of its user', () => {
    const hears = (who: DeviceId, event: string, isOwn = false): boolean =>
      scene().rights.allows(eventRequest(who, event, isOwn));
    assert.equal(hears(PUMP, 'device_state_change'), true);
    assert.equal(hears(PUMP, 'device_topic_publish'), true);
    for (const event of [
      'device_property_update',
      'device_authentication_failed',
      'endpoint_call',
      'bucket_write',
    ]) {
      assert.equal(hears(PUMP, event), false, event);
      assert.equal(hears(PUMP, event, true), true, event);
    }
    assert.equal(hears(STRANGER, 'device_state_change'), false);
  });
});

describe('rules of rights', () => {
  const CALL = resourceRequest(PUMP, { user: 'anna', device: 'box', resource: 'cmd' });

  it('decide in their order, and before the defaults', () => {
    const allow: DeviceRule = {
      effect: 'allow',
      who: 'anna/pump',
      action: 'AccessDeviceResources',
      target: 'anna/box/cmd',
    };
    const deny: DeviceRule = { effect: 'deny', who: 'anna/*', action: '*', target: '*' };
    assert.deepEqual(scene([allow, deny]).rights.decide(CALL), { isAllowed: true, rule: allow });
    assert.deepEqual(scene([deny, allow]).rights.decide(CALL), { isAllowed: false, rule: deny });
    assert.equal(scene([deny]).rights.allows(sharedRequest(PUMP, 'WriteBucket', 'a')), false);
    assert.deepEqual(scene([{ ...allow, who: 'anna/lamp' }]).rights.decide(CALL), {
      isAllowed: false,
      rule: undefined,
    });
  });

  it('are for devices of a type, a group or a product', () => {
    for (const kind of ['type', 'group', 'product'] as const) {
      const rule: DeviceRule = { effect: 'allow', who: `${kind}:anna/pu*`, action: '*', target: '*' };
      assert.equal(scene([rule], { [kind]: 'pumps' }).rights.allows(CALL), true, kind);
      assert.equal(scene([rule], { [kind]: 'lamps' }).rights.allows(CALL), false, kind);
      assert.equal(scene([{ ...rule, who: `${kind}:*` }]).rights.allows(CALL), false, `no ${kind}`);
      assert.equal(
        scene([{ ...rule, who: `${kind}:bert/*` }], { [kind]: 'pumps' }).rights.allows(CALL),
        false,
      );
    }
  });

  it('are named by the warning of a refusal', () => {
    const { rights, refused } = scene();
    assert.throws(() => rights.check(CALL), {
      code: 'IOTMP_ERR_FORBIDDEN',
      message: 'anna/pump may not AccessDeviceResources anna/box/cmd',
    });
    const [text = ''] = refused;
    const rule: unknown = JSON.parse(text.slice(text.indexOf('{')));
    assert.equal(scene(deviceRules([rule])).rights.allows(CALL), true);
  });

  it('are checked: each fault names the rule and its member', () => {
    const good = { effect: 'allow', who: 'anna/*', action: '*', target: '*' };
    assert.deepEqual(deviceRules([good]), [good]);
    const faults: [unknown, RegExp][] = [
      [{}, /must be a list/],
      [[good, 5], /rule 2/],
      [[{ ...good, effect: 'permit' }], /rule 1: effect/],
      [[{ ...good, action: 'Fly' }], /rule 1: action/],
      [[{ ...good, target: '' }], /rule 1: target/],
      [[{ ...good, who: 'pump' }], /rule 1: who must be user\/device/],
      [[{ ...good, who: 'group:pumps' }], /rule 1: who/],
      [[{ ...good, colour: 'red' }], /rule 1.*colour/],
      [Array.from({ length: 1001 }, () => good), /1000 rules/],
    ];
    for (const [given, message] of faults) {
      assert.throws(() => deviceRules(given), { code: 'IOTMP_ERR_CONFIG', message });
    }
  });
});
