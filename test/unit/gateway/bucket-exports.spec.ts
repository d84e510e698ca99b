import assert from 'node:assert/strict';
import { it } from 'mocha';
import { describeStores } from '../store/support/stores';
import { errorOf, GatewayBench } from './support/gateway-bench';

const BUCKET = '/v1/users/anna/buckets/log';
const EXPORTS = `${BUCKET}/exports`;
/** Some day: rows of long ago are refused. */
const BASE = Date.UTC(2026, 0, 5);
const ROWS = [
  { ts: BASE + 1000, t: 21.5, place: { room: 'a "b"; c' } },
  { ts: BASE + 2000, t: -3, note: '=1+1' },
];

async function filled(bench: GatewayBench): Promise<void> {
  await bench.post('/v1/users/anna/buckets', { bucket: 'log' });
  await bench.post(`${BUCKET}/data`, ROWS);
}

async function fetched(bench: GatewayBench, order: Record<string, unknown>): Promise<string> {
  const { file } = (await bench.post(EXPORTS, order)).body as { file: string };
  const answer = await bench.get(`${EXPORTS}/${file}`);
  assert.equal(answer.status, 200);
  return answer.bytes.toString();
}

describeStores('bucket exports', (open) => {
  it('are told of by an event, once the answer has been sent', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    const socket = await bench.socket('/v1/users/anna/events');
    socket.send({ event: 'bucket_export_completed', bucket: 'log' });
    await socket.synced();
    const answer = await bench.post(EXPORTS, { data_type: 'csv', callback: '', min_ts: 0, max_ts: 0 });
    assert.equal(answer.status, 200);
    const { file, state } = answer.body as { file: string; state: number };
    assert.equal(state, 0);
    await bench.until(() => socket.frames.length === 1);
    const [event] = socket.messages;
    assert.deepEqual(
      [event?.file, event?.bucket, event?.data_type, event?.timestamp_format, event?.url],
      [file, 'log', 'csv', 'iso', `file://users/anna/buckets/log/${file}`],
    );
  });

  it('are tables with a semicolon, in which nothing is a formula', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    assert.equal(
      await fetched(bench, { data_type: 'csv', timestamp_format: 'iso' }),
      [
        '"ts";"t";"place.room";"note"',
        '"2026-01-05T00:00:01.000Z";21.5;"a ""b""; c";',
        `"2026-01-05T00:00:02.000Z";-3;;"'=1+1"`,
        '',
      ].join('\n'),
    );
  });

  it('have no number as a text, and NaN as an empty cell', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const key = { user: 'anna', bucket: 'log' };
    const values = [
      { t: 1, s: '-12.5' },
      { t: NaN, s: '+49' },
      { t: -Infinity, s: '-1+1' },
      { t: 2n ** 60n, s: '-1e5' },
    ];
    const rows = values.map((value, index) => ({ ts: BASE + 1000 * index, value }));
    await bench.services.buckets.write(key, rows, { create: true });
    const csv = await fetched(bench, { data_type: 'csv', timestamp_format: 'milliseconds' });
    assert.deepEqual(
      csv.split('\n').map((line) => line.split(';').slice(1).join(';')),
      ['"t";"s"', '1;"-12.5"', ';"+49"', `;"'-1+1"`, '1152921504606846976;"-1e5"', ''],
    );
    const arff = await fetched(bench, { data_type: 'arff', timestamp_format: 'milliseconds' });
    assert.match(arff, /@ATTRIBUTE 't' NUMERIC/);
    assert.deepEqual(
      arff.split('\n').flatMap((line) => /^\d+,(.*),/.exec(line)?.[1] ?? []),
      ['1', '?', '?', '1152921504606846976'],
    );
    const json = JSON.parse(await fetched(bench, { data_type: 'json' })) as { t: unknown }[];
    assert.equal(json[1]?.t, null);
  });

  it('have each column once, whatever the members of a row are named', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    const key = { user: 'anna', bucket: 'log' };
    const value = { ts: 5, device: 'x', 'a.b': 1, a: { b: 2 } };
    await bench.services.buckets.write(key, [{ ts: BASE, device: 'pump', value }], { create: true });
    assert.equal(
      await fetched(bench, { data_type: 'csv', timestamp_format: 'milliseconds' }),
      `"ts";"device";"_ts";"_device";"a.b";"_a.b"\n${BASE};"pump";5;"x";1;2\n`,
    );
    const json = await fetched(bench, { data_type: 'json', timestamp_format: 'milliseconds' });
    assert.deepEqual(JSON.parse(json), [
      { ts: BASE, device: 'pump', _ts: 5, _device: 'x', 'a.b': 1, a: { b: 2 } },
    ]);
  });

  it('are JSON and ARFF, too, of the time that was asked for', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    const json = await fetched(bench, {
      data_type: 'json',
      timestamp_format: 'milliseconds',
      max_ts: BASE + 1500,
    });
    assert.deepEqual(JSON.parse(json), ROWS.slice(0, 1));
    const none = await fetched(bench, { data_type: 'json', min_ts: BASE + 5000, max_ts: BASE + 6000 });
    assert.deepEqual(JSON.parse(none), []);
    const arff = await fetched(bench, { data_type: 'arff', timestamp_format: 'seconds' });
    assert.equal(
      arff,
      [
        "@RELATION 'log'",
        '',
        '@ATTRIBUTE ts NUMERIC',
        "@ATTRIBUTE 't' NUMERIC",
        "@ATTRIBUTE 'place.room' STRING",
        "@ATTRIBUTE 'note' STRING",
        '',
        '@DATA',
        `${BASE / 1000 + 1},21.5,'a "b"; c',?`,
        `${BASE / 1000 + 2},-3,?,'=1+1'`,
        '',
      ].join('\n'),
    );
  });

  it('of many rows are sent whole', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    const rows = Array.from({ length: 2500 }, (_, index) => ({ ts: BASE + 10_000 + index, t: index }));
    await bench.post(`${BUCKET}/data`, rows);
    const json = JSON.parse(await fetched(bench, { data_type: 'json' })) as unknown[];
    assert.equal(json.length, 2502);
  });

  it('are refused when they are not what they should be, and end after an hour', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    for (const body of [
      { data_type: 'xls' },
      { timestamp_format: 'x' },
      { min_ts: -1 },
      { max_ts: 'x' },
      [],
    ]) {
      assert.equal((await bench.post(EXPORTS, body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await bench.post('/v1/users/anna/buckets/none/exports', {})).status, 404);
    assert.equal((await bench.get(`${EXPORTS}/none.csv`)).status, 404);
    const { file } = (await bench.post(EXPORTS, {})).body as { file: string };
    await bench.post('/v1/users/anna/buckets', { bucket: 'other' });
    assert.equal((await bench.get(`/v1/users/anna/buckets/other/exports/${file}`)).status, 404);
    await bench.broker.clock.advance(3_600_000);
    assert.equal((await bench.get(`${EXPORTS}/${file}`)).status, 404);
  });

  it('call an endpoint with the event, where that is wanted', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    const calls: unknown[] = [];
    const told: Record<string, unknown>[] = [];
    bench.services.endpoints.host('done', ({ payload, user }) => void calls.push([user, payload]));
    bench.services.endpoints.host('fails', () => {
      throw new Error('not today');
    });
    bench.server.events.listen((event) => told.push(event));
    const order = { data_type: 'csv', callback: 'endpoint', endpoint: 'done', max_ts: 0, min_ts: 0 };
    const answer = await bench.post(EXPORTS, order);
    const { file } = answer.body as { file: string };
    await bench.until(() => calls.length === 1);
    const event = told.find((one) => one.event === 'bucket_export_completed');
    assert.equal(event?.file, file);
    assert.deepEqual(calls, [['anna', event]]);
    assert.equal((await bench.post(EXPORTS, { ...order, endpoint: 'fails' })).status, 200);
    await bench.until(() =>
      told.some((one) => one.event === 'endpoint_call_response' && one.statusCode === 500),
    );
    for (const callback of ['', null]) {
      assert.equal((await bench.post(EXPORTS, { callback, undefined: '' })).status, 200, String(callback));
    }
    assert.equal(calls.length, 1);
  });

  it('with a callback that cannot be are refused', async () => {
    const bench = await GatewayBench.start({ store: await open() });
    await filled(bench);
    bench.services.endpoints.host('done', () => undefined);
    await bench.post('/v1/users/anna/endpoints', { endpoint: 'mail', type: 'flow' });
    const refused = async (body: unknown, token = bench.token): Promise<[number, string | undefined]> => {
      const answer = await bench.post(EXPORTS, body, { token });
      return [answer.status, errorOf(answer)];
    };
    const email = await refused({ callback: 'email', email: 'a@b.example' });
    assert.equal(email[0], 400);
    assert.match(email[1] ?? '', /sends no mails/);
    const callback = 'endpoint';
    assert.equal((await refused({ callback }))[0], 400);
    assert.equal((await refused({ callback: 'pigeon' }))[0], 400);
    assert.equal((await refused({ callback, endpoint: 5 }))[0], 400);
    assert.equal((await refused({ callback, endpoint: 'none' }))[0], 404);
    assert.equal((await refused({ callback, endpoint: 'mail' }))[0], 501);
    const exporter = await bench.tokenOf('anna', { Bucket: { '*': ['ExportBucket'] } });
    assert.equal((await refused({ callback, endpoint: 'done' }, exporter))[0], 403);
    assert.equal((await refused({ data_type: 'csv' }, exporter))[0], 200);
  });
});
