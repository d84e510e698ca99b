import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { RawDevice } from '../support/raw-device';
import { Type, type RawMessage } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { callNode, catchNodes, devicesOf, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

/** Calls with fields of these types; gives what the device got. */
class CallBench {
  readonly flow: FlowBench;
  readonly device: RawDevice;

  private constructor(flow: FlowBench, device: RawDevice) {
    this.flow = flow;
    this.device = device;
  }

  static async start(properties: Record<string, unknown>): Promise<CallBench> {
    const flow = await FlowBench.start();
    await flow.load(serverNode(flow.port), callNode(properties), sinkNode(), ...catchNodes());
    const device = await flow.device();
    device.serves = false;
    return new CallBench(flow, device);
  }

  /** The RUN that a message leads to. It is answered. */
  async run(message: Record<string, unknown>): Promise<RawMessage> {
    this.flow.send('call', message);
    const run = await this.device.next(Type.RUN);
    this.device.ok(run.id!);
    await this.flow.box().next();
    return run;
  }
}

describe('fields of iotmp-call', () => {
  const payloads: [string, string, unknown][] = [
    ['msg', 'data.level', 4],
    ['str', 'a text', 'a text'],
    ['num', '23.5', 23.5],
    ['bool', 'true', true],
    ['json', '{"a":[1,null]}', { a: [1, null] }],
    ['bin', '[1,2]', Buffer.from([1, 2])],
    ['jsonata', 'data.level + 1', 5],
    ['jsonata', '[1..3]', [1, 2, 3]],
    ['flow', 'kept', { of: 'flow' }],
    ['global', 'kept', 'of all'],
    ['env', 'IOTMP_TEST_VALUE', 'from the environment'],
  ];
  for (const [payloadType, payload, expected] of payloads) {
    it(`takes the payload from ${payloadType} ${payload}`, async () => {
      process.env.IOTMP_TEST_VALUE = 'from the environment';
      const bench = await CallBench.start({ payload, payloadType });
      bench.flow.node('call').context().flow.set('kept', { of: 'flow' });
      bench.flow.node('call').context().global.set('kept', 'of all');
      assert.deepEqual((await bench.run({ data: { level: 4 } })).payload, expected);
    });
  }

  it('takes the time as payload', async () => {
    const bench = await CallBench.start({ payload: '', payloadType: 'date' });
    const before = Date.now();
    const { payload } = await bench.run({});
    assert.ok(typeof payload === 'number' && payload >= before && payload <= Date.now());
  });

  for (const payloadType of ['str', 'json']) {
    it(`sends nothing for a blank payload of type ${payloadType}`, async () => {
      const bench = await CallBench.start({ payload: '', payloadType });
      bench.device.serves = true;
      bench.device.resources.set('level', { fn: 3, run: () => 1 });
      bench.flow.send('call', { payload: 'not this' });
      await bench.flow.box().next();
      assert.deepEqual(
        bench.device.all(Type.RUN).map(({ keys, payload }) => [keys.length, payload]),
        [[2, undefined]],
      );
    });
  }

  it('sends parameters of its own', async () => {
    const bench = await CallBench.start({ params: '{"unit":"m"}', paramsType: 'json' });
    assert.deepEqual((await bench.run({ payload: 1 })).parameters, { unit: 'm' });
  });

  it('sends parameters of the message, where there are some', async () => {
    const bench = await CallBench.start({ params: 'params', paramsType: 'msg' });
    assert.equal((await bench.run({ payload: 1, params: 7 })).parameters, 7);
    assert.equal((await bench.run({ payload: 1 })).parameters, undefined);
  });

  it('names its target by the message', async () => {
    const bench = await CallBench.start({
      user: 'to.user',
      userType: 'msg',
      device: 'to.device',
      deviceType: 'msg',
      resource: '"set/" & to.number',
      resourceType: 'jsonata',
    });
    bench.flow.send('call', { payload: 1, to: { user: 'anna', device: 'pump', number: 4 } });
    const run = await bench.device.next(Type.RUN);
    assert.equal(run.resource, 'set/4');
    bench.device.ok(run.id!);
    const { user, device, resource } = await bench.flow.box().next();
    assert.deepEqual([user, device, resource], ['anna', 'pump', 'set/4']);
  });

  it('names its target by the context and the environment', async () => {
    process.env.IOTMP_TEST_DEVICE = 'pump';
    const bench = await CallBench.start({
      device: 'IOTMP_TEST_DEVICE',
      deviceType: 'env',
      resource: 'name',
      resourceType: 'flow',
    });
    bench.flow.node('call').context().flow.set('name', 42);
    assert.equal((await bench.run({ payload: 1 })).resource, '42');
  });

  it('has its fields win over the message', async () => {
    const bench = await CallBench.start({});
    const run = await bench.run({ payload: 1, user: 'x', device: 'y', resource: 'z' });
    assert.equal(run.resource, 'level');
  });

  it('means the user of the first registered device by a blank one', async () => {
    const flow = await FlowBench.start();
    const bert = { user: 'bert', device: 'pump', credential: 'b' };
    const server = serverNode(flow.port, { credentials: devicesOf(bert, PUMP) });
    await flow.load(server, callNode({ resource: 'who' }), sinkNode());
    const anna = await flow.device();
    const device = await flow.device(bert);
    device.resources.set('who', { fn: 3, run: () => 'bert' });
    anna.resources.set('who', { fn: 3, run: () => 'anna' });
    flow.send('call', {});
    const { payload, user } = await flow.box().next();
    assert.deepEqual([payload, user], ['bert', 'bert']);
  });

  it('means the user of the first connected device where none is registered', async () => {
    const flow = await FlowBench.start();
    await flow.load(
      serverNode(flow.port, { anonymous: true, credentials: {} }),
      callNode({ resource: 'who' }),
      sinkNode(),
    );
    const device = await flow.device({ user: 'carl' });
    device.resources.set('who', { fn: 3, run: () => 'carl' });
    flow.send('call', {});
    assert.equal((await flow.box().next()).user, 'anonymous');
  });

  const failures: Record<string, [Record<string, unknown>, RegExp]> = {
    'no device': [{ device: '' }, /errors\.noDevice/],
    'a device that is blank in the message': [{ device: 'none', deviceType: 'msg' }, /errors\.noDevice/],
    'no resource': [{ resource: ' ' }, /errors\.noResource/],
    'a device that is no text': [{ device: 'payload', deviceType: 'msg' }, /device must be a text/],
    'an expression with an error': [{ payload: '$no(', payloadType: 'jsonata' }, /payload: /],
    'an expression that fails': [{ payload: '1 + "a"', payloadType: 'jsonata' }, /payload: /],
    'parameters that are no JSON': [{ params: '{', paramsType: 'json' }, /params: /],
    'a property that cannot be': [{ payload: 'a..b', payloadType: 'msg' }, /payload: /],
  };
  for (const [name, [properties, message]] of Object.entries(failures)) {
    it(`fails for ${name} with CONFIG, and the message is kept`, async () => {
      const bench = await CallBench.start(properties);
      bench.flow.send('call', { payload: { an: 'object' }, topic: 'kept' });
      const error = await bench.flow.error();
      assert.equal(error.code, 'IOTMP_ERR_CONFIG');
      assert.match(error.message, message);
      assert.equal(error.msg.topic, 'kept');
      await bench.device.barrier();
      assert.deepEqual(bench.device.acts, []);
    });
  }

  it('is put together by environment variables in place of any property', async () => {
    process.env.IOTMP_TEST_TIMEOUT = '0.1';
    process.env.IOTMP_TEST_LAMP = LAMP.device;
    process.env.IOTMP_TEST_PORT = '';
    const flow = await FlowBench.start();
    process.env.IOTMP_TEST_PORT = String(flow.port);
    process.env.IOTMP_TEST_DEVICES = JSON.stringify([LAMP]);
    await flow.load(
      serverNode(flow.port, {
        tcpPort: '${IOTMP_TEST_PORT}',
        credentials: { devices: '${IOTMP_TEST_DEVICES}' },
      }),
      callNode({ device: '${IOTMP_TEST_LAMP}', timeout: '${IOTMP_TEST_TIMEOUT}' }),
      sinkNode(),
      ...catchNodes(),
    );
    const device = await flow.device(LAMP);
    device.serves = false;
    flow.send('call', { payload: 1 });
    assert.equal((await flow.error()).code, 'IOTMP_ERR_TIMEOUT');
  });
});
