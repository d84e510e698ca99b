import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceAction } from '../../../src/rights/device-request';
import type { DeviceRule, DeviceTraits } from '../../../src/rights/device-rule';
import { LAMP, PUMP } from '../support/broker-fixture';
import type { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField, type RawMessage } from '../support/raw-message';
import { answerTo, serviceRun, ServicesBench, subscribe } from './support';

const TOPIC = { event: 'device_topic_publish', topic: 'a' } as const;
const STREAMED = { type: 'device', id: 'lamp', interval: 0 } as const;

/** Everything that stays open, with the actions that it needs: two events also those to what they tell. */
const OPEN: readonly (readonly [readonly DeviceAction[], (id: number, own: string) => Buffer])[] = [
  [
    ['AccessDeviceResources'],
    (id) => message(Type.START_STREAM, varintField(1, id), psonField(2, STREAMED), psonField(4, 'level')),
  ],
  [
    ['AccessDeviceResources'],
    (id) =>
      subscribe('A', id, {
        event: 'device_resource_stream',
        filters: { device: 'lamp', resource: 'level' },
      }),
  ],
  [['SubscribeEvents'], (id) => subscribe('A', id, { event: 'device_state_change' })],
  [
    ['SubscribeEvents'],
    (id, own) => subscribe('A', id, { event: 'endpoint_call', filters: { device: own } }),
  ],
  [['SubscribeTopic'], (id) => subscribe('A', id, { ...TOPIC, scope: 'subscribe' })],
  [['SubscribeEvents', 'SubscribeTopic'], (id) => subscribe('A', id, { event: 'device_topic_publish' })],
  [['PublishTopic'], (id) => subscribe('A', id, { ...TOPIC, scope: 'publish' })],
  [
    ['ReadProperty'],
    (id) => subscribe('A', id, { event: 'device_property_update', filters: { property: 'level' } }),
  ],
  [
    ['SubscribeEvents', 'ReadProperty'],
    (id, own) => subscribe('A', id, { event: 'device_property_update', filters: { device: own } }),
  ],
];

interface Scene {
  readonly bench: ServicesBench;
  readonly pump: RawDevice;
  readonly lamp: RawDevice;
  readonly traits: Map<string, DeviceTraits>;
}

async function scene(): Promise<Scene> {
  const traits = new Map<string, DeviceTraits>();
  const none = { type: '', group: '', product: '' };
  const bench = await ServicesBench.start({ traitsOf: ({ device }) => traits.get(device) ?? none });
  const lamp = await bench.broker.device(LAMP);
  lamp.resources.set('level', { fn: 3, run: () => 1 });
  return { bench, pump: await bench.broker.device(PUMP), lamp, traits };
}

/** Rights that are in use when everything is open. */
const RIGHTS = OPEN.flatMap(([needed]) => needed).length;

/** Opens everything on a device, or all but streams of the lamp; the ids begin with 1. */
async function openAll(device: RawDevice, isLamp = false): Promise<void> {
  for (const [index, [actions, build]] of OPEN.entries()) {
    if (isLamp && actions.includes('AccessDeviceResources')) continue;
    device.send(build(index + 1, isLamp ? 'lamp' : 'pump'));
    assert.equal((await answerTo(device, index + 1)).type, Type.OK, `${index + 1}`);
  }
}

function idsOf(action: DeviceAction | '*'): number[] {
  return OPEN.flatMap(([needed], index) => (action === '*' || needed.includes(action) ? [index + 1] : []));
}

/** What the server has ended so far of what a device opened. */
async function endedOn(device: RawDevice): Promise<RawMessage[]> {
  await device.barrier();
  return device.all(Type.STOP_STREAM).filter(({ id = 0 }) => id <= OPEN.length);
}

function deny(who: string, action: DeviceRule['action'] = '*'): DeviceRule {
  return { effect: 'deny', who, action, target: '*' };
}

async function lockOf(device: RawDevice, id: number): Promise<void> {
  device.send(serviceRun('A', 6, 'door', { id, payload: { timeout: 60 } }));
  await device.barrier();
}

