import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { GatewayBench, type Answer } from './support/gateway-bench';

const USER = '/v1/users/anna';
const PUMP = '/v3/users/anna/devices/pump';
const MANY = { limits: { requestsPerSecond: 10_000, requestBurst: 10_000 } };

/** All requests with a body that programs send. */
const WRITES: readonly (readonly [method: string, path: string])[] = [
  ['POST', `${USER}/devices`],
  ['PUT', `${USER}/devices/made`],
  ['PUT', `${USER}/devices/made/projects`],
  ['POST', `${USER}/devices/made/tokens`],
  ['POST', `${USER}/buckets`],
  ['PUT', `${USER}/buckets/log`],
  ['PATCH', `${USER}/buckets/log`],
  ['PUT', `${USER}/buckets/log/projects`],
  ['POST', `${USER}/buckets/log/data`],
  ['POST', `${USER}/buckets/log/exports`],
  ['POST', `${USER}/endpoints`],
  ['PUT', `${USER}/endpoints/mail`],
  ['POST', `${USER}/endpoints/alert/call`],
  ['POST', `${USER}/tokens`],
  ['PUT', `${USER}/tokens/spare`],
  ['PUT', USER],
  ['POST', `${USER}/properties`],
  ['PUT', `${USER}/properties/p`],
  ['PATCH', `${USER}/properties/p`],
  ['POST', `${PUMP}/properties`],
  ['PUT', `${PUMP}/properties/p`],
  ['PATCH', `${PUMP}/properties/p`],
  ['PUT', `${PUMP}/callback`],
  ['POST', `${PUMP}/callback/data`],
  ['POST', `${PUMP}/resources/echo`],
  ['POST', '/v2/users/anna/devices/pump/echo'],
  ['POST', '/v1/users/anna/devices/pump/echo'],
  ['POST', '/oauth/token'],
];

/** Lists and readings that take a query. */
const READS: readonly string[] = [
  '/v1/users',
  ...['devices', 'buckets', 'endpoints', 'tokens', 'properties'].map((asset) => `${USER}/${asset}`),
  `${USER}/buckets/log/data`,
  '/v2/users/anna/buckets/log/data',
  `${USER}/buckets/log/tags/room`,
  `${PUMP}/properties`,
  `${PUMP}/buckets`,
  `${PUMP}/callback/data`,
  `${PUMP}/resources/echo`,
];

