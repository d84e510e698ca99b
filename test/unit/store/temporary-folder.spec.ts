import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'mocha';
import { DiskFiles } from '../../../src/store/files/disk-files';
import { TemporaryFolder } from '../../../src/store/files/temporary-folder';
import { runChild } from './support/child';
import { temporaryFolder } from './support/stores';

const KEY = { user: 'ann', storage: 'pictures' };
const LIMITS = { fileBytes: 1000, storageBytes: 5000, storageEntries: 40 };

/** A folder as a process of this machine has left it behind, with something in it. */
function leftBehind(parent: string, pid: number, machine = machineOf(parent)): string {
  const path = join(parent, `iotmp-${pid}-${machine}-left`);
  mkdirSync(join(path, 'ann'), { recursive: true });
  writeFileSync(join(path, 'ann', 'file'), 'x');
  return path;
}

function machineOf(parent: string): string {
  return basename(new TemporaryFolder(parent).path).split('-')[2]!;
}

/** The number of a process that lived and is over. */
async function deadPid(): Promise<number> {
  const child = runChild('', []);
  await child.exited;
  return child.process.pid!;
}

async function* content(): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from('hello');
}

describe('a temporary folder for files', () => {
  it('tells by its name whose it is, is there with the first file, and goes at the end', async () => {
    const parent = temporaryFolder();
    const folder = new TemporaryFolder(parent);
    const files = new DiskFiles(folder, LIMITS);
    await files.start();
    assert.deepEqual(readdirSync(parent), []);
    await files.write(KEY, 'a/b', content(), false);
    assert.deepEqual(readdirSync(parent), [basename(folder.path)]);
    assert.ok(basename(folder.path).startsWith(`iotmp-${process.pid}-`));
    await files.close();
    assert.deepEqual(readdirSync(parent), []);
  });

  it('is removed by the next one where its process lives no more', async () => {
    const parent = temporaryFolder();
    const path = leftBehind(parent, await deadPid());
    await new TemporaryFolder(parent).removeAbandoned();
    assert.equal(existsSync(path), false);
  });

  it('stays while its process lives, also one of this process', async () => {
    const parent = temporaryFolder();
    const living = runChild('process.stdin.resume()', []);
    const paths = [leftBehind(parent, living.process.pid!), leftBehind(parent, process.pid)];
    const inUse = new TemporaryFolder(parent);
    mkdirSync(inUse.path);
    await new TemporaryFolder(parent).removeAbandoned();
    for (const path of [...paths, inUse.path]) assert.ok(existsSync(path), path);
  });

  it('stays where another machine, another program or nobody has made it', async () => {
    const parent = temporaryFolder();
    const pid = await deadPid();
    const outside = join(temporaryFolder(), 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(parent, `iotmp-${pid}-${machineOf(parent)}-link`));
    writeFileSync(join(parent, `iotmp-${pid}-${machineOf(parent)}-file`), '');
    mkdirSync(join(parent, `other-${pid}-${machineOf(parent)}-x`));
    leftBehind(parent, pid, '01234567');
    const before = readdirSync(parent);
    await new TemporaryFolder(parent).removeAbandoned();
    assert.deepEqual(readdirSync(parent), before);
    assert.ok(existsSync(outside));
  });

  it('is removed where it is older than the process that has its number now, as in a container', async () => {
    const parent = temporaryFolder();
    const code = `
      const { TemporaryFolder } = require(process.argv[1]);
      const { join } = require('node:path');
      const folder = new TemporaryFolder(process.argv[2]);
      const left = folder.path + '-left';
      require('node:fs').mkdirSync(left);
      // A later process is one whose time began later.
      process.uptime = () => -60;
      folder.removeAbandoned().then(() => console.log(require('node:fs').existsSync(left)));`;
    const child = runChild(
      code,
      [join(__dirname, '../../../src/store/files/temporary-folder'), parent],
      ['--require', 'tsx/cjs'],
    );
    assert.equal(await child.nextLine(), 'false');
  });
});
