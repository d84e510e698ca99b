import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { describe, it } from 'mocha';
import { registeredDevices } from '../../../nodes/lib/server/registered-devices';
import { editorDefinition } from './support/editor-definition';
import { editorPlugin } from './support/editor-plugin';

type Row = Readonly<Record<'user' | 'device' | 'credential', string>>;

interface DeviceTable {
  readonly faultsOf: (rows: readonly Row[]) => Record<string, string>[];
  readonly verdict: (node: object) => unknown;
}

function deviceTable(): DeviceTable {
  const plugin = editorPlugin('iotmp-device-table.html', { isOpen: () => false });
  return (plugin as { deviceTable: DeviceTable }).deviceTable;
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
    for (const unknown of [undefined, '', '${DEVICES}']) assert.equal(verdict(node(unknown)), true);
    assert.equal(verdict({}), true);
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