/** Bodies of no program in good faith. */
const BODIES: readonly (readonly [name: string, body: string | Buffer])[] = [
  ['null', 'null'],
  ['a number', '5'],
  ['a number past all', '1e400'],
  ['a text', '"x"'],
  ['a list', '[]'],
  ['a list of null', '[null]'],
  ['a list of lists', '[[[]]]'],
  ['nothing', ''],
  ['no JSON', '{'],
  ['a word', 'NaN'],
  [
    'members of every kind',
    '{"device":{},"bucket":[],"endpoint":1,"token":null,"property":{"$gt":""},"value":1}',
  ],
  [
    'wrong types',
    '{"name":5,"enabled":"yes","config":"x","credentials":{},"tags":{},"actions":7,"allow":[]}',
  ],
  [
    'names of prototypes',
    '{"__proto__":{"role":"admin","polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  ],
  [
    'a prototype as an id',
    '{"device":"__proto__","bucket":"__proto__","endpoint":"constructor","property":"__proto__","value":1}',
  ],
  ['half a character', '{"name":"\\ud800","value":"\\udfff"}'],
  ['zeros', '{"name":"a\\u0000b","value":"\\u0000"}'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['the deepest list', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ['the deepest map', `{"value":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`],
  ...[60, 61, 62, 63, 64, 65, 66].flatMap((depth): [string, string][] => [
    [`a list ${depth} deep`, `${'['.repeat(depth)}${']'.repeat(depth)}`],
    [`a map ${depth} deep`, `${'{"value":'.repeat(depth)}1${'}'.repeat(depth)}`],
  ]),
  ['a long number', `{"value":${'9'.repeat(100_000)},"ts":${'9'.repeat(1000)}}`],
  ['many members', `{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
];

const QUERIES: readonly string[] = [
  'count=-1',
  'count=1e9&index=1e9',
  'count=999999999&index=999999999',
  'index=-5&items=-1',
  'count=&index=&items=&min_ts=&max_ts=&sort=&order=',
  'count[]=1&name[$gt]=',
  'sort=__proto__&order=constructor',
  'sort=config&order=desc',
  'name=%00&project=%ff',
  `name=${encodeURIComponent('(((((a+)+)+)+)+)+$')}`,
  `name=${encodeURIComponent('[')}&type=*`,
  `name=${'a'.repeat(5000)}`,
  'items=1000&agg=1y&agg_type=__proto__',
  'agg=constructor&tz=Nowhere/Land',
  'agg=1h&tz=../../etc/passwd',
  'min_ts=9999999999999999&max_ts=0',
  'min_ts=NaN&max_ts=Infinity',
  'fields=__proto__,constructor.prototype,a..b,,.',
  'transform=toString',
  'group_by=device&items=1000&tag___proto__=1',
  Array.from({ length: 300 }, (_, index) => `k=${index}`).join('&'),
  'ts=-1&ip=%0d%0aX:1',
  '%',
  '&&&===',
];

async function benchOf(): Promise<GatewayBench> {
  const bench = await GatewayBench.start(MANY);
  await bench.device({ echo: { fn: 4, run: (input) => input } });
  bench.services.endpoints.host('alert', () => undefined);
  await bench.post(`${USER}/devices`, { device: 'made', credentials: 'secret' });
  await bench.post(`${USER}/buckets`, { bucket: 'log', config: { source: 'api', tags: ['room'] } });
  await bench.post(`${USER}/endpoints`, { endpoint: 'mail' });
  await bench.post(`${USER}/tokens`, { token: 'spare' });
  return bench;
}

/** Whatever was asked, the answer is one of the client's doing, and JSON or nothing. */
function checkDecent({ status, type, bytes }: Answer, what: string): void {
  assert.ok(status >= 200 && status < 500, `${what}: ${status} ${bytes.toString().slice(0, 200)}`);
  if (bytes.length > 0) assert.match(type ?? '', /^application\/(json|octet-stream)/, what);
  if (status >= 400) assert.ok(bytes.length < 4096, `${what}: ${bytes.length} bytes of failure`);
}

/** The gateway goes on as before. */
async function checkUnharmed(bench: GatewayBench): Promise<void> {
  assert.equal(Reflect.get({}, 'polluted'), undefined);
  assert.equal(Reflect.get({}, 'role'), undefined);
  const { body } = await bench.get(`${USER}/devices`);
  assert.ok((body as { device: string }[]).some(({ device }) => device === 'pump'));
  assert.deepEqual((await bench.post(`${PUMP}/resources/echo`, { a: 1 })).body, { a: 1 });
  assert.equal(((await bench.get(USER)).body as { role: string }).role, 'user');
}

describe('hostile requests', function () {
  this.timeout(60_000);

  it('with bodies of every kind are answered as failures of theirs', async () => {
    const bench = await benchOf();
    for (const [name, raw] of BODIES) {
      for (const [method, path] of WRITES) {
        const headers = { 'Content-Type': 'application/json; charset=utf-8' };
        checkDecent(await bench.ask(method, path, { raw, headers }), `${name}: ${method} ${path}`);
      }
    }
    await checkUnharmed(bench);
  });

  it('with bodies under other media types are refused or taken for what they are', async () => {
    const bench = await benchOf();
    const types = [
      'text/html',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/json;;;',
      ';',
      '\t',
    ];
    for (const type of types) {
      for (const [method, path] of WRITES) {
        const answer = await bench.ask(method, path, { raw: '{"a":1}', headers: { 'Content-Type': type } });
        checkDecent(answer, `${type}: ${method} ${path}`);
      }
    }
    await checkUnharmed(bench);
  });

  it('with queries of every kind are answered, and at once', async () => {
    const bench = await benchOf();
    for (const query of QUERIES) {
      for (const path of READS)
        checkDecent(await bench.get(`${path}?${query}`), `${path}?${query.slice(0, 60)}`);
    }
    await checkUnharmed(bench);
  });

  it('for ids that are none find nothing', async () => {
    const bench = await benchOf();
    const ids = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '%20',
      'a b',
      '*',
      '.a',
      'x'.repeat(4000),
    ];
    const places = ['devices', 'buckets', 'endpoints', 'tokens', 'properties'].map(
      (asset) => `${USER}/${asset}`,
    );
    for (const id of ids) {
      for (const path of [
        ...places,
        `${PUMP}/properties`,
        `${PUMP}/resources`,
        `${USER}/buckets/log/exports`,
      ]) {
        for (const method of ['GET', 'DELETE']) {
          const answer = await bench.ask(method, `${path}/${encodeURIComponent(id)}`);
          checkDecent(answer, `${method} ${path}/${id.slice(0, 40)}`);
          assert.ok(answer.status >= 400, `${method} ${path}/${id.slice(0, 40)}: ${answer.status}`);
        }
      }
    }
    await checkUnharmed(bench);
  });

  it('for what belongs to others are refused, whether it is there or not', async () => {
    const bench = await benchOf();
    const token = await bench.tokenOf('bert');
    const about = (path: string): string => path.replace('anna', 'carl');
    for (const [method, path] of WRITES.filter(([, one]) => one !== '/oauth/token')) {
      for (const asked of [path, about(path)]) {
        assert.equal((await bench.ask(method, asked, { token, body: {} })).status, 403, `${method} ${asked}`);
      }
    }
    for (const path of READS.filter((one) => one !== '/v1/users')) {
      for (const asked of [path, about(path)])
        assert.equal((await bench.get(asked, { token })).status, 403, asked);
    }
    for (const path of [
      `${PUMP}/resources`,
      `${PUMP}/resources/echo`,
      `${USER}/events`,
      '/v2/users/anna/events',
    ]) {
      await assert.rejects(bench.socket(path, { token }), /refused with 403/);
      await assert.rejects(bench.socket(about(path), { token }), /refused with 403/);
    }
    await checkUnharmed(bench);
  });

  it('with tokens of every kind are refused', async () => {
    const bench = await benchOf();
    const [head = '', claims = '', signature = ''] = bench.token.split('.');
    const tokens = [
      '',
      ' ',
      'undefined',
      'null',
      '..',
      '...',
      `${head}.${claims}.`,
      `${head}.${claims}`,
      `${head}.${claims}.${signature}x`,
      `${head}.${claims}.${signature}.${signature}`,
      bench.token.toUpperCase(),
      'x'.repeat(8000),
      `${head}.${'A'.repeat(3000)}.${signature}`,
    ];
    for (const token of tokens) {
      const answer = await bench.get(`${USER}/devices`, { token });
      assert.equal(answer.status, 401, token.slice(0, 40));
      assert.match(answer.type ?? '', /^application\/json/);
      const query = `${USER}/devices?authorization=${encodeURIComponent(token)}`;
      assert.equal((await bench.get(query, { token: null })).status, 401, token.slice(0, 40));
    }
    for (const scheme of ['Basic', 'Token', '']) {
      const headers = { Authorization: `${scheme} ${bench.token}` };
      assert.equal((await bench.get(`${USER}/devices`, { token: null, headers })).status, 401, scheme);
    }
  });

  it('to guess tokens over sockets are limited by address', async () => {
    const bench = await GatewayBench.start({ limits: { requestsPerSecond: 0.001, requestBurst: 3 } });
    const path = `${USER}/events`;
    for (let guess = 0; guess < 3; guess++) {
      await assert.rejects(bench.socket(path, { token: 'wrong' }), /refused with 401/);
    }
    await assert.rejects(bench.socket(path, { token: 'wrong' }), /refused with 429/);
    const socket = await bench.socket(path);
    assert.equal(socket.closeCode, undefined, 'who has a token is not held up by those who guess');
  });

  it('over sockets end that socket and nothing else', async () => {
    const bench = await benchOf();
    const good = await bench.socket(`${USER}/events`);
    good.send({ event: '.*' });
    const frames: (string | Buffer)[] = [
      ...BODIES.map(([, body]) => body),
      '{"event":"(((((a+)+)+)+)+)+$"}',
      '{"event":"["}',
      `{"event":"${'a'.repeat(10_000)}"}`,
      '{"resource":"__proto__","interval":-1}',
      '{"resource":"echo","interval":1e300,"enabled":"yes"}',
      `{"resource":"${'x'.repeat(5000)}"}`,
      '{"event":"device_resource_stream","filters":{"resource":{}},"params":{"interval":"x"}}',
      Buffer.alloc(2_000_000, 0x20),
    ];
    const paths = [`${USER}/events`, '/v2/users/anna/events', `${PUMP}/resources`, `${PUMP}/resources/echo`];
    for (const path of paths) {
      for (const frame of frames) {
        const socket = await bench.socket(path);
        socket.send(frame);
        socket.webSocket.close();
        await bench.until(() => socket.closeCode !== undefined);
      }
    }
    await bench.post(`${USER}/buckets/log/data`, { t: 1 });
    await bench.until(() => good.messages.some(({ event }) => event === 'bucket_write'));
    await checkUnharmed(bench);
  });
});
