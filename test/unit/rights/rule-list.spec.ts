import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { deviceRules, MAX_RULES, readDeviceRules } from '../../../src/rights/rule-list';

const GOOD = { effect: 'allow', who: 'anna/*', action: '*', target: '*' } as const;
const ALL = { effect: 'deny', who: '*', action: '*', target: '*' } as const;

/** Rules that cannot be read, and what is said of the second of two. */
const FAULTS: [unknown, RegExp][] = [
  [5, /rule 2/],
  [null, /rule 2/],
  [{ ...GOOD, effect: 'permit' }, /rule 2: effect must be "allow" or "deny"/],
  [{ ...GOOD, effect: 'Allow' }, /rule 2: effect/],
  [{ ...GOOD, action: 'Fly' }, /rule 2: action must be "\*" or one of AccessDeviceResources, /],
  [{ ...GOOD, action: 'lock' }, /rule 2: action/],
  [{ ...GOOD, target: '' }, /rule 2: target must not be blank/],
  [{ ...GOOD, target: 'a '.repeat(300) }, /rule 2: target must have 512 characters at most/],
  [{ ...GOOD, target: 7 }, /rule 2: target must be a text/],
  [{ ...GOOD, who: 'pump' }, /rule 2: who must be user\/device/],
  [{ ...GOOD, who: 'anna/' }, /rule 2: who must be user\/device/],
  [{ ...GOOD, who: '/pump' }, /rule 2: who must be user\/device/],
  [{ ...GOOD, who: ' anna/pump' }, /rule 2: who must not begin or end with a blank/],
  [{ ...GOOD, who: 'group:pumps' }, /rule 2: who/],
  [{ ...GOOD, who: 'typ:anna/pumps' }, /rule 2: who begins with "typ:": known are device:, type:/],
  [{ ...GOOD, who: 'Type:anna/pumps' }, /rule 2: who begins with "Type:"/],
  [
    { ...GOOD, action: 'AccessDeviceResources', target: 'relay' },
    /rule 2: target must be user\/device\/resource/,
  ],
  [{ ...GOOD, colour: 'red' }, /rule 2: .*colour/],
  [{ who: 'anna/*', action: '*', target: '*' }, /rule 2: effect/],
];

describe('a list of rules', () => {
  it('is checked: each fault names the rule and its member', () => {
    assert.deepEqual(deviceRules([GOOD]), [GOOD]);
    for (const [row, message] of FAULTS)
      assert.throws(() => deviceRules([GOOD, row]), { code: 'IOTMP_ERR_CONFIG', message });
    assert.throws(() => deviceRules({}), { message: /the rules must be a list/ });
  });

  it('takes who in every form', () => {
    for (const who of [
      'anna/pump',
      '*',
      'anna/*',
      '*pump',
      'type:anna/pumps',
      'group:*',
      'device:a:b/c',
      'a/b/c',
    ])
      assert.deepEqual(deviceRules([{ ...GOOD, who }]), [{ ...GOOD, who }]);
  });

  it('never gives more with a rule that cannot be read than it would with any other in its place', () => {
    for (const [row] of FAULTS) {
      const { effect } = Object(row) as { effect?: unknown };
      const { rules, faults } = readDeviceRules([GOOD, row, GOOD]);
      assert.equal(faults.length, 1);
      assert.equal(faults[0]?.row, 2);
      if (effect === 'allow') assert.deepEqual(rules, [GOOD, GOOD], JSON.stringify(row));
      else {
        assert.equal(rules.length, 3, JSON.stringify(row));
        assert.equal(rules[1]?.effect, 'deny');
        assert.deepEqual(rules[1], faults[0].denies);
      }
    }
  });

  it('keeps of a denial what can be read, and denies the rest as a whole', () => {
    const deny = { effect: 'deny', who: 'anna/pump', action: 'Lock', target: 'door' } as const;
    const read = (row: object): unknown => readDeviceRules([row]).rules;
    assert.deepEqual(read({ ...deny, who: 'pump' }), [{ ...deny, who: '*' }]);
    assert.deepEqual(read({ ...deny, action: 'Look' }), [{ ...deny, action: '*' }]);
    assert.deepEqual(read({ ...deny, target: undefined }), [{ ...deny, target: '*' }]);
    assert.deepEqual(read({ ...deny, colour: 'red' }), [deny]);
    assert.deepEqual(read({ ...deny, effect: 'deni' }), [deny]);
    const call = { ...deny, action: 'AccessDeviceResources', target: 'relay' };
    assert.deepEqual(read(call), [{ ...call, target: '*' }]);
  });

  it('that is no list, or longer than allowed, denies what its rows do not decide', () => {
    for (const given of ['', 'x', null, {}, 7, true]) assert.deepEqual(readDeviceRules(given).rules, [ALL]);
    const most = Array.from({ length: MAX_RULES }, () => GOOD);
    assert.deepEqual(readDeviceRules(most), { rules: most, faults: [] });
    const { rules, faults } = readDeviceRules(Array.from({ length: 10_000 }, () => GOOD));
    assert.equal(rules.length, MAX_RULES + 1);
    assert.deepEqual(rules.at(-1), ALL);
    assert.deepEqual(
      faults.map(({ row, reason }) => `${row} ${reason}`),
      [`${MAX_RULES + 1} a server has ${MAX_RULES} rules at most`],
    );
  });
});
