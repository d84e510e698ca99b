import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ServiceCode } from '../../../src/codec/constants';
import { deviceActions, type DeviceAction } from '../../../src/rights/device-request';
import type { DeviceRule, DeviceTraits } from '../../../src/rights/device-rule';
import { eventKinds } from '../../../src/services/event-names';
import type { DeviceId } from '../../../src/types';
import { LAMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { answerTo, ask, BOB, ServicesBench, subscribe } from './support';

const {
  READ_PROPERTY,
  SET_PROPERTY,
  CALL_DEVICE,
  CALL_ENDPOINT,
  WRITE_BUCKET,
  LOCK,
  UNLOCK,
  SUBSCRIBE_EVENT,
} = ServiceCode;

const PUBLISH = { event: 'device_topic_publish', scope: 'publish', topic: 'a' } as const;
const SUBSCRIBE = { event: 'device_topic_publish', scope: 'subscribe', topic: '#' } as const;
const STRANGER = { user: 'anna', device: 'stranger', credential: '' } as const;

/** A request for a service. It answers with the status of its answer. */
interface ServiceRequest {
  readonly code: number;
  readonly action: DeviceAction;
  /** The devices that are refused by default; the others may. */
  readonly refused?: readonly Refused[];
  readonly ask: (device: RawDevice) => Promise<number>;
}

/** Devices by what they are to those that they ask about: anna's lamp, unless the request says otherwise. */
type Refused = 'own' | 'other user' | 'stranger';

const ALL: readonly Refused[] = ['own', 'other user', 'stranger'];
const FOREIGN: readonly Refused[] = ['other user', 'stranger'];

function call(argument: unknown, refused: readonly Refused[]): ServiceRequest {
  const request = { code: CALL_DEVICE, action: 'AccessDeviceResources', refused } as const;
  return { ...request, ask: (device) => run(device, CALL_DEVICE, argument, true) };
}

function streams(resource: string, target: string, refused: readonly Refused[]): ServiceRequest {
  const request = { code: SUBSCRIBE_EVENT, action: 'AccessDeviceResources', refused } as const;
  return { ...request, ask: (device) => stream(device, resource, target) };
}

function named(code: number, action: DeviceAction, name: string, payload?: unknown): ServiceRequest {
  return { code, action, ask: (device) => run(device, code, name, payload) };
}

function subscribes(
  action: DeviceAction,
  parameters: unknown,
  refused: readonly Refused[] = [],
): ServiceRequest {
  return { code: SUBSCRIBE_EVENT, action, refused, ask: (device) => start(device, parameters) };
}

/** Everything that a device can ask of a server, in each way to ask it. A service that is added has to be added here. */
const REQUESTS: Readonly<Record<string, ServiceRequest>> = {
  'reads its property': named(READ_PROPERTY, 'ReadProperty', 'level'),
  'sets its property': named(SET_PROPERTY, 'UpdateProperty', 'level', 5),
  'calls a resource': call(['anna/lamp', 'relay'], FOREIGN),
  'calls a resource by one text': call('lamp/relay', ['stranger']),
  'calls a resource in other letters': call(['anna/lamp', 'Relay'], FOREIGN),
  'calls a resource with a slash behind it': call(['anna/lamp', 'relay/'], FOREIGN),
  'calls a command': call(['anna/lamp', 'cmd'], ALL),
  'calls a command in parts': call(['anna/lamp', 'cmd', ''], ALL),
  'calls a command behind an empty part': call(['anna/lamp', '', 'cmd'], ALL),
  'calls a command that ends early': call(['anna/lamp', 'cmd\0x'], ALL),
  'calls a terminal': call(['anna/lamp', '$terminal/1'], ALL),
  'calls a terminal behind a slash': call(['anna/lamp', '/$terminal/1'], ALL),
  'calls a device of another user that is called alike': call(['bob/lamp', 'relay'], ['own', 'stranger']),
  'calls a stranger': call(['anonymous/other', 'relay'], ALL),
  'calls an endpoint': named(CALL_ENDPOINT, 'CallEndpoint', 'hello', { user: 'anna', device: 'lamp' }),
  'writes a bucket': named(WRITE_BUCKET, 'WriteBucket', 'log', { device: 'lamp' }),
  locks: named(LOCK, 'Lock', 'door', { timeout: 0 }),
  unlocks: named(UNLOCK, 'Lock', 'window', {}),
  publishes: subscribes('PublishTopic', PUBLISH),
  'publishes to be kept': subscribes('PublishTopic', { ...PUBLISH, retained: true }, ['stranger']),
  'subscribes to topics': subscribes('SubscribeTopic', SUBSCRIBE),
  'watches its property': subscribes('ReadProperty', {
    event: 'device_property_update',
    filters: { property: 'level' },
  }),
  'hears of a state': subscribes('SubscribeEvents', { event: 'device_state_change' }, ['stranger']),
  'streams a resource': streams('level', 'anna/lamp', FOREIGN),
  'streams a resource by its event': subscribes(
    'AccessDeviceResources',
    { event: 'device_resource_stream', filters: { device: 'anna/lamp', resource: 'level' } },
    FOREIGN,
  ),
  'streams a command': streams('cmd', 'anna/lamp', ALL),
  'streams a terminal': streams('$terminal/1', 'anna/lamp', ALL),
  'streams a device of another user that is called alike': streams('level', 'bob/lamp', ['own', 'stranger']),
};

/** The events that devices of a user hear of each other by default. */
const SHARED: readonly string[] = ['device_state_change', 'device_topic_publish'];

/** Every event. Those that are not shared are for the device that they are about alone. An event that is added has to be added here. */
const OWN_EVENTS: readonly string[] = [
  'audit_entry',
  ...['create', 'delete', 'export_completed', 'source_fault', 'update', 'write', 'write_refused'].map(
    (what) => `bucket_${what}`,
  ),
  'device_authentication_failed',
  'device_callback_call',
  'device_create',
  'device_credential_rotate',
  'device_delete',
  'device_property_delete',
  'device_property_update',
  'device_provision',
  'device_service_refused',
  'device_time_replaced',
  'device_update',
  ...['call', 'call_response', 'create', 'delete', 'update'].map((what) => `endpoint_${what}`),
  ...['group', 'product', 'project', 'type'].flatMap((asset) =>
    ['create', 'delete', 'property_delete', 'property_update', 'update'].map((what) => `${asset}_${what}`),
  ),
  ...['create', 'delete', 'fault', 'recovered', 'update'].map((what) => `storage_${what}`),
  'user_property_delete',
  'user_property_update',
];

/** What a device is, and what it may do beside the defaults. */
interface Kind {
  readonly id: DeviceId;
  readonly is: Refused;
  readonly rules?: 'allow' | 'deny';
  readonly traits?: Partial<DeviceTraits>;
}

const anna = (device: string): DeviceId => ({ user: 'anna', device });
const PUMPS = { type: 'pumps', group: 'garden', product: 'p1' };

const KINDS: Readonly<Record<string, Kind>> = {
  own: { id: anna('pump'), is: 'own' },
  'other of the user': { id: anna('heater'), is: 'own', traits: { type: 'heaters' } },
  'of another user with a type of the same name': { id: BOB, is: 'other user', traits: PUMPS },
  stranger: { id: STRANGER, is: 'stranger' },
  'another stranger': { id: { user: 'bob', device: 'fourth' }, is: 'stranger' },
  'allowed by its name': { id: anna('named'), is: 'own', rules: 'allow' },
  'allowed by its type': { id: anna('b1'), is: 'own', rules: 'allow', traits: { type: 'pumps' } },
  'allowed by its group': { id: anna('b2'), is: 'own', rules: 'allow', traits: { group: 'garden' } },
  'allowed by its product': { id: anna('b3'), is: 'own', rules: 'allow', traits: { product: 'p1' } },
  'allowed by a wildcard': { id: anna('wild7'), is: 'own', rules: 'allow' },
  'allowed as a stranger': { id: { user: 'anna', device: 'guest' }, is: 'stranger', rules: 'allow' },
  'denied before allowed': { id: anna('late'), is: 'own', rules: 'deny' },
  'allowed before denied': { id: anna('early'), is: 'own', rules: 'allow' },
  'denied by its type': { id: anna('old'), is: 'own', rules: 'deny', traits: { type: 'scrap' } },
  'denied as a stranger': { id: { user: 'anna', device: 'banned' }, is: 'stranger', rules: 'deny' },
};

function rule(effect: DeviceRule['effect'], who: string): DeviceRule {
  return { effect, who, action: '*', target: '*' };
}

const RULES: readonly DeviceRule[] = [
  rule('allow', 'anna/named'),
  rule('allow', 'type:anna/pumps'),
  rule('allow', 'group:anna/gar*'),
  rule('allow', 'product:anna/p1'),
  rule('allow', 'anna/wild*'),
  rule('allow', 'anonymous/guest'),
  rule('deny', 'anna/late'),
  rule('allow', 'anna/late'),
  rule('allow', 'anna/early'),
  rule('deny', 'anna/early'),
  rule('deny', 'type:*/scrap'),
  rule('deny', 'anonymous/banned'),
];

interface Scene {
  readonly bench: ServicesBench;
  readonly devices: ReadonlyMap<string, RawDevice>;
}

/** A device of each kind, and those that they ask about: anna's lamp, and a stranger. */
async function scene(): Promise<Scene> {
  const kinds = Object.entries(KINDS);
  const traitsOf = ({ user, device }: DeviceId): DeviceTraits => {
    const [, kind] = kinds.find(([, { id }]) => id.user === user && id.device === device) ?? [];
    return { type: '', group: '', product: '', ...kind?.traits };
  };
  const registered = kinds.filter(([, { is }]) => is !== 'stranger').map(([, { id }]) => id);
  const bench = await ServicesBench.start(
    { buckets: { autoCreate: true }, traitsOf },
    { anonymous: true, devices: [LAMP, ...registered.map((id) => ({ credential: 'secret', ...id }))] },
  );
  bench.services.endpoints.host('hello', () => 'world');
  const devices = new Map<string, RawDevice>();
  for (const [name, { id }] of kinds)
    devices.set(name, await bench.broker.device({ credential: 'secret', ...id }));
  const asked = [
    await bench.broker.device(LAMP),
    await bench.broker.device({ ...STRANGER, device: 'other' }),
  ];
  for (const device of [...asked, devices.get('of another user with a type of the same name')!]) {
    for (const name of ['relay', 'Relay', 'relay/', 'cmd', 'level', '$terminal/1'])
      device.resources.set(name, { fn: 4, run: () => 1 });
  }
  return { bench, devices };
}

async function run(device: RawDevice, code: number, argument: unknown, payload?: unknown): Promise<number> {
  return status(await ask(device, 'A', code, argument, payload));
}

let nextId = 100;

async function start(device: RawDevice, parameters: unknown): Promise<number> {
  const id = nextId++;
  device.send(subscribe('A', id, parameters));
  return status(await answerTo(device, id));
}

async function stream(device: RawDevice, resource: string, target: string): Promise<number> {
  const id = nextId++;
  const parameters = { type: 'device', id: target, interval: 0 };
  device.send(
    message(Type.START_STREAM, varintField(1, id), psonField(2, parameters), psonField(4, resource)),
  );
  return status(await answerTo(device, id));
}

function status({ type, parameters }: { type: number; parameters?: unknown }): number {
  if (type === Type.OK) return 200;
  return typeof parameters === 'number' ? parameters : 0;
}

/** The requests that are refused for want of a right. */
async function refusedOf(device: RawDevice): Promise<string[]> {
  const refused: string[] = [];
  for (const [name, request] of Object.entries(REQUESTS)) {
    if ((await request.ask(device)) === 403) refused.push(name);
  }
  return refused;
}

/** The events that a device may hear of. */
async function heardBy(device: RawDevice, filters?: Record<string, string>): Promise<string[]> {
  const heard: string[] = [];
  for (const { event } of eventKinds) {
    const answer = await start(device, { event, user: 'bob', ...(filters !== undefined && { filters }) });
    if (answer === 200) heard.push(event);
    else assert.equal(answer, 403, event);
  }
  return heard;
}

const EVENTS = eventKinds.map(({ event }) => event);

/** What a kind of device is refused, and what it hears of. */
function expectedOf({ is, rules }: Kind, isRuled: boolean): { refused: string[]; heard: string[] } {
  if (isRuled && rules === 'deny') return { refused: Object.keys(REQUESTS), heard: [] };
  if (isRuled && rules === 'allow') {
    // Even a rule does not let a stranger fill the store.
    const refused = is === 'stranger' ? ['publishes to be kept'] : [];
    return { refused, heard: EVENTS };
  }
  const names = Object.entries(REQUESTS).filter(([, { refused = [] }]) => refused.includes(is));
  return { refused: names.map(([name]) => name), heard: is === 'stranger' ? [] : [...SHARED] };
}

describe('the walk through the rights of devices', () => {
  it('knows every service, action and event, and a dozen kinds of devices', () => {
    const requests = Object.values(REQUESTS);
    const codes = [...new Set(requests.map(({ code }) => code))].sort((one, other) => one - other);
    assert.deepEqual(codes, Object.values(ServiceCode));
    const actions = new Set(requests.map(({ action }) => action));
    assert.deepEqual([...actions].sort(), [...deviceActions].sort());
    assert.deepEqual([...SHARED, ...OWN_EVENTS].sort(), [...EVENTS].sort());
    assert.ok(Object.keys(KINDS).length >= 12);
  });

  for (const isRuled of [false, true]) {
    it(`finds what each of them may do, ${isRuled ? 'by rules' : 'by default'}`, async () => {
      const { bench, devices } = await scene();
      if (isRuled) bench.services.rights.rules = RULES;
      for (const [name, device] of devices) {
        const { refused, heard } = expectedOf(KINDS[name]!, isRuled);
        assert.deepEqual(await refusedOf(device), refused, name);
        assert.deepEqual(await heardBy(device), heard, name);
        assert.deepEqual(await heardBy(device, { device: 'l*' }), heard, name);
        assert.deepEqual(
          await heardBy(device, { device: 'lamp', user: 'bob' }),
          KINDS[name]!.id.device === 'lamp' ? EVENTS : heard,
          name,
        );
      }
    }).timeout(30_000);
  }

  it('finds that a device hears of all events about itself, whatever it names as its user', async () => {
    const { devices } = await scene();
    for (const name of ['own', 'stranger'] as const) {
      const { device } = KINDS[name]!.id;
      assert.deepEqual(await heardBy(devices.get(name)!, { device }), EVENTS, name);
    }
  });

  it('finds each action and each target by itself: a rule for one denies no other', async () => {
    const { bench, devices } = await scene();
    const own = devices.get('own')!;
    const usual = expectedOf(KINDS.own!, false).refused;
    for (const action of deviceActions) {
      bench.services.rights.rules = [{ ...rule('deny', 'anna/pump'), action }];
      const refused = await refusedOf(own);
      const expected = Object.entries(REQUESTS).filter(
        ([name, request]) => request.action === action || usual.includes(name),
      );
      assert.deepEqual(
        refused,
        expected.map(([name]) => name),
        action,
      );
    }
  });

  it('finds no way around a rule on topics or properties through their events', async () => {
    const { bench, devices } = await scene();
    const own = devices.get('own')!;
    const deny = rule('deny', 'anna/pump');
    bench.services.rights.rules = [
      { ...deny, action: 'SubscribeTopic', target: 'secret/*' },
      { ...deny, action: 'ReadProperty', target: 'secret' },
    ];
    assert.deepEqual(await heardBy(own), ['device_state_change']);
    const ownEvents = await heardBy(own, { device: 'pump' });
    assert.deepEqual(
      EVENTS.filter((event) => !ownEvents.includes(event)),
      ['device_property_update', 'device_topic_publish'],
    );
    for (const topic of ['#', 'secret/x', '+/x', 'secret/#'])
      assert.equal(await start(own, { ...SUBSCRIBE, topic }), 403, topic);
    assert.equal(await start(own, { ...SUBSCRIBE, topic: 'open/#' }), 200);
  });

  it('finds that a device cannot name itself into the rights of another', async () => {
    const { bench } = await scene();
    bench.services.rights.rules = [rule('allow', 'anna/*'), rule('allow', 'type:anna/*')];
    for (const device of ['anna/pump', '*', 'anna', '../anna/pump', 'type:anna/pumps']) {
      const stranger = await bench.broker.device({ ...STRANGER, device });
      assert.deepEqual(await refusedOf(stranger), expectedOf(KINDS.stranger!, false).refused, device);
    }
  });
});

describe('rights of strangers', () => {
  it('keep what they publish from one another', async () => {
    const { bench, devices } = await scene();
    const stranger = devices.get('stranger')!;
    const other = await bench.broker.device({ ...STRANGER, device: 'third' });
    other.send(subscribe('A', 7, SUBSCRIBE));
    await answerTo(other, 7);
    stranger.send(subscribe('A', 8, PUBLISH));
    await answerTo(stranger, 8);
    stranger.send(message(Type.STREAM_DATA, varintField(1, 8), psonField(3, 'hello')));
    await stranger.barrier();
    await bench.services.topics.publish('anonymous', 'b', 'of a flow');
    await bench.broker.until(() => other.all(Type.STREAM_DATA).length > 0);
    const heard = other.all(Type.STREAM_DATA).map(({ payload }) => (payload as { topic: string }).topic);
    assert.deepEqual(heard, ['b']);
  });
});
