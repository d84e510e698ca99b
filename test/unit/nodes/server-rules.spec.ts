import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { DeviceRule } from '../../../src';
import { SERVICE_ACTIONS } from '../../../nodes/settings/iotmp-call';
import { answerTo, serviceRun, subscribe } from '../services/support';
import { sessionOf } from '../support/device-session';
import type { RawDevice } from '../support/raw-device';
import { message, psonField, Type, varintField } from '../support/raw-message';
import { FlowBench } from './support/flow-bench';
import { callNode, catchNodes, clientNode, LAMP, PUMP, serverNode, sinkNode } from './support/flows';

const DENY_ALL: DeviceRule = { effect: 'deny', who: '*', action: '*', target: '*' };
const ALLOW_CMD: DeviceRule = {
  effect: 'allow',
  who: 'anna/pump',
  action: 'AccessDeviceResources',
  target: 'anna/lamp/cmd',
};

interface Scene {
  readonly bench: FlowBench;
  readonly pump: RawDevice;
  readonly lamp: RawDevice;
}

async function start(rules: unknown): Promise<Scene> {
  const bench = await FlowBench.start();
  await bench.load(serverNode(bench.port, { rules }));
  const lamp = await bench.device(LAMP, {
    cmd: { fn: 4, run: () => 'done' },
    level: { fn: 3, run: () => 1 },
  });
  return { bench, pump: await bench.device(PUMP), lamp };
}

async function callCmd(device: RawDevice): Promise<number> {
  device.send(serviceRun('A', 3, ['lamp', 'cmd'], { id: 9158, payload: 'id' }));
  return (await answerTo(device, 9158)).type;
}

function deployed(bench: FlowBench, rules: unknown): Promise<void> {
  const { credentials: _, ...node } = serverNode(bench.port, { rules });
  return bench.deploy('nodes', node);
}

describe('the rules of a server node', function () {
  this.timeout(30_000);

  it('take effect with a deploy, on the same connections', async () => {
    const { bench, pump } = await start([]);
    assert.equal(await callCmd(pump), Type.ERROR);
    const session = sessionOf(await bench.connectedDevice());
    await deployed(bench, [ALLOW_CMD]);
    assert.equal(await callCmd(pump), Type.OK);
    await deployed(bench, [DENY_ALL, ALLOW_CMD]);
    assert.equal(await callCmd(pump), Type.ERROR);
    await deployed(bench, undefined);
    assert.equal(await callCmd(pump), Type.ERROR);
    assert.equal(sessionOf(await bench.connectedDevice()), session);
  });

  it('end an open stream that they deny, with a reason for the device and a line in the log', async () => {
    const { bench, pump } = await start([]);
    const parameters = { type: 'device', id: 'lamp', interval: 0 };
    pump.send(message(Type.START_STREAM, varintField(1, 7), psonField(2, parameters), psonField(4, 'level')));
    assert.equal((await answerTo(pump, 7)).type, Type.OK);
    pump.send(subscribe('A', 8, { event: 'device_state_change' }));
    assert.equal((await answerTo(pump, 8)).type, Type.OK);
    const deny = { ...ALLOW_CMD, effect: 'deny', target: 'anna/lamp/*' };
    await deployed(bench, [deny]);
    const stop = await pump.next(Type.STOP_STREAM);
    assert.deepEqual([stop.id, stop.parameters], [7, 403]);
    assert.match(
      JSON.stringify(stop.payload),
      /anna\/pump may no longer AccessDeviceResources anna\/lamp\/level/,
    );
    const lines = bench.log('warn', 'server').filter((line) => line.includes('may no longer'));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.equal(pump.all(Type.STOP_STREAM).length, 1);
  });

  it('that cannot be read are named in the log, and give nothing away', async () => {
    const { bench, pump } = await start([
      { ...ALLOW_CMD, who: 'pump' },
      { ...DENY_ALL, action: 'Fly' },
      ALLOW_CMD,
    ]);
    assert.equal(await callCmd(pump), Type.ERROR);
    const lines = bench.log('warn', 'server').join('\n');
    assert.match(lines, /errors\.ruleLeftOut\(row=1, reason=who must be user\/device/);
    assert.match(
      lines,
      /errors\.ruleDenies\(row=2, reason=action must be .*denied=\{"who":"\*","action":"\*","target":"\*"\}/,
    );
    await deployed(bench, 'nonsense');
    assert.equal(await callCmd(pump), Type.ERROR);
    assert.match(bench.log('warn', 'server').join('\n'), /errors\.rulesUnusable\(reason=must be a list\)/);
  });

  it('refuse a device with one warning for each request, however often it asks', async () => {
    const { bench, pump } = await start([]);
    for (let i = 0; i < 20; i++) assert.equal(await callCmd(pump), Type.ERROR);
    const lines = bench.log('warn', 'server').filter((line) => line.includes('may not'));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0]!,
      /anna\/pump may not AccessDeviceResources anna\/lamp\/cmd\. This rule allows it: \{/,
    );
    const rule: unknown = JSON.parse(lines[0]!.slice(lines[0]!.indexOf('{')));
    await deployed(bench, [rule]);
    assert.equal(await callCmd(pump), Type.OK);
  });

  it('are no matter to flows that call through the server: with each service, and a resource', async () => {
    const bench = await FlowBench.start();
    const asked = Object.keys(SERVICE_ACTIONS).map((key) => {
      const [service, action] = key.split('.');
      const params = key === 'bucket.aggregate' ? '{"span":"1min","function":"max"}' : '';
      return callNode({ id: key, service, action, device: '', resource: 'thing', params });
    });
    const resource = callNode({ id: 'resource', device: 'lamp', resource: 'cmd' });
    await bench.load(
      serverNode(bench.port, { rules: [DENY_ALL] }),
      ...asked,
      resource,
      sinkNode(),
      ...catchNodes(),
    );
    await bench.device(LAMP, { cmd: { fn: 4, run: () => 'done' } });
    bench.services().endpoints.host('thing', () => 1);
    for (const { id } of [...asked, resource]) {
      bench.send(id, { payload: { a: 1 } });
      // A storage in memory has no backup: that is a conflict, and no want of a right.
      if (id.endsWith('.backup')) {
        assert.equal((await bench.error()).code, 'IOTMP_ERR_CONFLICT');
        continue;
      }
      const { statusCode } = await bench.box().next();
      assert.equal(statusCode, id === 'property.get' ? 404 : 200, id);
    }
    assert.deepEqual(
      bench.log('warn').filter((line) => line.includes('may not')),
      [],
    );
  });

  it('refuse a client node: its error names the rule to add', async () => {
    const bench = await FlowBench.start();
    const call = callNode({
      via: 'client',
      server: '',
      client: 'client',
      service: 'property',
      action: 'set',
      resource: 'a',
    });
    await bench.load(
      serverNode(bench.port, { rules: [DENY_ALL] }),
      clientNode(bench.port),
      call,
      sinkNode(),
      ...catchNodes(),
    );
    await bench.connected();
    bench.send('call', { payload: 1 });
    const caught = await bench.error();
    const expected =
      /anna\/pump may not UpdateProperty a\. This rule allows it: \{"effect":"allow","who":"anna\/pump"/;
    assert.match(caught.message, expected);
    await bench.status('call', 'red', 'anna/pump may not UpdateProperty a. Thi…');
    assert.match(bench.log('warn', 'server').join('\n'), expected);
  });
});
