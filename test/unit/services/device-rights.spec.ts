import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceRule, DeviceTraits } from '../../../src/rights/device-rule';
import { eventKinds } from '../../../src/services/event-names';
import type { DeviceId } from '../../../src/types';
import { LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { answerTo, ask, BOB, ServicesBench, subscribe } from './support';

const STRANGER = { user: 'anna', device: 'stranger', credential: '' } as const;
const OTHER_STRANGER = { user: 'bob', device: 'other', credential: '' } as const;
const PUBLISH = { event: 'device_topic_publish', scope: 'publish', topic: 'a' } as const;
const SUBSCRIBE = { event: 'device_topic_publish', scope: 'subscribe', topic: '#' } as const;

/** Everything that a device can ask of a server. Each answers with the status of its answer. */
const REQUESTS: Record<string, (device: RawDevice) => Promise<number>> = {
  'reads its property': (device) => run(device, 1, 'level'),
  'sets its property': (device) => run(device, 2, 'level', 5),
  'calls a resource': (device) => run(device, 3, ['anna/lamp', 'relay'], true),
  'calls a command': (device) => run(device, 3, ['anna/lamp', 'cmd'], 'id'),
  'calls a terminal': (device) => run(device, 3, ['anna/lamp', '$terminal/1'], 'id'),
  'calls a stranger': (device) => run(device, 3, ['anonymous/other', 'relay'], true),
  'calls an endpoint': (device) => run(device, 4, 'hello', 1),
  'writes a bucket': (device) => run(device, 5, 'log', { level: 1 }),
  locks: (device) => run(device, 6, 'door', { timeout: 0 }),
  unlocks: (device) => run(device, 7, 'door', {}),
  publishes: (device) => start(device, PUBLISH),
  'publishes to be kept': (device) => start(device, { ...PUBLISH, retained: true }),
  'subscribes to topics': (device) => start(device, SUBSCRIBE),
  'watches its property': (device) =>
    start(device, { event: 'device_property_update', filters: { property: 'level' } }),
  'streams a resource': (device) => stream(device, 'level', 'anna/lamp'),
  'streams a terminal': (device) => stream(device, '$terminal/1', 'anna/lamp'),
};

interface Scene {
  readonly bench: ServicesBench;
  readonly devices: ReadonlyMap<string, RawDevice>;
}

async function scene(traits?: DeviceTraits): Promise<Scene> {
  const traitsOf = (id: DeviceId): DeviceTraits | undefined => (id.device === 'pump' ? traits : undefined);
  const bench = await ServicesBench.start({ buckets: { autoCreate: true }, traitsOf }, { anonymous: true });
  bench.services.endpoints.host('hello', () => 'world');
  const lamp = await bench.broker.device(LAMP);
  for (const name of ['relay', 'cmd', 'level', '$terminal/1'])
    lamp.resources.set(name, { fn: 4, run: () => 1 });
  const devices = new Map([
    ['own', await bench.broker.device(PUMP)],
    ['of another user', await bench.broker.device(BOB)],
    ['stranger', await bench.broker.device(STRANGER)],
  ]);
  await bench.broker.device(OTHER_STRANGER);
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
    if ((await request(device)) === 403) refused.push(name);
  }
  return refused;
}

/** The events that a device may hear of. */
async function heardBy(device: RawDevice, filters?: Record<string, string>): Promise<string[]> {
  const heard: string[] = [];
  for (const { event } of eventKinds) {
    const answer = await start(device, { event, ...(filters !== undefined && { filters }) });
    if (answer === 200) heard.push(event);
    else assert.equal(answer, 403, event);
  }
  return heard;
}

function rule(effect: DeviceRule['effect'], who: string, action: DeviceRule['action'] = '*'): DeviceRule {
  return { effect, who, action, target: '*' };
}

describe('rights of devices without rules', () => {
  it('refuse exactly what reaches further than a device may', async () => {
    const { devices } = await scene();
    const commands = ['calls a command', 'calls a terminal'];
    const terminal = 'streams a terminal';
    const expected: Record<string, string[]> = {
      own: [...commands, 'calls a stranger', terminal],
      'of another user': [
        'calls a resource',
        ...commands,
        'calls a stranger',
        'streams a resource',
        terminal,
      ],
      stranger: [
        'calls a resource',
        ...commands,
        'calls a stranger',
        'publishes to be kept',
        'streams a resource',
        terminal,
      ],
    };
    for (const [name, device] of devices) assert.deepEqual(await refusedOf(device), expected[name], name);
  });

  it('let a device hear of the state and topics of its user, and of all events about itself', async () => {
    const { devices } = await scene();
    const own = devices.get('own')!;
    assert.deepEqual(await heardBy(own), ['device_state_change', 'device_topic_publish']);
    assert.deepEqual(await heardBy(own, { device: 'lamp' }), ['device_state_change', 'device_topic_publish']);
    assert.deepEqual(await heardBy(own, { device: '*' }), ['device_state_change', 'device_topic_publish']);
    const all = eventKinds.map(({ event }) => event);
    assert.deepEqual(await heardBy(own, { device: 'pump' }), all);
    assert.deepEqual(await heardBy(devices.get('stranger')!), []);
  });

  it('keep what strangers publish from one another', async () => {
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

describe('rights of devices with rules', () => {
  it('are asked for everything: a rule that denies all refuses each request and each event', async () => {
    const { bench, devices } = await scene();
    bench.services.rights.rules = [rule('deny', '*')];
    for (const [name, device] of devices) {
      assert.deepEqual(await refusedOf(device), Object.keys(REQUESTS), name);
      assert.deepEqual(await heardBy(device, { device: 'pump' }), [], name);
    }
  });

  it('give one device, or those of a type, a group or a product, what a rule names, and others nothing more', async () => {
    const traits = { type: 'pumps', group: 'garden', product: 'p1' };
    for (const who of ['anna/pump', 'type:anna/pumps', 'group:anna/gar*', 'product:anna/p1']) {
      const { bench, devices } = await scene(traits);
      bench.services.rights.rules = [rule('allow', who)];
      const own = devices.get('own')!;
      assert.deepEqual(await refusedOf(own), [], who);
      assert.equal((await heardBy(own)).length, eventKinds.length, who);
      assert.equal((await refusedOf(devices.get('of another user')!)).length, 6, who);
    }
  });
});
