import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { besideColumns } from '../../../src/store/row-columns';

describe('columns beside the members of a row', () => {
  it('stand beside members of other names', () => {
    assert.deepEqual(besideColumns({ ts: 1, device: 'pump' }, { t: 20, _ts: 3 }), {
      ts: 1,
      device: 'pump',
      t: 20,
      _ts: 3,
    });
  });

  it('win over members of their names, which get another one', () => {
    assert.deepEqual(besideColumns({ ts: 1, device: 'pump' }, { device: 'x', ts: 2, _ts: 3, __ts: 4 }), {
      ts: 1,
      device: 'pump',
      _device: 'x',
      ___ts: 2,
      _ts: 3,
      __ts: 4,
    });
  });

  it('leave a member alone where they have no value', () => {
    assert.deepEqual(besideColumns({ ts: 1 }, { device: 'x' }), { ts: 1, device: 'x' });
  });

  it('keep a member that would be a prototype', () => {
    const members = JSON.parse('{"__proto__":1,"ts":2}') as Record<string, number>;
    assert.deepEqual(Object.entries(besideColumns({ ts: 0 }, members)), [
      ['ts', 0],
      ['__proto__', 1],
      ['_ts', 2],
    ]);
  });
});
