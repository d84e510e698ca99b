import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { encodeValue } from '../../../src/codec/writing/pson-encoder';
import { times } from '../../support/effort';
import type { SessionSetup } from '../support/session-pair';
import { compactPair, OFFER } from './compact-rig';
import type { SessionStream } from '../../../src/session/streams/session-stream';

const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'temperature',
      '__proto__',
      'constructor',
      '',
      '0',
      '12',
      '\ud800',
      '\udfff',
    ),
  },
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 3 }),
);

const leaf = fc.oneof(
  fc.constantFrom(null, true, undefined, -0, 'x'.repeat(300)),
  fc.integer(),
  fc.double(),
  fc.float(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.string(),
  fc.uint8Array({ maxLength: 40 }),
);

const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(objectOf),
  ),
}));

/** Samples of a few shapes in turn: maps of the same keys in some order, and arrays that could be their values. */
const samples = fc
  .array(fc.uniqueArray(key, { maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .chain((shapes) => {
    const map = fc
      .tuple(fc.constantFrom(...shapes), fc.boolean(), fc.array(anyValue, { minLength: 4, maxLength: 4 }))
      .map(([keys, turned, values]) => {
        const entries = keys.map((name, index): [string, unknown] => [name, values[index]]);
        return turned ? new Map(entries.reverse()) : objectOf(entries);
      });
    return fc.array(fc.oneof({ weight: 3, arbitrary: map }, fc.array(anyValue, { maxLength: 4 }), anyValue), {
      maxLength: 25,
    });
  });

function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

/** What a sample was, to the last bit, with the order of its keys; `undefined` is a sample without payload. */
const printed = (value: unknown): string =>
  value === undefined ? 'none' : encodeValue(value).toString('hex');

/** A step of a test: a sample that is published, or a START_STREAM under the same id. */
type Step = { readonly sample: unknown } | { readonly restart: unknown };

interface Received {
  readonly printed: string[];
  readonly values: unknown[];
  readonly bytes: number;
}

/** Runs the steps between two ends; the device hosts the resource. */
async function run(steps: readonly Step[], offer: unknown, setup: SessionSetup = {}): Promise<Received> {
  const { server, device, clock } = await compactPair(setup, offer);
  const resource = device.host.host('r', { kind: 'input', run: () => undefined });
  const values: unknown[] = [];
  const listener = { onData: (payload: unknown): void => void values.push(payload) };
  const stream: SessionStream = await server.session.openStream('r', listener);
  const before = server.session.bytesIn;
  for (const step of steps) {
    if ('sample' in step) resource.publish(step.sample);
    else await stream.restart(step.restart);
  }
  await clock.settle();
  const bytes = server.session.bytesIn - before;
  server.session.close();
  await clock.settle();
  assert.deepEqual([...server.warnings, ...device.warnings], []);
  return { printed: values.map(printed), values, bytes };
}

describe('What a compact stream gives', () => {
  it('is what the full form gives, in no more bytes but for marks', async () => {
    await fc.assert(
      fc.asyncProperty(samples, fc.integer({ min: 1, max: 50 }), async (values, chunkBytes) => {
        const steps = values.map((sample) => ({ sample }));
        const full = await run(steps, null);
        const compact = await run(steps, OFFER, { memory: { chunkBytes } });
        assert.deepEqual(compact.printed, full.printed);
        assert.deepEqual(compact.values, full.values);
        const arrays = full.values.filter(Array.isArray).length;
        assert.ok(compact.bytes <= full.bytes + 3 * arrays);
      }),
      { numRuns: times(150) },
    );
  });

  it('is the same over restarts with any parameters', async () => {
    const restart = fc.constantFrom(undefined, { x: 1 }, { compact: false }, null, 'x', 0);
    const step = fc.oneof({ weight: 1, arbitrary: restart.map((parameters) => ({ restart: parameters })) });
    const steps = fc
      .tuple(samples, fc.array(fc.tuple(fc.nat(25), step), { maxLength: 4 }))
      .map(([values, restarts]) => {
        const all: Step[] = values.map((sample) => ({ sample }));
        for (const [at, again] of restarts) all.splice(at, 0, again);
        return all;
      });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        assert.deepEqual((await run(all, OFFER)).printed, (await run(all, null)).printed);
      }),
      { numRuns: times(150) },
    );
  });

  it('is right whatever gave way to newer samples on a slow connection', async () => {
    const shape = fc.constantFrom('map', 'other', 'array');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(shape, fc.boolean()), { maxLength: 60 }), async (plan) => {
        const made = (kind: string, number: number): unknown => {
          if (kind === 'array') return [number, 0];
          return kind === 'map' ? { number, zero: 0 } : { zero: 0, number };
        };
        const { server, device, clock } = await compactPair({
          options: { maxQueuedSamples: 3 },
          memory: { windowBytes: 16, highWaterMark: 20 },
        });
        const resource = device.host.host('r', { kind: 'input', run: () => undefined });
        const values: unknown[] = [];
        await server.session.openStream('r', { onData: (payload) => values.push(payload) });
        for (const [index, [kind, pause]] of plan.entries()) {
          if (pause) await clock.settle();
          resource.publish(made(kind, index));
        }
        await clock.settle();
        for (const value of values) {
          const number = Array.isArray(value) ? Number(value[0]) : (value as { number: number }).number;
          assert.equal(printed(value), printed(made(plan[number]?.[0] ?? '', number)));
        }
        assert.equal(values.length > 0, plan.length > 0);
        server.session.close();
        await clock.settle();
      }),
      { numRuns: times(150) },
    );
  });
});
