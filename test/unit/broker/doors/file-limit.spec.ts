import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, it } from 'mocha';
import { fileLimitWarning, openFilesLimit } from '../../../../src/broker/doors/file-limit';
import { cleanUp } from '../../../support/clean-up';
import { BrokerBench } from '../../support/broker-fixture';

function limitsFile(text: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'file-limit-'));
  cleanUp(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'limits');
  fs.writeFileSync(file, text);
  return file;
}

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             127235               127235               processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`;

describe('the number of files that the process may open', () => {
  it('is read where Linux tells it, and unknown elsewhere', () => {
    assert.equal(openFilesLimit(limitsFile(LIMITS)), 1024);
    assert.equal(openFilesLimit(limitsFile(LIMITS.replace('1024  ', 'unlimited'))), undefined);
    assert.equal(openFilesLimit(limitsFile('nothing of the kind')), undefined);
    assert.equal(openFilesLimit('/nowhere/limits'), undefined);
  });

  it('is a warning below the number of connections, and not from it on', () => {
    assert.match(
      fileLimitWarning(1025, 1024)!,
      /^this process may have 1024 files open, which is less than the limit of 1025 connections: raise it/,
    );
    assert.equal(fileLimitWarning(1024, 1024), undefined);
  });

  it('is compared at the start, and when more connections are allowed', async function () {
    const limit = openFilesLimit();
    if (limit === undefined || limit >= 1_000_000) this.skip();
    const bench = await BrokerBench.start({ maxConnections: limit + 1 });
    assert.equal(bench.warnings.length, 1);
    assert.match(bench.warnings[0]!, /^this process may have \d+ files open/);
    await bench.server.configure(bench.options({ maxConnections: limit + 1 }));
    await bench.server.configure(bench.options({ maxConnections: 10 }));
    assert.equal(bench.warnings.length, 1);
    await bench.server.configure(bench.options({ maxConnections: limit + 2 }));
    assert.equal(bench.warnings.length, 2);
  });
});
