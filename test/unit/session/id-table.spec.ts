import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { IdTable, type IdTableEntry } from '../../../src/session/requests/id-table';
import { times } from '../../support/effort';

const RUNS = times(300);

class Entry implements IdTableEntry<Entry> {
  next: Entry | undefined = undefined;
  constructor(readonly id: number) {}
}

describe('A table by stream id', () => {
  it('holds, finds and gives back what a Map would', () => {
    const step = fc.record({ add: fc.boolean(), id: fc.nat({ max: 40 }).map((n) => n * 1024 + (n % 3)) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new IdTable<Entry>();
        const model = new Map<number, Entry>();
        for (const { add, id } of steps) {
          if (add && !model.has(id)) {
            const entry = new Entry(id);
            table.add(entry);
            model.set(id, entry);
          } else {
            assert.equal(table.take(id), model.get(id));
            model.delete(id);
          }
          assert.equal(table.size, model.size);
          assert.equal(table.get(id), model.get(id));
        }
        assert.deepEqual(new Set(table.entries()), new Set(model.values()));
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps ids apart that fall into one slot, also when it grows', () => {
    const table = new IdTable<Entry>();
    const ids = Array.from({ length: 64 }, (_, index) => index * 1024);
    for (const id of ids) table.add(new Entry(id));
    assert.deepEqual(
      ids.map((id) => table.take(id)?.id),
      ids,
    );
    assert.equal(table.size, 0);
    assert.deepEqual(table.entries(), []);
  });
});
