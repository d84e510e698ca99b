import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { Records } from '../../../src/directory/records';
import { Revocations } from '../../../src/directory/revocations';
import { StorageError, type IotmpError } from '../../../src/errors';
import { openStore } from '../../../src/store/open-store';
import type { DocumentStore } from '../../../src/store/document-store';
import { cleanUp } from '../../support/clean-up';
import { FakeClock } from '../support/fake-clock';

const schema = z.object({ enabled: z.boolean(), name: z.string() });
type Badge = z.infer<typeof schema>;

const KEY = { user: 'ann', id: 'front' };
const OPEN: Badge = { enabled: true, name: 'front door' };
const FULL = new StorageError('full', 'no space is left');

function least(before: Badge | undefined, next: Badge | undefined): Badge | undefined {
  if (before === undefined || next === undefined) return undefined;
  return before.enabled && !next.enabled ? { ...before, enabled: false } : before;
}

/** Badges over a store that fails with `disk.fault`. */
async function newBench() {
  const store = await openStore({ memory: true });
  cleanUp(() => store.close());
  const disk: { fault: IotmpError | undefined } = { fault: undefined };
  const check = (): void => {
    const { fault } = disk;
    if (fault !== undefined) throw fault;
  };
  const { documents } = store;
  const failing: DocumentStore = Object.assign(Object.create(documents) as DocumentStore, {
    put: async (...args: Parameters<DocumentStore['put']>) => (check(), documents.put(...args)),
    remove: async (...args: Parameters<DocumentStore['remove']>) => (check(), documents.remove(...args)),
    scan: documents.scan.bind(documents),
  });
  const clock = new FakeClock();
  const lines: string[] = [];
  const revocations = new Revocations({ clock, onWarning: (text) => lines.push(text) });
  const newBadges = (): Records<Badge> =>
    new Records(Promise.resolve(failing), 'badge', schema, { rights: { revocations, least } });
  const kept = async (id = KEY.id): Promise<unknown> =>
    (await documents.get({ collection: 'badge', user: KEY.user, id }))?.body;
  const badges = newBadges();
  await badges.put(KEY, OPEN);
  return { badges, newBadges, revocations, disk, clock, lines, kept, documents };
}

describe('what is taken away of rights', () => {
  it('is in force at once whatever the disk says, and is kept as soon as the store works again', async () => {
    const { badges, revocations, disk, lines, kept, clock } = await newBench();
    disk.fault = FULL;
    await assert.rejects(badges.remove(KEY), FULL);
    assert.equal(badges.has(KEY), false);
    assert.deepEqual(await kept(), OPEN);
    assert.match(
      lines.join('\n'),
      /^the badge ann\/front was revoked, but that is not kept: no space is left\./,
    );
    await assert.rejects(badges.remove(KEY), FULL, 'until it is written');
    assert.equal(lines.length, 1);
    disk.fault = undefined;
    await revocations.retry();
    assert.equal(await kept(), undefined);
    assert.equal(lines.at(-1), 'all that was revoked is kept now');
    assert.deepEqual([revocations.size, clock.pending], [0, 0]);
    await badges.remove(KEY);
  });

  it('is written again by itself, ever more seldom', async () => {
    const { badges, revocations, disk, clock, kept } = await newBench();
    disk.fault = FULL;
    await assert.rejects(badges.remove(KEY), FULL);
    let tries = 0;
    Object.defineProperty(disk, 'fault', { get: () => (tries++, FULL), configurable: true });
    await clock.advance(600_000);
    assert.ok(tries >= 10 && tries <= 20, `${tries} tries in ten minutes`);
    Object.defineProperty(disk, 'fault', { value: undefined });
    await clock.advance(60_000);
    await revocations.retry();
    assert.equal(await kept(), undefined);
    assert.equal(clock.pending, 0);
  });

  it('does not undo what is made under the same name before it is kept', async () => {
    const { badges, revocations, disk, kept } = await newBench();
    disk.fault = FULL;
    await assert.rejects(badges.remove(KEY), FULL);
    await assert.rejects(badges.put(KEY, { enabled: true, name: 'too early' }), FULL);
    assert.equal(badges.has(KEY), false, 'what cannot be kept gives nothing');
    disk.fault = undefined;
    await badges.put(KEY, { enabled: true, name: 'again' });
    await revocations.retry();
    assert.deepEqual([badges.get(KEY), await kept()], [{ enabled: true, name: 'again' }, badges.get(KEY)]);
    assert.equal(revocations.size, 0);
  });

  it('holds of a change that gives something as well', async () => {
    const { badges, revocations, disk, kept } = await newBench();
    disk.fault = FULL;
    await assert.rejects(badges.put(KEY, { enabled: false, name: 'renamed' }), FULL);
    const held = { ...OPEN, enabled: false };
    assert.deepEqual(badges.get(KEY), held);
    await assert.rejects(badges.put(KEY, OPEN), FULL);
    assert.deepEqual(badges.get(KEY), held, 'not given back either');
    disk.fault = undefined;
    await revocations.retry();
    assert.deepEqual(await kept(), held);
  });

  it('is written once more at the end, and said to be lost where that fails too', async () => {
    const { badges, revocations, disk, lines, clock } = await newBench();
    disk.fault = FULL;
    await assert.rejects(badges.remove(KEY), FULL);
    await revocations.close();
    assert.match(lines.at(-1) ?? '', /^1 revocations are not kept/);
    assert.equal(clock.pending, 0);
  });

  it('is told in a few lines where there is much of it, and remembered up to a bound', async () => {
    const { revocations, lines } = await newBench();
    for (let n = 0; n < 10_100; n++) revocations.owe(`the badge ann/${n}`, FULL, () => Promise.reject(FULL));
    assert.equal(revocations.size, 10_000);
    assert.ok(lines.length <= 22, `${lines.length} lines`);
    assert.match(lines.at(-1) ?? '', /more than 10000 revocations/);
    await revocations.close();
  });
});

describe('a document that is no usable record', () => {
  it('is named, gives no rights, is not replaced, and can be removed', async () => {
    const { newBadges, documents, kept } = await newBench();
    await documents.put({ collection: 'badge', user: 'ann', id: 'odd' }, { enabled: 'yes' });
    const badges = newBadges();
    assert.deepEqual(await badges.load(), ['badge ann/odd']);
    const odd = { user: 'ann', id: 'odd' };
    assert.deepEqual([badges.has(odd), badges.isUnusable(odd), badges.unusable], [false, true, 1]);
    assert.deepEqual(badges.get(KEY), OPEN, 'the others go on');
    await assert.rejects(badges.put(odd, OPEN), { code: 'IOTMP_ERR_CONFLICT' });
    assert.deepEqual(await kept('odd'), { enabled: 'yes' });
    await badges.remove(odd);
    assert.deepEqual([await kept('odd'), badges.unusable], [undefined, 0]);
    await badges.put(odd, OPEN);
    assert.deepEqual(badges.get(odd), OPEN);
  });
});
