import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { ErrorStatus } from '../../src';

const ROOT = resolve(__dirname, '../..');
const LOCALES = join(ROOT, 'nodes/locales');
const CODES = Object.keys(ErrorStatus).sort();

/** The codes that a text names, each once. */
function codesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/`(IOTMP_ERR_\w+)`/g)].map(([, code = '']) => code))].sort();
}

describe('the codes of errors that Catch nodes get', () => {
  it('are the rows of the table in the README: all of the catalogue, and no other', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const rows = readme.split('\n').filter((line) => line.startsWith('| `IOTMP_ERR_'));
    assert.deepEqual(codesIn(rows.map((row) => row.split('|')[1] ?? '').join()), CODES);
  });

  for (const language of readdirSync(LOCALES)) {
    it(`are in the help of the call node in ${language}`, () => {
      assert.deepEqual(codesIn(readFileSync(join(LOCALES, language, 'iotmp-call.html'), 'utf8')), CODES);
    });

    it(`have no other name in any help in ${language}`, () => {
      for (const file of readdirSync(join(LOCALES, language)).filter((name) => name.endsWith('.html'))) {
        const codes = codesIn(readFileSync(join(LOCALES, language, file), 'utf8'));
        assert.deepEqual(
          codes.filter((code) => !CODES.includes(code)),
          [],
          file,
        );
      }
    });
  }
});
