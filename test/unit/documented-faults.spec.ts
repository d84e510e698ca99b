import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';

describe('the table of faults', () => {
  it('names specs that there are, in each row', () => {
    const root = join(__dirname, '..', '..');
    const rows =
      readFileSync(join(root, 'docs', 'faults.md'), 'utf8')
        .match(/^\|.*\|$/gm)
        ?.slice(2) ?? [];
    assert.ok(rows.length > 15, `${rows.length} rows`);
    for (const row of rows) {
      const specs = (row.split('|').at(-2) ?? '').match(/(?<=`)[^`, ]+(?=`)/g) ?? [];
      assert.ok(specs.length > 0, row);
      for (const spec of specs)
        assert.ok(existsSync(join(root, spec.startsWith('test/') ? '' : 'test/unit', spec)), spec);
    }
  });
});
