import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { StorageError } from '../../../src/errors';
import type { Engine } from '../../../src/store/core/engine';
import { openStore } from '../../../src/store/open-store';
import { ReopeningEngine } from '../../../src/store/sqlite/reopening-engine';
import { FakeClock } from '../support/fake-clock';
import { openFileStore, temporaryFolder, withCode } from './support/stores';

const OWNER = { user: 'ann', device: 'd' };

/** An engine over a file that can be opened or not, and what it told. `opening` is how long an attempt takes. */
function scene(opening: Promise<undefined> = Promise.resolve(undefined)) {
  const clock = new FakeClock();
  const told: string[] = [];
  let fault: Error | undefined = new StorageError('locked', 'somebody uses it');
  let attempts = 0;
  let closed = 0;
  let die: ((fault: StorageError) => void) | undefined;
  const opened = {
    fault: undefined,
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(closed++),
  } as unknown as Engine;
  const engine = new ReopeningEngine({
    open: async (onDeath) => {
      attempts++;
      await opening;
      if (fault !== undefined) throw fault;
      die = onDeath;
      return opened;
    },
    afterMs: 100,
    clock,
    onFault: ({ reason }) => told.push(reason),
    onRecovered: () => told.push('recovered'),
  });
  return {
    engine,
    clock,
    told,
    setFault: (next: Error | undefined) => (fault = next),
    attempts: () => attempts,
    closed: () => closed,
    die: () => die?.(new StorageError('failed', 'its thread ended')),
  };
}

async function garbage(): Promise<string> {
  const file = join(temporaryFolder(), 'store.db');
  writeFileSync(file, Buffer.alloc(20_000, 'no database at all '));
  await assert.rejects(openStore({ file }), withCode('IOTMP_ERR_STORAGE', 'corrupt'));
  return file;
}

describe('a file that is opened again and again', () => {
  it('fails what is asked of it until it can be opened', async () => {
    const { engine, clock, told, setFault, attempts } = scene();
    await engine.attempted;
    assert.equal(engine.fault?.reason, 'locked');
    await assert.rejects(engine.check(), withCode('IOTMP_ERR_STORAGE', 'locked'));
    await clock.advance(99);
    assert.equal(attempts(), 1);
    await clock.advance(1);
    assert.equal(attempts(), 2);
    setFault(new Error('odd'));
    await clock.advance(100);
    await assert.rejects(engine.check(), withCode('IOTMP_ERR_STORAGE', 'unavailable'));
    setFault(undefined);
    await clock.advance(100);
    assert.deepEqual(await engine.check(), []);
    assert.equal(engine.fault, undefined);
    await clock.advance(1000);
    assert.equal(attempts(), 4);
    assert.deepEqual(told, ['locked', 'unavailable', 'recovered']);
    assert.equal(clock.pending, 0);
  });

  it('is opened again when the thread died that had it open', async () => {
    const { engine, clock, told, setFault, attempts, die } = scene();
    setFault(undefined);
    await engine.attempted;
    assert.deepEqual(await engine.check(), []);
    die();
    await assert.rejects(engine.check(), withCode('IOTMP_ERR_STORAGE', 'failed'));
    assert.deepEqual([engine.fault?.reason, attempts()], ['failed', 1]);
    await clock.advance(100);
    assert.deepEqual([await engine.check(), engine.fault, attempts()], [[], undefined, 2]);
    die();
    setFault(new StorageError('locked', 'somebody uses it'));
    await clock.advance(100);
    assert.deepEqual([engine.fault?.reason, told], ['locked', ['recovered', 'locked']]);
    await engine.close();
    die();
    assert.equal(clock.pending, 0);
  });

  it('is opened no more once the store is closed', async () => {
    const { engine, clock, attempts, closed } = scene();
    await engine.attempted;
    await engine.close();
    await clock.advance(1000);
    assert.equal(attempts(), 1);
    assert.equal(closed(), 0);
    assert.equal(clock.pending, 0);
  });

  it('is closed again where the store was closed while it was being opened', async () => {
    const opening = Promise.withResolvers<undefined>();
    const { engine, setFault, closed } = scene(opening.promise);
    setFault(undefined);
    await assert.rejects(engine.check(), { code: 'IOTMP_ERR_BUSY' });
    const ended = engine.close();
    await assert.rejects(engine.check(), { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(closed(), 0);
    opening.resolve(undefined);
    await ended;
    assert.equal(closed(), 1);
  });

  it('is used as soon as the file is sound', async () => {
    const file = await garbage();
    const recovered = Promise.withResolvers<undefined>();
    const faults: string[] = [];
    const store = await openFileStore({
      file,
      reopenAfterMs: 20,
      onFault: ({ reason }) => faults.push(reason),
      onRecovered: () => recovered.resolve(undefined),
    });
    assert.equal(store.fault?.reason, 'corrupt');
    await assert.rejects(store.properties.set(OWNER, 'p', 1), withCode('IOTMP_ERR_STORAGE', 'corrupt'));
    rmSync(file);
    await recovered.promise;
    await store.properties.set(OWNER, 'p', 2);
    assert.equal((await store.properties.get(OWNER, 'p'))?.value, 2);
    assert.deepEqual(await store.check(), []);
    assert.equal(store.fault, undefined);
    assert.deepEqual(faults, ['corrupt']);
  });

  it('is asked for with a usable time', async () => {
    const file = join(temporaryFolder(), 'store.db');
    for (const reopenAfterMs of [0, -1, Number.NaN, 2 ** 31]) {
      await assert.rejects(openStore({ file, reopenAfterMs }), { code: 'IOTMP_ERR_CONFIG' });
    }
  });
});
