import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { describe, it } from 'mocha';
import { changedTable, viewOfTable, type TableView } from '../../../nodes/lib/server/device-table';
import { registeredDevices } from '../../../nodes/lib/server/registered-devices';
import { editorDefinition } from './support/editor-definition';
import { editorPlugin } from './support/editor-plugin';

type Row = Readonly<Record<'user' | 'device' | 'credential', string>>;

interface DeviceTable {
  readonly faultsOf: (rows: readonly Row[]) => Record<string, string>[];
  readonly verdict: (node: object, isOpenToAll?: boolean) => unknown;
  readonly entriesOf: (view: TableView) => Row[];
  readonly changeOf: (view: TableView, entries: readonly object[]) => string;
}

function deviceTable(deployed: readonly string[] = []): DeviceTable {
  const isDeployed = (id: string): boolean => deployed.includes(id);
  const { deviceEntries } = editorPlugin('iotmp-device-entries.html') as { deviceEntries: DeviceTable };
  const parts = { deviceEntries, isOpen: () => false, isDeployed };
  const plugin = editorPlugin('iotmp-device-table.html', parts) as { deviceTable: DeviceTable };
  return { ...deviceEntries, ...plugin.deviceTable };
}

/** The faults of rows, as objects of this realm. */
function faultsOf(rows: readonly Row[]): unknown {
  return JSON.parse(JSON.stringify(deviceTable().faultsOf(rows)));
}

/** The texts of the warnings that the runtime gives for rows. */
function leftOut(rows: readonly unknown[]): string[] {
  const warnings: string[] = [];
  const RED = { _: (key: string, { reason }: { reason?: string } = {}) => reason ?? key };
  registeredDevices(
    RED as unknown as NodeAPI,
    JSON.stringify(rows),
    () => undefined,
    (text) => warnings.push(text),
  );
  return warnings.map((text) => text.replace(/^.*:/, ''));
}

const row = (user: string, device: string, credential = 'secret'): Row => ({ user, device, credential });

describe('the rows of the table of devices', () => {
  for (const name of ['pump', 'a.b', '...', 'ümlaut 🚀', 'a b', 'a/b', '.a', 'x'.repeat(255)]) {
    it(`may have the id ${JSON.stringify(name.slice(0, 20))}, in the dialog and at the start`, () => {
      for (const one of [row('ada', name), row(name, 'pump')]) {
        assert.deepEqual(faultsOf([one]), [{}]);
        assert.deepEqual(leftOut([one]), []);
      }
    });
  }

  for (const name of ['.', '..', ' pump', 'pump ', '\tpump', 'a/../b', './a', 'a\u0000b', 'x'.repeat(256)]) {
    it(`cannot have the id ${JSON.stringify(name.slice(0, 20))}: marked in the dialog, left out at the start`, () => {
      assert.deepEqual(faultsOf([row('ada', name)]), [{ device: 'unusable' }]);
      assert.deepEqual(faultsOf([row(name, 'pump')]), [{ user: 'unusable' }]);
      assert.deepEqual(leftOut([row('ada', name), row(name, 'pump')]), [
        'devices.unusable',
        'devices.unusable',
      ]);
    });
  }

  it('need a credential, and a name of their own', () => {
    const rows = [row('ada', 'pump'), row('ada', 'lamp', ''), row('ada', 'pump')];
    assert.deepEqual(faultsOf(rows), [{}, { credential: 'incomplete' }, { device: 'duplicate' }]);
    assert.deepEqual(leftOut(rows), ['devices.incomplete', 'devices.duplicate']);
  });

  it('make their node invalid where one of them cannot work', () => {
    const { verdict } = deviceTable();
    const node = (rows: unknown): object => ({ credentials: { devices: rows } });
    assert.equal(verdict(node(JSON.stringify([row('ada', 'pump')]))), true);
    const said = (fault: string): string => `@open-iotmp/node-red-iotmp/iotmp-server:devices.${fault}`;
    assert.equal(verdict(node(JSON.stringify([row('ada', 'pump', '')]))), said('incomplete'));
    assert.equal(verdict(node(JSON.stringify([row('ada', '.')]))), said('unusable'));
    assert.equal(verdict(node('${DEVICES}')), true);
    for (const none of [node(undefined), node(''), {}]) {
      assert.equal(verdict(none), said('none'), 'a copy comes without its devices');
      assert.equal(verdict(none, true), true);
    }
    const { defaults } = editorDefinition('iotmp-server', {
      check: { property: (_node: unknown, name: string) => name },
    });
    assert.equal(
      defaults.anonymous?.validate?.call({}, false, {}),
      'anonymous',
      'the validator of the table',
    );
    assert.equal(defaults.anonymous.setting?.check, 'devices');
  });
});

