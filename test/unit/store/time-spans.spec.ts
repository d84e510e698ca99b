import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { parseSpan, type SpanName } from '../../../src/store/aggregation/span-name';
import { Spans } from '../../../src/store/aggregation/spans';
import { withCode } from './support/stores';

const NAMES: readonly SpanName[] = [
  '5min',
  '30min',
  '1h',
  '3h',
  '12h',
  '1d',
  '1w',
  '1mo',
  '3mo',
  '6mo',
  '1y',
];
const ZONES = ['UTC', 'Europe/Madrid', 'America/New_York', 'Asia/Kolkata', 'America/Havana', 'Pacific/Apia'];

/** Start and end of the span of a moment, as texts in UTC. */
function spanAt(name: SpanName, zone: string | undefined, moment: string): [string, string] {
  const { start, end } = new Spans(name, zone).at(Date.parse(moment));
  return [iso(start), iso(end)];
}

const iso = (ts: number): string => new Date(ts).toISOString().replace(/(:00)?\.000Z$/, 'Z');

describe('spans of time', () => {
  it('divide days, weeks, months and years of UTC', () => {
    const moment = '2024-02-29T13:47:11Z';
    assert.deepEqual(spanAt('5min', undefined, moment), ['2024-02-29T13:45Z', '2024-02-29T13:50Z']);
    assert.deepEqual(spanAt('6h', undefined, moment), ['2024-02-29T12:00Z', '2024-02-29T18:00Z']);
    assert.deepEqual(spanAt('1d', undefined, moment), ['2024-02-29T00:00Z', '2024-03-01T00:00Z']);
    assert.deepEqual(spanAt('1w', undefined, moment), ['2024-02-26T00:00Z', '2024-03-04T00:00Z']);
    assert.deepEqual(spanAt('1mo', undefined, moment), ['2024-02-01T00:00Z', '2024-03-01T00:00Z']);
    assert.deepEqual(spanAt('3mo', undefined, moment), ['2024-01-01T00:00Z', '2024-04-01T00:00Z']);
    assert.deepEqual(spanAt('6mo', undefined, '2024-12-31T23:59:59Z'), [
      '2024-07-01T00:00Z',
      '2025-01-01T00:00Z',
    ]);
    assert.deepEqual(spanAt('1y', undefined, moment), ['2024-01-01T00:00Z', '2025-01-01T00:00Z']);
  });

  it('begin and end with the local day where the clocks are put forward', () => {
    const zone = 'Europe/Madrid';
    assert.deepEqual(spanAt('1d', zone, '2024-03-31T12:00Z'), ['2024-03-30T23:00Z', '2024-03-31T22:00Z']);
    assert.deepEqual(spanAt('12h', zone, '2024-03-31T05:00Z'), ['2024-03-30T23:00Z', '2024-03-31T10:00Z']);
    assert.deepEqual(spanAt('3h', zone, '2024-03-31T01:30Z'), ['2024-03-31T01:00Z', '2024-03-31T04:00Z']);
    assert.deepEqual(spanAt('1h', zone, '2024-03-31T01:30Z'), ['2024-03-31T01:00Z', '2024-03-31T02:00Z']);
    assert.deepEqual(spanAt('1w', zone, '2024-03-31T12:00Z'), ['2024-03-24T23:00Z', '2024-03-31T22:00Z']);
    assert.deepEqual(spanAt('1mo', zone, '2024-03-31T12:00Z'), ['2024-02-29T23:00Z', '2024-03-31T22:00Z']);
  });

  it('begin and end with the local day where the clocks are put back', () => {
    const zone = 'America/New_York';
    assert.deepEqual(spanAt('1d', zone, '2024-11-03T12:00Z'), ['2024-11-03T04:00Z', '2024-11-04T05:00Z']);
    assert.deepEqual(spanAt('1h', zone, '2024-11-03T05:30Z'), ['2024-11-03T05:00Z', '2024-11-03T06:00Z']);
    assert.deepEqual(spanAt('1h', zone, '2024-11-03T06:30Z'), ['2024-11-03T06:00Z', '2024-11-03T07:00Z']);
    assert.deepEqual(spanAt('3h', zone, '2024-11-03T06:30Z'), ['2024-11-03T04:00Z', '2024-11-03T08:00Z']);
  });

  it('begin where a day begins whose midnight is skipped or comes twice', () => {
    assert.deepEqual(spanAt('1d', 'America/Havana', '2024-03-10T12:00Z'), [
      '2024-03-10T05:00Z',
      '2024-03-11T04:00Z',
    ]);
    assert.deepEqual(spanAt('1d', 'America/Havana', '2024-11-03T05:30Z'), [
      '2024-11-03T04:00Z',
      '2024-11-04T05:00Z',
    ]);
    assert.deepEqual(spanAt('1d', 'America/Sao_Paulo', '2018-02-18T01:30Z'), [
      '2018-02-17T02:00Z',
      '2018-02-18T03:00Z',
    ]);
  });

  it('follow zones whose hours begin at half past', () => {
    assert.deepEqual(spanAt('1h', 'Asia/Kolkata', '2024-01-01T00:10Z'), [
      '2023-12-31T23:30Z',
      '2024-01-01T00:30Z',
    ]);
    assert.deepEqual(spanAt('1d', 'Asia/Kathmandu', '2024-01-01T00:10Z'), [
      '2023-12-31T18:15Z',
      '2024-01-01T18:15Z',
    ]);
  });

  it('always contain their moment, follow one another, and are the same for all of their moments', () => {
    const moment = fc.integer({ min: 0, max: 4_102_444_800_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.constantFrom(...ZONES),
        moment,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, zone, ts, part) => {
          const spans = new Spans(name, zone);
          const span = spans.at(ts);
          assert.ok(span.start <= ts && ts < span.end, `${ts} is not within ${span.start} to ${span.end}`);
          const other = Math.min(span.end - 1, span.start + Math.floor(part * (span.end - span.start)));
          assert.deepEqual(spans.at(other), span);
          assert.equal(spans.at(span.end).start, span.end);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are named by texts, of which 1m is a minute and 1mo a month', () => {
    assert.equal(parseSpan('1m'), '1min');
    assert.equal(parseSpan('1mo'), '1mo');
    assert.equal(parseSpan('10m'), '10min');
    assert.equal(parseSpan('15min'), '15min');
    assert.equal(parseSpan('1w'), '1w');
    for (const text of ['', '3m', '6m', '2h', '1', 'constructor', '1H']) {
      assert.throws(() => parseSpan(text), withCode('IOTMP_ERR_CONFIG'));
    }
    assert.throws(() => new Spans('1h', 'Europe/Atlantis'), withCode('IOTMP_ERR_CONFIG'));
  });
});
