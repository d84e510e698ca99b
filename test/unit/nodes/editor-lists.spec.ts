import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { clientServiceCalls } from '../../../nodes/lib/call/client-service-calls';
import { serverServiceCalls } from '../../../nodes/lib/call/server-service-calls';
import { serviceFields, takesParameters, takesPayload } from '../../../nodes/lib/call/service-choice';
import { callTable, type ServiceAction } from '../../../nodes/settings/iotmp-call';
import { settingReader } from '../../../nodes/settings/setting';
import { eventKinds } from '../../../src';
import { editorDefinition } from './support/editor-definition';
import { editorPlugin } from './support/editor-plugin';

const NODES = resolve(__dirname, '../../../nodes');
const TEXTS = join(NODES, 'locales/en-US');
const read = (path: string): string => readFileSync(path, 'utf8');

/** The text of a key with dots. */
function textOf(catalogue: string, key: string): unknown {
  let value: unknown = JSON.parse(read(join(TEXTS, catalogue)));
  for (const part of key.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value;
}

interface EventList {
  readonly subjectOf: (name: string) => string;
}

interface EditorServices {
  of(node: object): { readonly uses: readonly string[]; readonly client?: boolean };
  check(node: object, action: string, opt: object): unknown;
}

const CALL = editorDefinition('iotmp-call');

/** A call node as the editor has it. */
function callNode(properties: { service: string; action?: string; via?: string }): object {
  return { ...properties, _def: CALL };
}

/** What a call node with these properties asks for. */
function asked(properties: object): string | undefined {
  return settingReader(callTable, properties)('action');
}

/** The services as the editor knows them. */
function editorServices(): EditorServices {
  const plugin = editorPlugin('iotmp-services.html', {
    current: (node: Record<string, unknown>, property: string) => node[property],
    isVariable: () => false,
    check: { reason: (_opt: unknown, key: string) => key },
  });
  return (plugin as { services: EditorServices }).services;
}

describe('the lists of the editor', () => {
  it('name every event that a server tells, with its meaning and its fields', () => {
    const names = eventKinds.map(({ event }) => event);
    const { eventList } = editorPlugin('iotmp-event-list.html') as { eventList: EventList };
    assert.deepEqual(editorDefinition('iotmp-events').defaults.events?.setting?.choices, names);
    const help = read(join(TEXTS, 'iotmp-events.html'));
    for (const name of names) {
      assert.equal(typeof textOf('iotmp-events.json', `event.${name}`), 'string', name);
      const subject = eventList.subjectOf(name);
      assert.notEqual(subject, 'other', name);
      assert.equal(typeof textOf('iotmp-events.json', `subject.${subject}`), 'string', name);
      assert.ok(help.includes(`\`${name}\``), name);
    }
  });

  it('offer what the services do, where they do it, with the fields that count', () => {
    const services = editorServices();
    for (const key of Object.keys(serverServiceCalls) as ServiceAction[]) {
      const [service = '', action = ''] = key.split('.');
      assert.equal(asked({ service, action }), key);
      assert.equal(services.check(callNode({ via: 'server', service, action }), action, {}), true, key);
      const throughClient = services.check(callNode({ via: 'client', service, action }), action, {});
      assert.equal(throughClient, key in clientServiceCalls ? true : 'serverOnly', key);
      const { uses } = services.of(callNode({ service, action }));
      const fields = serviceFields(key, true);
      assert.equal(uses.includes('device'), fields.device !== 'unused', key);
      assert.equal(uses.includes('resource'), fields.resource !== 'unused', key);
      assert.equal(uses.includes('payload'), takesPayload(key), key);
      assert.equal(uses.includes('params'), takesParameters(key), key);
      for (const text of [
        `action.${key}`,
        `label.does.${key}`,
        `label.name.${service}`,
        `service.${service}`,
      ]) {
        assert.equal(typeof textOf('iotmp-call.json', text), 'string', text);
      }
    }
  });

  it('mean the same where no action is given', () => {
    const services = editorServices();
    for (const service of ['property', 'bucket', 'endpoint', 'topic', 'server']) {
      const [, action = ''] = asked({ service })?.split('.') ?? [];
      assert.deepEqual(services.of(callNode({ service })), services.of(callNode({ service, action })));
    }
  });

  it('refuse an action that the service does not have', () => {
    const services = editorServices();
    const node = callNode({ via: 'server', service: 'bucket', action: 'get' });
    assert.equal(services.check(node, 'get', {}), 'action');
  });
});