describe('what is open when rules change', () => {
  for (const action of new Set(OPEN.flatMap(([needed]) => needed))) {
    it(`ends where it needs what is denied, and nothing else does: ${action}`, async () => {
      const { bench, pump, lamp } = await scene();
      await openAll(pump);
      await openAll(lamp, true);
      bench.services.rights.rules = [deny('anna/pump', action)];
      const ended = await endedOn(pump);
      assert.deepEqual(
        ended.map(({ id }) => id),
        idsOf(action),
      );
      for (const { parameters, payload } of ended) {
        assert.equal(parameters, 403);
        assert.match((payload as { error: string }).error, new RegExp(`^anna/pump may no longer ${action} `));
      }
      assert.deepEqual(await endedOn(lamp), []);
    });
  }

  it('is told once for each device and request, and by the budget of lines of the device', async () => {
    const { bench, pump } = await scene();
    await openAll(pump);
    for (let i = 0; i < 3; i++) bench.services.rights.rules = [deny('anna/pump')];
    await endedOn(pump);
    const lines = bench.broker.warnings.filter((line) => line.includes('may no longer'));
    assert.equal(new Set(lines).size, lines.length);
    assert.equal(lines.length, 5, 'the burst of one device');
    await bench.broker.clock.advance(5_000);
    assert.match(bench.broker.warnings.at(-1)!, /\d+ more lines were left out, \d+ of them about anna\/pump/);
  });

  it('stays where rules that allow it come, and where rules go', async () => {
    const { bench, pump } = await scene();
    await openAll(pump);
    bench.services.rights.rules = [{ ...deny('anna/pump'), effect: 'allow' }];
    bench.services.rights.rules = [deny('anna/lamp')];
    bench.services.rights.rules = [];
    assert.deepEqual(await endedOn(pump), []);
    assert.equal(bench.services.rights.open, RIGHTS);
  });

  it('ends where a rule goes that allowed it', async () => {
    const { bench, pump, lamp } = await scene();
    lamp.resources.set('$terminal/1', { fn: 4, run: () => 1 });
    bench.services.rights.rules = [{ ...deny('anna/pump'), effect: 'allow' }];
    pump.send(
      message(Type.START_STREAM, varintField(1, 1), psonField(2, STREAMED), psonField(4, '$terminal/1')),
    );
    assert.equal((await answerTo(pump, 1)).type, Type.OK);
    await openAll(lamp, true);
    bench.services.rights.rules = [];
    assert.deepEqual(
      (await endedOn(pump)).map(({ id, parameters }) => [id, parameters]),
      [[1, 403]],
    );
  });

  it('ends with the type, group or product of its device', async () => {
    for (const kind of ['type', 'group', 'product'] as const) {
      const { bench, pump, lamp, traits } = await scene();
      bench.services.rights.rules = [deny(`${kind}:anna/scrap`)];
      await openAll(pump);
      await openAll(lamp, true);
      const scrap = { type: '', group: '', product: '', [kind]: 'scrap' };
      traits.set('pump', scrap).set('lamp', scrap);
      bench.services.rights.review({ user: 'bob', device: 'pump' });
      assert.deepEqual(await endedOn(pump), []);
      bench.services.rights.review({ user: 'anna', device: 'pump' });
      assert.deepEqual(
        (await endedOn(pump)).map(({ id }) => id),
        idsOf('*'),
      );
      assert.deepEqual(await endedOn(lamp), []);
    }
  });

  it('goes on to publish nothing, and hears nothing', async () => {
    const { bench, pump } = await scene();
    const heard: unknown[] = [];
    bench.services.topics.subscribe('anna', '#', ({ payload }) => heard.push(payload));
    await openAll(pump);
    bench.services.rights.rules = [deny('anna/pump')];
    await endedOn(pump);
    const before = pump.all(Type.STREAM_DATA).length;
    for (const id of idsOf('*'))
      pump.send(message(Type.STREAM_DATA, varintField(1, id), psonField(3, 'still here')));
    await pump.barrier();
    await bench.services.topics.publish('anna', 'a', 'of a flow');
    await bench.services.properties.set({ user: 'anna', device: 'pump' }, 'level', 5);
    await pump.barrier();
    await bench.broker.until(() => heard.length > 0);
    assert.deepEqual(heard, ['of a flow']);
    assert.equal(pump.all(Type.STREAM_DATA).length, before);
    assert.equal(bench.services.rights.open, 0);
  });

  it('is forgotten when the device ends it or leaves', async () => {
    const { bench, pump } = await scene();
    await openAll(pump);
    pump.send(message(Type.STOP_STREAM, varintField(1, 1)));
    await pump.barrier();
    assert.equal(bench.services.rights.open, RIGHTS - 1);
    await bench.broker.device(PUMP);
    assert.equal(bench.services.rights.open, 0);
  });
});

describe('locks when rules change', () => {
  it('are not waited for any more where they are denied', async () => {
    const { bench, pump, lamp } = await scene();
    await lockOf(lamp, 1);
    await answerTo(lamp, 1);
    await lockOf(pump, 2);
    assert.equal(bench.services.rights.open, 1);
    bench.services.rights.rules = [deny('anna/pump', 'Lock')];
    const { type, parameters } = await answerTo(pump, 2);
    assert.deepEqual([type, parameters], [Type.ERROR, 403]);
    assert.equal(bench.services.rights.open, 0);
  });

  it('stay with their holder, who may still unlock them, but nothing else', async () => {
    const { bench, pump, lamp } = await scene();
    await lockOf(pump, 1);
    await answerTo(pump, 1);
    await lockOf(lamp, 2);
    bench.services.rights.rules = [deny('anna/pump', 'Lock')];
    assert.equal(bench.services.locks.size, 1);
    pump.send(serviceRun('A', 7, 'door', { id: 3, payload: {} }));
    assert.equal((await answerTo(pump, 3)).type, Type.OK);
    assert.equal((await answerTo(lamp, 2)).type, Type.OK);
    pump.send(serviceRun('A', 7, 'door', { id: 4, payload: {} }));
    assert.equal((await answerTo(pump, 4)).parameters, 403);
    assert.equal(bench.services.locks.size, 1);
  });
});

describe('a device that is called as one of another user', () => {
  it('may be streamed where a rule allows it: it is not the device itself', async () => {
    const BOB_PUMP = { user: 'bob', device: 'pump', credential: 'his' } as const;
    const bench = await ServicesBench.start({}, { devices: [PUMP, BOB_PUMP] });
    const pump = await bench.broker.device(PUMP);
    const other = await bench.broker.device(BOB_PUMP);
    other.resources.set('level', { fn: 3, run: () => 7 });
    bench.services.rights.rules = [{ ...deny('anna/pump'), effect: 'allow' }];
    const start = (id: number, target: string): Buffer =>
      message(
        Type.START_STREAM,
        varintField(1, id),
        psonField(2, { ...STREAMED, id: target }),
        psonField(4, 'level'),
      );
    pump.send(start(1, 'bob/pump'));
    assert.equal((await answerTo(pump, 1)).type, Type.OK);
    for (const own of ['pump', 'anna/pump']) {
      pump.send(start(2, own));
      assert.equal((await answerTo(pump, 2)).parameters, 508, own);
    }
  });
});
