import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { allTables } from '../../../../nodes/settings/all';
import { callTable } from '../../../../nodes/settings/iotmp-call';
import { clientTable } from '../../../../nodes/settings/iotmp-client';
import { eventsTable } from '../../../../nodes/settings/iotmp-events';
import { resourceOutTable } from '../../../../nodes/settings/iotmp-resource-out';
import { serverTable } from '../../../../nodes/settings/iotmp-server';
import { streamTable } from '../../../../nodes/settings/iotmp-stream';
import { settingReader } from '../../../../nodes/settings/setting';
import { defaultClientOptions, defaultServerOptions, deviceMemory, eventKinds } from '../../../../src';

/** Properties that mean something else where they are missing than in a new node. */
const NEW_ONLY = ['iotmp-server storage', 'iotmp-client port'];

const settings = allTables.flatMap(({ type, properties }) =>
  Object.entries(properties).map(([name, setting]) => ({ id: `${type} ${name}`, type, name, setting })),
);

describe('the tables of settings', () => {
  it('read a property that is missing like the one of a new node', () => {
    assert.ok(settings.length > 50);
    for (const { id, name, setting } of settings) {
      const { default: value, defaultType } = setting.facts;
      const missing = setting.read({}, name);
      if (NEW_ONLY.includes(id)) assert.equal(missing, undefined, id);
      else assert.deepEqual(setting.read({ [name]: value, [`${name}Type`]: defaultType }, name), missing, id);
    }
  });

  it('have each number in its range, and refuse what is not, with property and range', () => {
    const numbers = settings.filter(({ setting }) => setting.facts.min !== undefined);
    assert.ok(numbers.length > 8);
    for (const { id, name, setting } of numbers) {
      const { min = NaN, max = NaN, field } = setting.facts;
      const kind = field === 'decimal' ? 'a number' : 'a whole number';
      for (const value of [min, max, String(max)])
        assert.equal(setting.read({ [name]: value }, name), Number(value), id);
      for (const value of [min - 0.01, max + 0.01, max + 1]) {
        assert.throws(() => setting.read({ [name]: value }, name), {
          code: 'IOTMP_ERR_CONFIG',
          message: new RegExp(`^${name} must be (a number|${kind}) from ${min} to ${max}$`),
        });
      }
      if (field === 'integer')
        assert.throws(() => setting.read({ [name]: min + 0.5 }, name), /a whole number/);
    }
  });

  it('take what the library defines from the library', () => {
    const server = settingReader(serverTable, {});
    assert.equal(server('keepAlive'), defaultServerOptions.keepAliveS);
    assert.equal(server('maxMessageSize'), defaultServerOptions.maxMessageSize);
    assert.equal(server('deviceMemory'), deviceMemory.default);
    assert.equal(server('maxConnections'), defaultServerOptions.maxConnections);
    assert.equal(server('requestTimeout'), defaultServerOptions.requestTimeoutMs / 1000);
    assert.equal(server('tcpPort'), defaultClientOptions.port.tcp);
    assert.equal(server('wsPath'), defaultClientOptions.path);
    const client = settingReader(clientTable, {});
    assert.equal(client('keepAlive'), defaultClientOptions.keepAliveS);
    assert.equal(client('path'), defaultClientOptions.path);
    assert.equal(client('transport'), defaultClientOptions.transport);
  });

  it('let a blank port, path or prefix mean what the dialog says', () => {
    const server = settingReader(serverTable, { tcpPort: '', wsPath: ' ', mqttPrefix: '', apiPath: '' });
    assert.equal(server('tcpPort'), undefined);
    assert.equal(server('wsPath'), '');
    assert.equal(server('mqttPrefix'), 'iotmp/');
    assert.equal(server('apiPath'), '');
    const client = settingReader(clientTable, { port: ' ', path: '' });
    assert.equal(client('port'), undefined);
    assert.equal(client('path'), defaultClientOptions.path);
  });

  it('read a property only when it is asked for', () => {
    const read = settingReader(streamTable, { interval: 'soon', autostart: false });
    assert.equal(read('autostart'), false);
    assert.throws(() => read('interval'), { code: 'IOTMP_ERR_CONFIG' });
  });

  it('read a typed value with its type', () => {
    assert.deepEqual(settingReader(resourceOutTable, { value: 'x', valueType: 'flow' })('value'), {
      name: 'value',
      value: 'x',
      type: 'flow',
    });
    const read = settingReader(callTable, { payload: null, payloadType: '', params: 5, paramsType: 7 });
    assert.deepEqual(read('payload'), { name: 'payload', value: '', type: 'msg' });
    assert.deepEqual(read('params'), { name: 'params', value: 5, type: 'json' });
  });

  it('read the action that the service has, the first one where none is given', () => {
    const action = (config: object): unknown => settingReader(callTable, config)('action');
    assert.equal(action({}), undefined);
    assert.equal(action({ service: '', action: 'get' }), undefined);
    assert.equal(action({ service: 'property' }), 'property.get');
    assert.equal(action({ service: 'bucket', action: '' }), 'bucket.write');
    assert.equal(action({ service: 'bucket', action: 'aggregate' }), 'bucket.aggregate');
    assert.throws(
      () => action({ service: 'topic', action: 'get' }),
      /^IotmpError: action must be one of publish$/,
    );
    assert.throws(
      () => action({ service: 'shop' }),
      /service must be one of , property, bucket, endpoint, topic, server$/,
    );
  });

  it('read the words of a list, and nothing else', () => {
    const read = (events: unknown): unknown => settingReader(eventsTable, { events })('events');
    assert.deepEqual(read(['a', 5, 'b']), ['a', 'b']);
    for (const none of [undefined, null, 'a', { 0: 'a' }]) assert.deepEqual(read(none), []);
    assert.deepEqual(
      eventsTable.properties.events.facts.choices,
      eventKinds.map(({ event }) => event),
    );
  });

  it('take a link that is not named client for a server', () => {
    for (const via of [undefined, null, '', 'other', 5]) {
      assert.equal(settingReader(streamTable, { via })('via'), 'server');
    }
    assert.equal(settingReader(streamTable, { via: 'client' })('via'), 'client');
  });
});