describe('what the dialog of a server sends', () => {
  const PUMP = row('ada', 'pump', 'secret-pump');
  const LAMP = row('ada', 'lamp', 'secret-lamp');
  const FROM_ENV = row('ada', 'env', '${SECRET}');
  const rowsOf = (text: string): unknown => JSON.parse(text === '' ? '[]' : text);

  /** The table after the dialog has shown it and `edit` has changed what is seen. */
  function tableAfter(
    before: readonly Row[],
    edit: (entries: Row[]) => readonly object[],
    now = before,
  ): unknown {
    const { entriesOf, changeOf } = deviceTable();
    const view = viewOfTable(JSON.stringify(before));
    assert.ok(!JSON.stringify(view).includes('secret'));
    const change = changeOf(view, edit(entriesOf(view)));
    return change === '' ? 'no change' : rowsOf(changedTable(JSON.stringify(now), change));
  }

  it('is nothing for rows that are left alone', () => {
    assert.equal(
      tableAfter([PUMP, PUMP, FROM_ENV], (entries) => entries),
      'no change',
    );
  });

  it('is a new row, also of a node without a table', () => {
    const { changeOf } = deviceTable();
    assert.deepEqual(rowsOf(changedTable('', changeOf({ rows: [] }, [PUMP]))), [PUMP]);
    assert.deepEqual(
      tableAfter([PUMP], (entries) => [...entries, LAMP]),
      [PUMP, LAMP],
    );
  });

  it('is a row with another name and its old credential', () => {
    const renamed = tableAfter([PUMP, LAMP], ([pump, lamp]) => [
      { ...pump, user: 'bob', device: 'pump2' },
      lamp!,
    ]);
    assert.deepEqual(renamed, [{ ...PUMP, user: 'bob', device: 'pump2' }, LAMP]);
  });

  it('swaps the names of two rows, each with its credential', () => {
    const swapped = tableAfter([PUMP, LAMP], ([pump, lamp]) => [
      { ...pump, device: 'lamp' },
      { ...lamp, device: 'pump' },
    ]);
    assert.deepEqual(swapped, [
      { ...PUMP, device: 'lamp' },
      { ...LAMP, device: 'pump' },
    ]);
  });

  it('is a row with another credential, in its place', () => {
    const changed = tableAfter([PUMP, LAMP], ([pump, lamp]) => [{ ...pump, credential: 'other' }, lamp!]);
    assert.deepEqual(changed, [{ ...PUMP, credential: 'other' }, LAMP]);
  });

  it('takes rows away, of two with one name the one that was meant', () => {
    const twin = { ...PUMP, credential: 'secret-twin' };
    assert.deepEqual(
      tableAfter([PUMP, LAMP, twin], ([pump, lamp]) => [pump!, lamp!]),
      [PUMP, LAMP],
    );
    assert.deepEqual(
      tableAfter([PUMP, LAMP, twin], ([, lamp, last]) => [lamp!, last!]),
      [LAMP, twin],
    );
    assert.deepEqual(
      tableAfter([PUMP], () => []),
      [],
    );
  });

  it('shows the name of a variable, which can be cleared and replaced', () => {
    const { entriesOf } = deviceTable();
    const [shown] = entriesOf(viewOfTable(JSON.stringify([FROM_ENV])));
    assert.equal(shown?.credential, '${SECRET}');
    for (const credential of ['', 'plain', '${OTHER}']) {
      const changed = tableAfter([FROM_ENV], ([env]) => [{ ...env, credential }]);
      assert.deepEqual(changed, [{ ...FROM_ENV, credential }]);
    }
  });

  it('leaves alone what another editor has added, changed, moved and taken away since', () => {
    const tap = row('ada', 'tap', 'secret-tap');
    const now = [tap, { ...LAMP, credential: 'secret-new' }, PUMP];
    const renamed = tableAfter([PUMP, LAMP], ([pump, lamp]) => [{ ...pump, device: 'pump2' }, lamp!], now);
    assert.deepEqual(renamed, [tap, { ...LAMP, credential: 'secret-new' }, { ...PUMP, device: 'pump2' }]);
    assert.deepEqual(
      tableAfter([PUMP, LAMP], ([pump]) => [pump!], now),
      [tap, PUMP],
    );
    const orphan = tableAfter([PUMP], ([pump]) => [{ ...pump, device: 'pump2' }], []);
    assert.deepEqual(orphan, [{ user: 'ada', device: 'pump2' }], 'is marked, as it has no credential');
  });

  it('changes nothing the second time', () => {
    const { entriesOf, changeOf } = deviceTable();
    const view = viewOfTable(JSON.stringify([PUMP, LAMP]));
    const [pump] = entriesOf(view);
    const change = changeOf(view, [{ ...pump, device: 'pump2' }, row('ada', 'tap')]);
    const once = changedTable(JSON.stringify([PUMP, LAMP]), change);
    assert.equal(changedTable(once, change), once);
  });

  it('keeps the next credential of a row, unless its credential is typed anew', () => {
    const text = JSON.stringify([{ ...PUMP, next: 'later' }]);
    const changed = (fields: object): unknown => {
      const { user, device } = PUMP;
      const set = [{ from: [0, user, device], user, device, ...fields }];
      return JSON.parse(changedTable(text, JSON.stringify({ set, remove: [] })));
    };
    assert.deepEqual(changed({ device: 'well' }), [{ ...PUMP, device: 'well', next: 'later' }]);
    assert.deepEqual(changed({ credential: 'now' }), [{ ...PUMP, credential: 'now' }]);
  });

  it('takes the place of a variable as a whole, and of a text that cannot be read', () => {
    const { changeOf } = deviceTable();
    assert.deepEqual(viewOfTable('${DEVICES}'), { variable: '${DEVICES}' });
    assert.deepEqual(viewOfTable('[{"credential":"secret"'), { variable: '' });
    const change = changeOf({ variable: '${DEVICES}' }, [PUMP]);
    assert.deepEqual(rowsOf(changedTable('${DEVICES}', change)), [PUMP]);
    assert.equal(changedTable(JSON.stringify([PUMP]), JSON.stringify({ all: '${X}' })), '${X}');
  });

  it('keeps whatever else a row holds', () => {
    const odd = { ...PUMP, note: 'by the door' };
    assert.deepEqual(
      tableAfter([odd], ([pump]) => [{ ...pump, device: 'pump2' }]),
      [{ ...odd, device: 'pump2' }],
    );
  });

  it('is refused where it is no change of a table, without a word of its text', () => {
    const change = JSON.stringify({ set: [PUMP], remove: [] });
    const set = (one: unknown): string => JSON.stringify({ set: [one], remove: [] });
    const cases = [
      ['${DEVICES}', change],
      ['[]', 'secret'],
      ['[]', '{}'],
      ['[]', set({ user: 1, device: 'secret' })],
      ['[]', set({ ...PUMP, from: ['secret'] })],
      ['[]', JSON.stringify({ set: [], remove: ['secret'] })],
    ];
    for (const [text = '', wrong = ''] of cases) {
      assert.throws(
        () => changedTable(text, wrong),
        (error: Error) =>
          String(Reflect.get(error, 'code')).includes('CONFIG') && !error.message.includes('secret'),
      );
    }
  });
});
