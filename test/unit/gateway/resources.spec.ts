import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Type } from '../support/raw-message';
import { errorOf, GatewayBench } from './support/gateway-bench';

const V3 = '/v3/users/anna/devices/pump/resources';
const V2 = '/v2/users/anna/devices/pump';
const V1 = '/v1/users/anna/devices/pump';

function resources(): Record<string, { fn: 1 | 2 | 3 | 4; run: (input: unknown) => unknown }> {
  let relay: unknown = false;
  return {
    temp: { fn: 3, run: () => 21.5 },
    relay: { fn: 2, run: (input) => void (relay = input ?? relay) },
    sum: { fn: 4, run: (input) => ({ got: input ?? null }) },
    reset: { fn: 1, run: () => undefined },
    nothing: { fn: 3, run: () => null },
    image: { fn: 3, run: () => Buffer.from([1, 2, 255]) },
    big: { fn: 3, run: () => 2n ** 60n },
    'gpio/4': { fn: 3, run: () => true },
  };
}

describe('resources over HTTP', () => {
  it('are listed in each version', async () => {
    const bench = await GatewayBench.start();
    await bench.device({ temp: { fn: 3, run: () => 1 }, relay: { fn: 2, run: () => undefined } });
    for (const path of [V3, `${V3}/api`, `${V2}/api`, `${V1}/api`]) {
      const answer = await bench.get(path);
      assert.equal(answer.status, 200, path);
      assert.deepEqual(answer.body, { temp: { fn: 3 }, relay: { fn: 2 } });
    }
  });

  it('are read: plain in v3, wrapped before', async () => {
    const bench = await GatewayBench.start();
    await bench.device(resources());
    const plain = await bench.get(`${V3}/temp`);
    assert.equal(plain.type, 'application/json; charset=utf-8');
    assert.equal(plain.bytes.toString(), '21.5');
    assert.deepEqual((await bench.get(`${V2}/temp`)).body, { out: 21.5 });
    assert.deepEqual((await bench.get(`${V1}/temp`)).body, { out: 21.5 });
    assert.equal((await bench.get(`${V3}/nothing`)).bytes.toString(), 'null');
    assert.equal((await bench.get(`${V3}/gpio/4`)).bytes.toString(), 'true');
    assert.equal((await bench.get(`${V3}/gpio%2F4`)).bytes.toString(), 'true');
  });

  it('are written: plain in v3, wrapped or not before', async () => {
    const bench = await GatewayBench.start();
    await bench.device(resources());
    assert.deepEqual((await bench.post(`${V3}/sum`, { a: 1 })).body, { got: { a: 1 } });
    assert.deepEqual((await bench.post(`${V3}/sum`, { in: 1 })).body, { got: { in: 1 } });
    assert.deepEqual((await bench.post(`${V2}/sum`, { in: 5 })).body, { out: { got: 5 } });
    assert.deepEqual((await bench.post(`${V2}/sum`, { in: 5, by: 1 })).body, {
      out: { got: { in: 5, by: 1 } },
    });
    assert.deepEqual((await bench.post(`${V1}/sum`, 23.5)).body, { out: { got: 23.5 } });
  });

  it('answer success without output with an empty body of length 0', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    for (const answer of [
      await bench.post(`${V3}/relay`, true),
      await bench.post(`${V2}/relay`, { in: false }),
      await bench.post(`${V3}/reset`),
      await bench.get(`${V1}/reset`),
    ]) {
      assert.equal(answer.status, 200);
      assert.equal(answer.type, undefined);
      assert.equal(answer.headers['content-length'], '0');
    }
    assert.deepEqual(
      device.all(Type.RUN).map(({ resource, payload }) => [resource, payload]),
      [
        ['relay', true],
        ['relay', false],
        ['reset', undefined],
        ['reset', undefined],
      ],
    );
  });

  it('are described, with samples', async () => {
    const bench = await GatewayBench.start();
    await bench.device(resources());
    for (const path of [`${V3}/temp/api`, `${V2}/temp/api`, `${V1}/temp/api`]) {
      assert.deepEqual((await bench.get(path)).body, { out: 21.5 }, path);
    }
    assert.deepEqual((await bench.get(`${V3}/gpio/4/api`)).body, { out: true });
  });

  it('never act when they are read: an input shows what was written', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    await bench.post(`${V3}/relay`, { state: true });
    await bench.post(`${V3}/sum`, 7);
    const acts = device.acts.length;
    assert.deepEqual((await bench.get(`${V3}/relay`)).body, { state: true });
    assert.deepEqual((await bench.get(`${V2}/relay`)).body, { in: { state: true } });
    assert.deepEqual((await bench.get(`${V3}/sum`)).body, { got: 7 });
    assert.deepEqual((await bench.get(`${V2}/sum`)).body, { out: { got: 7 } });
    assert.equal(device.acts.length, acts);
  });

  it('are described, not run, when the state of an input is not known', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    await bench.get(`${V3}/relay`);
    await bench.get(`${V3}/sum`);
    assert.deepEqual(device.all(Type.RUN), []);
    assert.deepEqual(
      device.acts.map(({ type, resource }) => [type, resource]),
      [
        [Type.DESCRIBE, 'relay'],
        [Type.DESCRIBE, 'sum'],
      ],
    );
  });

  it('refuse to write nothing into an input', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    const answer = await bench.post(`${V3}/relay`);
    assert.equal(answer.status, 400);
    assert.deepEqual((answer.body as { error: { code: string } }).error.code, 'IOTMP_ERR_NO_INPUT');
    assert.deepEqual(device.acts, []);
  });

  it('carry bytes both ways', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ ...resources(), echo: { fn: 4, run: (input) => input } });
    const image = await bench.get(`${V3}/image`);
    assert.equal(image.type, 'application/octet-stream');
    assert.deepEqual(image.bytes, Buffer.from([1, 2, 255]));
    const asJson = await bench.get(`${V3}/image`, { headers: { Accept: 'application/json, */*;q=0.8' } });
    assert.deepEqual(asJson.body, { bytes: [1, 2, 255] });
    assert.deepEqual((await bench.get(`${V2}/image`)).body, { out: { bytes: [1, 2, 255] } });
    for (const type of ['application/octet-stream', 'application/octec-stream;']) {
      const raw = Buffer.from([0, 128, 10]);
      const answer = await bench.ask('POST', `${V3}/echo`, { raw, headers: { 'Content-Type': type } });
      assert.deepEqual(answer.bytes, raw, type);
    }
    assert.ok(Buffer.isBuffer(device.all(Type.RUN).at(-1)?.payload));
  });

  it('keep every digit of large integers', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    assert.equal((await bench.get(`${V3}/big`)).bytes.toString(), '1152921504606846976');
    const raw = '{"id":18446744073709551615,"n":9007199254740993}';
    await bench.ask('POST', `${V3}/sum`, { raw, headers: { 'Content-Type': 'application/json' } });
    assert.deepEqual(device.all(Type.RUN).at(-1)?.payload, { id: 2n ** 64n - 1n, n: 9007199254740993n });
  });

  it('get the query as parameters, with the types that devices want', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    await bench.get(`${V3}/temp?algorithm=sha256&timeout=5&deep=true&id=007&x=1.5&a=1&a=2&authorization=no`);
    assert.deepEqual(device.all(Type.RUN).at(-1)?.parameters, {
      algorithm: 'sha256',
      timeout: 5,
      deep: true,
      id: '007',
      x: 1.5,
      a: [1, 2],
    });
    await bench.get(`${V3}/temp`);
    assert.equal(device.all(Type.RUN).at(-1)?.parameters, undefined);
  });

  it('are not found: device or resource; of an unknown resource the device is not asked', async () => {
    const bench = await GatewayBench.start();
    assert.equal((await bench.get(`${V3}/temp`)).status, 404);
    assert.equal((await bench.get(V3)).status, 404);
    assert.equal((await bench.post(`${V3}/temp`, 1)).status, 404);
    const device = await bench.device(resources());
    assert.equal((await bench.get(`${V3}/nope`)).status, 404);
    assert.deepEqual(device.acts, []);
  });

  it('pass on the errors of a device with their code and payload', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    device.serves = false;
    const failures: [number | undefined, unknown, number, string][] = [
      [404, { error: 'no such file' }, 404, 'no such file'],
      [408, { error: 'slow' }, 408, 'slow'],
      [undefined, { error: 'boom' }, 500, 'boom'],
      [7, undefined, 502, 'the peer answered with an error (7)'],
    ];
    for (const [code, payload, status, text] of failures) {
      const pending = bench.post(`${V3}/sum`, 1);
      const { id = 0 } = await device.next(Type.RUN);
      device.error(id, payload, code);
      const answer = await pending;
      assert.equal(answer.status, status);
      assert.equal(errorOf(answer), text);
      assert.deepEqual((answer.body as { error: { payload?: unknown } }).error.payload, payload);
    }
  });

  it('pass on the code of a success, of a read as of a write', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    await bench.get(V3);
    await device.next(Type.DESCRIBE);
    device.serves = false;
    const answers: [number, unknown, number][] = [
      [201, { made: true }, 201],
      [206, 'part', 206],
      [204, 'text', 200],
      [302, 'text', 200],
      [202, undefined, 202],
    ];
    for (const [code, payload, status] of answers) {
      for (const ask of [
        () => bench.get(`${V3}/temp`),
        () => bench.get(`${V2}/temp`),
        () => bench.post(`${V3}/sum`, 1),
      ]) {
        const pending = ask();
        const { id = 0 } = await device.next(Type.RUN);
        device.ok(id, payload, code);
        assert.equal((await pending).status, status, String(code));
      }
      const pending = bench.get(`${V3}/relay/api`);
      const { id = 0 } = await device.next(Type.DESCRIBE);
      device.ok(id, payload, code);
      assert.equal((await pending).status, payload === undefined ? 202 : status);
    }
  });

  it('keep the slash at the end of a path: for files it means a folder', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device({ ...resources(), '$fs/put/*path': { fn: 4, run: () => undefined } });
    await bench.get(V3);
    device.serves = false;
    for (const path of ['$fs/put/newdir/', '$fs/put/a/b/', '%24fs%2Fput%2Fnewdir%2F']) {
      const pending = bench.post(`${V3}/${path}`);
      const { id = 0, resource } = await device.next(Type.RUN);
      device.ok(id);
      assert.equal((await pending).status, 200);
      assert.equal(resource, decodeURIComponent(path));
    }
  });

  it('time out with 504 as JSON', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    device.serves = false;
    const pending = bench.post(`${V3}/sum`, 1);
    await device.next(Type.RUN);
    await bench.broker.clock.advance(10_000);
    const answer = await pending;
    assert.equal(answer.status, 504);
    assert.match(errorOf(answer) ?? '', /no answer within 10 s/);
  });

  it('take other bodies for what they are, and refuse what is none', async () => {
    const bench = await GatewayBench.start();
    const device = await bench.device(resources());
    const send = (type: string, raw: string | Buffer): Promise<number> =>
      bench.ask('POST', `${V3}/sum`, { raw, headers: { 'Content-Type': type } }).then(({ status }) => status);
    assert.equal(await send('text/plain', 'on'), 200);
    assert.equal(device.all(Type.RUN).at(-1)?.payload, 'on');
    assert.equal(await send('application/x-www-form-urlencoded', '{"a":true}'), 200);
    assert.deepEqual(device.all(Type.RUN).at(-1)?.payload, { a: true });
    const acts = device.acts.length;
    assert.equal(await send('application/json', '{"a":'), 400);
    assert.equal(await send('application/json', Buffer.from([0x22, 0xff, 0x22])), 400);
    assert.equal(await send('image/png', 'x'), 415);
    assert.equal(device.acts.length, acts);
  });
});
