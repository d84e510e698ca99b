import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { serverTable } from '../../../nodes/settings/iotmp-server';
import { editorPlugin } from './support/editor-plugin';

interface DeviceRules {
  readonly problemsOf: (rules: unknown, setting: unknown) => string[];
  readonly verdict: (rules: unknown, server: object, setting: unknown) => unknown;
  readonly partsOf: (who: string) => { kind: string; name: string };
  readonly whoOf: (kind: string, name: string) => string;
}

const { facts, read } = serverTable.properties.rules;
const { more: setting } = facts;
const GOOD = { effect: 'allow', who: 'ada/pump', action: 'Lock', target: 'door' };

function editor(): DeviceRules {
  const plugin = editorPlugin('iotmp-device-rules.html', { isOpen: () => false });
  return (plugin as { deviceRules: DeviceRules }).deviceRules;
}

/** The problems that the dialog sees, as a list of this realm. */
function problemsOf(rules: unknown): string[] {
  return [...editor().problemsOf(rules, setting)];
}

/** Rules, and the problem that each has in the dialog. */
const ROWS: [unknown, string | undefined][] = [
  [GOOD, undefined],
  [{ ...GOOD, who: '*' }, undefined],
  [{ ...GOOD, who: 'ada/*' }, undefined],
  [{ ...GOOD, who: '*pump' }, undefined],
  [{ ...GOOD, who: 'type:ada/pumps' }, undefined],
  [{ ...GOOD, who: 'product:*' }, undefined],
  [{ ...GOOD, who: 'device:a:b/c' }, undefined],
  [{ ...GOOD, who: 'a/b/c' }, undefined],
  [{ ...GOOD, who: 'ümlaut/🚀' }, undefined],
  [{ ...GOOD, action: '*' }, undefined],
  [{ ...GOOD, action: 'AccessDeviceResources', target: 'ada/box/a/b' }, undefined],
  [{ ...GOOD, action: 'AccessDeviceResources', target: '*relay' }, undefined],
  [{ ...GOOD, action: 'SubscribeEvents', target: 'device_state_change' }, undefined],
  [{ ...GOOD, action: 'SubscribeEvents', target: 'device_*' }, undefined],
  [{ ...GOOD, target: 'x'.repeat(512) }, undefined],
  [{ ...GOOD, effect: 'Allow' }, 'effect'],
  [{ ...GOOD, effect: undefined }, 'effect'],
  [{ ...GOOD, colour: 'red' }, 'member'],
  [{ ...GOOD, who: 'pump' }, 'who'],
  [{ ...GOOD, who: '' }, 'who'],
  [{ ...GOOD, who: 'ada/' }, 'who'],
  [{ ...GOOD, who: '/pump' }, 'who'],
  [{ ...GOOD, who: ' ada/pump' }, 'who'],
  [{ ...GOOD, who: 'group:pumps' }, 'who'],
  [{ ...GOOD, who: 'typ:ada/pumps' }, 'who'],
  [{ ...GOOD, who: 'all:ada/pumps' }, 'who'],
  [{ ...GOOD, who: 5 }, 'who'],
  [{ ...GOOD, action: 'lock' }, 'action'],
  [{ ...GOOD, target: '' }, 'target'],
  [{ ...GOOD, target: 'door ' }, 'target'],
  [{ ...GOOD, target: 'x'.repeat(513) }, 'target'],
  [{ ...GOOD, action: 'AccessDeviceResources', target: 'relay' }, 'resource'],
  [{ ...GOOD, action: 'SubscribeEvents', target: 'device_state' }, 'event'],
  [{ ...GOOD, action: 'SubscribeEvents', target: 'device.state_change' }, 'event'],
];

describe('the rules of rights in the dialog', () => {
  it('are usable there if they are at the start, and not otherwise', () => {
    for (const [rule, problem] of ROWS) {
      const text = JSON.stringify(rule).slice(0, 100);
      assert.deepEqual(problemsOf([rule]), problem === undefined ? [] : [problem], text);
      assert.equal(read({ rules: [rule] }, 'rules').faults.length, problem === undefined ? 0 : 1, text);
    }
    for (const junk of ['', 'x', {}, 5, true, null])
      assert.deepEqual([problemsOf(junk), read({ rules: junk }, 'rules').faults.length], [['list'], 1]);
    const many = Array.from({ length: 1001 }, () => GOOD);
    assert.deepEqual([problemsOf(many), read({ rules: many }, 'rules').faults.length], [['tooMany'], 1]);
    assert.deepEqual(problemsOf(many.slice(1)), []);
  });

  it('may come from an environment variable, and are none in an older flow', () => {
    for (const rules of [undefined, '${RULES}', []]) assert.deepEqual(problemsOf(rules), []);
    assert.deepEqual(read({}, 'rules'), { rules: [], faults: [] });
    assert.deepEqual(read({ rules: JSON.stringify([GOOD]) }, 'rules').rules, [GOOD]);
  });

  it('make their node invalid where one of them cannot work', () => {
    const { verdict } = editor();
    assert.equal(verdict([GOOD], {}, setting), true);
    const said = '@open-iotmp/node-red-iotmp/iotmp-server:rules.who';
    assert.equal(verdict([GOOD, { ...GOOD, who: 'pump' }], {}, setting), said);
  });

  it('keep their devices as they are written, whoever they are', () => {
    const { partsOf, whoOf } = editor();
    for (const who of [
      '*',
      'ada/pump',
      'type:ada/x',
      'group:*',
      'product:a/b',
      'typ:a/b',
      'pump',
      'all:x/y',
      '',
    ]) {
      const { kind, name } = partsOf(who);
      assert.equal(whoOf(kind, name), who);
    }
    assert.equal(whoOf('device', 'a:b/c'), 'device:a:b/c');
  });
});
