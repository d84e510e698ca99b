import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { allTables } from '../../../../nodes/settings/all';
import { dialogHtml } from '../../../../nodes/settings/dialog';
import { editorDefinition, tableOf } from '../support/editor-definition';
import { editorPlugin } from '../support/editor-plugin';

interface Validation {
  readonly check: Readonly<Record<string, unknown>>;
}

const KEY = '@open-iotmp/node-red-iotmp/';

/** Names of the validators that all dialogs share. */
const { check } = editorPlugin('iotmp-validation.html') as Validation;

describe('the definition of a node in the editor', () => {
  for (const { type, properties, credentials } of allTables) {
    it(`has the defaults and credentials of the table: ${type}`, () => {
      const { defaults, credentials: shown = {} } = editorDefinition(type);
      assert.deepEqual(defaults.name, { value: '' });
      assert.deepEqual(defaults.version, { value: 1 });
      const names = Object.entries(properties).flatMap(([name, { facts }]) =>
        facts.defaultType === undefined ? [name] : [name, `${name}Type`],
      );
      assert.deepEqual(Object.keys(defaults), ['name', 'version', ...names]);
      for (const [name, { facts }] of Object.entries(properties)) {
        assert.deepEqual(defaults[name]?.value, facts.default, name);
        if (facts.defaultType !== undefined) assert.equal(defaults[`${name}Type`]?.value, facts.defaultType);
        assert.equal(defaults[name]?.type, facts.node, name);
        assert.equal(defaults[name]?.required, facts.required, name);
      }
      assert.deepEqual(shown, credentials);
    });

    it(`has each validator that the table names: ${type}`, () => {
      const { checks = {} } = editorDefinition(type);
      for (const [name, { facts }] of Object.entries(properties)) {
        if (facts.check === undefined) continue;
        const isThere = Object.hasOwn(checks, facts.check) || Object.hasOwn(check, facts.check);
        assert.ok(isThere, `${name} is checked by ${facts.check}, which is not there`);
      }
      const named = Object.values(properties).map(({ facts }) => facts.check);
      for (const name of Object.keys(checks))
        assert.ok(named.includes(name), `no property is checked by ${name}`);
    });
  }

  it('judges a property with its setting, its label and its unit', () => {
    const judged: unknown[] = [];
    const openIotmp = { check: { property: (...args: unknown[]) => judged.push(args) && 'verdict' } };
    const { defaults } = editorDefinition('iotmp-server', openIotmp);
    const { validate, label, setting } = defaults.keepAlive!;
    assert.equal(validate!.length, 2, 'core takes reasons from functions with two parameters only');
    const node = { id: 'server' };
    const opt = { label };
    assert.equal(validate!.call(node, '90', opt), 'verdict');
    assert.deepEqual(judged, [[node, 'keepAlive', '90', opt]]);
    assert.equal(label, `${KEY}iotmp-plugin:label.keepAlive (s)`);
    assert.deepEqual(setting, {
      field: 'integer',
      check: 'number',
      label: `${KEY}iotmp-plugin:label.keepAlive`,
      unit: 's',
      min: 1,
      max: 1800,
    });
  });

  it('has choices with the keys of their texts, and a hint where blank is the default', () => {
    const { defaults } = editorDefinition('iotmp-client');
    assert.deepEqual(defaults.transport?.setting, {
      field: 'choice',
      label: `${KEY}iotmp-client:label.transport`,
      choices: ['tcp', 'tls', 'ws', 'wss'],
      texts: `${KEY}iotmp-client:transport.`,
    });
    assert.equal(editorDefinition('iotmp-server').defaults.mqttPrefix?.setting?.hint, 'iotmp/');
    assert.equal(editorDefinition('iotmp-server').defaults.wsPath?.setting?.hint, undefined);
  });

  it('has a place in the html, or the build ends', () => {
    const html = 'defaults: SETTINGS.defaults, credentials: SETTINGS.credentials';
    assert.doesNotMatch(dialogHtml(html, tableOf('iotmp-client')), /SETTINGS/);
    assert.throws(() => dialogHtml('defaults: SETTINGS.defaults', tableOf('iotmp-client')), {
      message: 'the html of iotmp-client has no SETTINGS.credentials',
    });
    assert.throws(() => dialogHtml('', tableOf('iotmp-call')), { message: /no SETTINGS.defaults/ });
  });
});

describe('the validators of the editor', () => {
  const { check: judges } = editorPlugin('iotmp-validation.html', {
    text: (key: string, values?: Record<string, unknown>) => [key, ...Object.values(values ?? {})].join(' '),
    current: (node: Record<string, unknown>, property: string) => node[property],
  }) as {
    check: { property: (node: object, name: string, value: unknown, opt: object) => unknown };
  };

  function judge(type: string, name: string, value: unknown, node: Record<string, unknown> = {}): unknown {
    return judges.property({ ...node, _def: editorDefinition(type) }, name, value, {});
  }

  it('take the range of a number from the table', () => {
    for (const value of ['1', '1800', 60, '${X}', undefined]) {
      assert.equal(judge('iotmp-server', 'keepAlive', value), true, String(value));
    }
    for (const value of ['0', '1801', '1.5', '', 'x']) {
      assert.equal(judge('iotmp-server', 'keepAlive', value), 'reason.integer 1 1800', value);
    }
    assert.equal(judge('iotmp-call', 'timeout', '0.1'), true);
    assert.equal(judge('iotmp-call', 'timeout', '0.05'), 'reason.number 0.1 3600');
  });

  it('take a blank port where it is off, and no other', () => {
    assert.equal(judge('iotmp-server', 'tcpPort', ''), true);
    assert.equal(judge('iotmp-client', 'port', ''), 'reason.integer 1 65535');
  });

  it('are those of the dialog where it has some', () => {
    assert.equal(judge('iotmp-server', 'mqtt', '_ADD_'), true);
  });
});
