import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import type { FileEntry, FileLimits, FileStore } from '../../../src/store/files/file-store';
import { DiskFiles } from '../../../src/store/files/disk-files';
import { FilesModel, type FileStep } from './support/files-model';
import { temporaryFolder, withCode } from './support/stores';

const KEY = { user: 'ann', storage: 'pictures' };
const LIMITS: FileLimits = { fileBytes: 1000, storageBytes: 5000, storageEntries: 40 };

function open(limits?: Partial<FileLimits>): FileStore {
  return new DiskFiles(join(temporaryFolder(), 'a', 'files'), { ...LIMITS, ...limits });
}

async function* chunks(...parts: (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await Promise.resolve();
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

function put(files: FileStore, path: string, text: string, key = KEY): Promise<FileEntry> {
  return files.write(key, path, chunks(text), true);
}

async function read(files: FileStore, path: string, key = KEY): Promise<string> {
  return (await buffer((await files.open(key, path)).content)).toString();
}

/** Does a step; answers the code with which it is refused. */
async function doStep(files: FileStore, step: FileStep): Promise<string | undefined> {
  try {
    if (step[0] === 'write') await files.write(KEY, step[1], chunks(step[2]), step[3]);
    else if (step[0] === 'rename') await files.rename(KEY, step[1], step[2], step[3]);
    else if (step[0] === 'makeFolder') await files.makeFolder(KEY, step[1]);
    else if (step[0] === 'remove') await files.remove(KEY, step[1], step[2]);
    else await files.clear(KEY);
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

async function tree(files: FileStore, path = '', recursive = true, key = KEY): Promise<string[]> {
  const entries = await files.list(key, path, recursive);
  return entries.map((entry) => `${entry.path}${entry.type === 'directory' ? '/' : ` ${entry.size}`}`);
}

describe('files', () => {
  it('are written, with their folders, read, replaced and listed', async () => {
    const files = open();
    assert.deepEqual(await tree(files), []);
    const from = Date.now() - 5000;
    const entry = await files.write(KEY, 'a/b/c.txt', chunks('hel', '', 'lo'), false);
    assert.deepEqual([entry.path, entry.type, entry.size], ['a/b/c.txt', 'file', 5]);
    assert.ok(entry.modified > from);
    assert.equal(await read(files, 'a/b/c.txt'), 'hello');
    await put(files, 'a/b/c.txt', 'again!');
    await put(files, 'empty', '');
    await put(files, '.hidden', 'x');
    assert.equal(await read(files, 'a/b/c.txt'), 'again!');
    assert.equal(await read(files, 'empty'), '');
    assert.deepEqual(await tree(files), ['.hidden 1', 'a/', 'a/b/', 'a/b/c.txt 6', 'empty 0']);
    assert.deepEqual(await tree(files, '', false), ['.hidden 1', 'a/', 'empty 0']);
    assert.deepEqual(await tree(files, 'a', false), ['a/b/']);
    assert.deepEqual(await tree(files, 'a'), ['a/b/', 'a/b/c.txt 6']);
    assert.equal((await files.find(KEY, 'a/b'))?.type, 'directory');
    assert.equal(await files.find(KEY, 'a/c'), undefined);
    assert.equal(await files.find(KEY, 'empty/c'), undefined);
  });

  it('go nowhere where their paths would be too long, or too deep', async () => {
    const files = open({ storageEntries: 100 });
    const [first, second] = ['a', 'b'].map((letter) => Array(4).fill(letter.repeat(200)).join('/'));
    await put(files, `${first}/x`, '1');
    await files.makeFolder(KEY, second!);
    const top = 'a'.repeat(200);
    const tooLong = withCode('IOTMP_ERR_CONFIG');
    await assert.rejects(files.rename(KEY, top, `${second}/${top}`, false), tooLong);
    const deep = Array(30).fill('d').join('/');
    await files.makeFolder(KEY, deep);
    await files.makeFolder(KEY, 'e/e/e');
    await assert.rejects(files.rename(KEY, 'd', 'e/e/e/d', false), tooLong);
    assert.equal(await read(files, `${first}/x`), '1');
    assert.equal((await files.rename(KEY, top, 'short', false)).path, 'short');
    await files.remove(KEY, 'short', true);
    await files.clear(KEY);
    assert.deepEqual(await tree(files), []);
  });

  it('are each storage and each user for itself', async () => {
    const files = open();
    const keys = [
      KEY,
      { user: 'ann', storage: 'Pictures' },
      { user: 'Ann', storage: 'pictures' },
      { user: '..', storage: 'pictures' },
      { user: '%tmp', storage: 'pictures' },
      { user: 'a/nn', storage: 'pictures' },
      { user: 'con', storage: 'nul' },
      { user: 'ñ', storage: 'pictures' },
    ];
    for (const [index, key] of keys.entries()) await put(files, 'same.txt', `${index}`, key);
    for (const [index, key] of keys.entries()) assert.equal(await read(files, 'same.txt', key), `${index}`);
    await files.clear(KEY);
    assert.deepEqual(await tree(files), []);
    assert.deepEqual(await tree(files, '', true, keys[1]), ['same.txt 1']);
    await files.clear(KEY);
  });

  it('have no path that leads elsewhere, or that not every disk takes', async () => {
    const files = open();
    const bad = [
      '/',
      '/etc/passwd',
      '..',
      '../x',
      'a/../../x',
      'a//b',
      'a/',
      '.',
      './a',
      'a\\b',
      '..\\x',
      'a\0b',
      'a\nb',
      'a\u0080',
      '\ud800',
      'x'.repeat(256),
      'ñ'.repeat(128),
      ':'.repeat(86),
      'a/'.repeat(32) + 'a',
      `${'x'.repeat(250)}/`.repeat(4) + 'x'.repeat(21),
    ];
    for (const path of bad) {
      const told = JSON.stringify(path).slice(0, 40);
      await assert.rejects(put(files, path, 'x'), withCode('IOTMP_ERR_CONFIG'), told);
      await assert.rejects(files.open(KEY, path), withCode('IOTMP_ERR_CONFIG'), told);
      await assert.rejects(files.list(KEY, path, true), withCode('IOTMP_ERR_CONFIG'), told);
      await assert.rejects(files.makeFolder(KEY, path), withCode('IOTMP_ERR_CONFIG'), told);
      await assert.rejects(files.remove(KEY, path, true), withCode('IOTMP_ERR_CONFIG'), told);
      await put(files, 'ok', '1');
      await assert.rejects(files.rename(KEY, 'ok', path, true), withCode('IOTMP_ERR_CONFIG'), told);
    }
    assert.deepEqual(await tree(files), ['ok 1']);
  });

  it('may have names of all kinds', async () => {
    const files = open({ storageEntries: 100 });
    const names = [
      'a:b',
      '100%',
      '%41',
      'x?*<>|"',
      'ende.',
      'leer ',
      'con',
      'NUL.txt',
      '...',
      'ñandú',
      '🙂',
      '~',
      ' ',
    ];
    for (const name of names) await put(files, `${name}/${name}`, name);
    for (const name of names) assert.equal(await read(files, `${name}/${name}`), name);
    assert.deepEqual(
      (await files.list(KEY, '', false)).map(({ path }) => path),
      names.sort(),
    );
  });

  it('do not take the place of each other', async () => {
    const files = open();
    await put(files, 'file', '1');
    await files.makeFolder(KEY, 'folder/sub');
    await files.makeFolder(KEY, 'folder');
    await assert.rejects(files.write(KEY, 'file', chunks('2'), false), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(put(files, 'folder', '2'), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(put(files, 'file/x', '2'), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.makeFolder(KEY, 'file'), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.makeFolder(KEY, 'file/x'), withCode('IOTMP_ERR_CONFLICT'));
    await files.makeFolder(KEY, 'a/b');
    await put(files, 'a/b/file', '1');
    await assert.rejects(files.makeFolder(KEY, 'a/b/file/x/y'), /a\/b\/file is a file, and not a folder/);
    await files.remove(KEY, 'a', true);
    await assert.rejects(files.list(KEY, 'file', true), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.list(KEY, 'none', true), withCode('IOTMP_ERR_NOT_FOUND'));
    await assert.rejects(files.open(KEY, 'folder'), withCode('IOTMP_ERR_NOT_FOUND'));
    await assert.rejects(files.open(KEY, 'none'), withCode('IOTMP_ERR_NOT_FOUND'));
    assert.deepEqual(await tree(files), ['file 1', 'folder/', 'folder/sub/']);
    assert.equal(await read(files, 'file'), '1');
  });

  it('are renamed with all that is below them', async () => {
    const files = open();
    await put(files, 'a/x', '1');
    await put(files, 'a/b/y', '22');
    await put(files, 'z', '333');
    const moved = await files.rename(KEY, 'a', 'c/d', false);
    assert.deepEqual([moved.path, moved.type], ['c/d', 'directory']);
    assert.deepEqual(await tree(files), ['c/', 'c/d/', 'c/d/b/', 'c/d/b/y 2', 'c/d/x 1', 'z 3']);
    await assert.rejects(files.rename(KEY, 'z', 'c/d/x', false), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.rename(KEY, 'z', 'c', true), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.rename(KEY, 'c', 'z', true), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.rename(KEY, 'c', 'c/d/e', true), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.rename(KEY, 'none', 'n', true), withCode('IOTMP_ERR_NOT_FOUND'));
    assert.equal((await files.rename(KEY, 'z', 'c/d/x', true)).size, 3);
    assert.equal(await read(files, 'c/d/x'), '333');
    assert.deepEqual(await tree(files), ['c/', 'c/d/', 'c/d/b/', 'c/d/b/y 2', 'c/d/x 3']);
  });

  it('are removed, folders with their content only where that is wanted', async () => {
    const files = open();
    await put(files, 'a/b/c', '1');
    await put(files, 'd', '1');
    await files.remove(KEY, 'd', false);
    await assert.rejects(files.remove(KEY, 'd', false), withCode('IOTMP_ERR_NOT_FOUND'));
    await assert.rejects(files.remove(KEY, 'a', false), withCode('IOTMP_ERR_CONFLICT'));
    await files.remove(KEY, 'a/b', true);
    await files.remove(KEY, 'a', false);
    assert.deepEqual(await tree(files), []);
  });

  it('are bounded in size and number, and refused as a whole', async () => {
    const files = open();
    await put(files, 'full', 'x'.repeat(1000));
    await assert.rejects(
      files.write(KEY, 'full', chunks('x'.repeat(600), 'x'.repeat(401)), true),
      withCode('IOTMP_ERR_TOO_LARGE'),
    );
    assert.equal((await read(files, 'full')).length, 1000);
    for (let index = 1; index < 5; index++) await put(files, `f${index}`, 'x'.repeat(1000));
    await assert.rejects(put(files, 'more', 'x'), withCode('IOTMP_ERR_QUOTA'));
    await put(files, 'f1', 'x'.repeat(999));
    await put(files, 'more', 'x');
    await assert.rejects(put(files, 'f1', 'x'.repeat(1000)), withCode('IOTMP_ERR_QUOTA'));
    for (let index = 6; index < 40; index++) await put(files, `g${index}`, '');
    await assert.rejects(put(files, 'h', ''), withCode('IOTMP_ERR_QUOTA'));
    await assert.rejects(files.makeFolder(KEY, 'h'), withCode('IOTMP_ERR_QUOTA'));
    await assert.rejects(files.rename(KEY, 'g6', 'h/g6', false), withCode('IOTMP_ERR_QUOTA'));
    await put(files, 'g6', '');
    await files.remove(KEY, 'g7', false);
    await assert.rejects(put(files, 'h/i', ''), withCode('IOTMP_ERR_QUOTA'));
    await files.makeFolder(KEY, 'h');
    assert.equal((await tree(files)).length, 40);
  });

  it('are there as a whole or as they were, whatever becomes of their content', async () => {
    const files = open();
    await put(files, 'a', 'old');
    const gone = new Error('gone');
    await assert.rejects(files.write(KEY, 'a', chunks('new', gone), true), gone);
    await assert.rejects(files.write(KEY, 'b/c', chunks('new', gone), true), gone);
    assert.deepEqual(await tree(files), ['a 3']);
    const opened = await files.open(KEY, 'a');
    await put(files, 'a', 'newer');
    await files.remove(KEY, 'a', false);
    assert.equal((await buffer(opened.content)).toString(), 'old');
  });

  it('that are written at once come one after the other', async () => {
    const files = open({ storageBytes: 10 });
    const texts = ['aaa', 'bb', 'cccc', 'd'];
    await Promise.all(texts.map((text) => put(files, 'same', text)));
    assert.ok(texts.includes(await read(files, 'same')));
    const created = await Promise.allSettled(
      texts.map((text) => files.write(KEY, 'new', chunks(text), false)),
    );
    assert.equal(created.filter(({ status }) => status === 'fulfilled').length, 1);
    await files.clear(KEY);
    const fitting = await Promise.allSettled(['1', '2', '3', '4'].map((name) => put(files, name, 'xxx')));
    assert.equal(fitting.filter(({ status }) => status === 'fulfilled').length, 3);
    assert.equal((await tree(files)).length, 3);
  });

  it('that are too many at once are refused for now', async () => {
    const files = open();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    async function* waiting(): AsyncGenerator<Uint8Array> {
      await promise;
      yield Buffer.from('x');
    }
    const writes = Array.from({ length: 16 }, (_, index) => files.write(KEY, `${index}`, waiting(), true));
    await assert.rejects(put(files, 'more', 'x'), withCode('IOTMP_ERR_BUSY'));
    resolve(undefined);
    await Promise.all(writes);
    await put(files, 'more', 'x');
  });
});

describe('files on a disk', () => {
  it('are for this user only, also those that others could read before', async () => {
    if (process.platform === 'win32') return;
    const folder = join(temporaryFolder(), 'files');
    const before = new DiskFiles(folder, LIMITS);
    await put(before, 'a/b.txt', 'text');
    await before.close();
    const found = readdirSync(folder, { recursive: true, withFileTypes: true });
    const paths = [folder, ...found.map(({ parentPath, name }) => join(parentPath, name))];
    for (const path of paths) chmodSync(path, 0o777);
    symlinkSync('/', join(folder, 'link'));
    await new DiskFiles(folder, LIMITS).start();
    for (const path of paths) {
      const stats = statSync(path);
      assert.equal(stats.mode & 0o777, stats.isDirectory() ? 0o700 : 0o600, path);
    }
    assert.notEqual(statSync('/').mode & 0o777, 0o700);
  });

  it('are what a simple model of them is, whatever is done', async () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
    const text = fc.nat({ max: 24 }).map((length) => 'x'.repeat(length));
    const flag = fc.boolean();
    const step: fc.Arbitrary<FileStep> = fc.oneof(
      fc.tuple(fc.constant('write' as const), path, text, flag),
      fc.tuple(fc.constant('makeFolder' as const), path),
      fc.tuple(fc.constant('rename' as const), path, path, flag),
      fc.tuple(fc.constant('remove' as const), path, flag),
      fc.tuple(fc.constant('clear' as const)),
    );
    const limits = { fileBytes: 20, storageBytes: 60, storageEntries: 8 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const files = new DiskFiles(temporaryFolder(), limits);
        const model = new FilesModel(limits);
        for (const each of steps) {
          const allowed = [...model.refusals(each)];
          const code = await doStep(files, each);
          const isAllowed = code === undefined ? allowed.length === 0 : allowed.includes(code);
          assert.ok(
            isAllowed,
            `${JSON.stringify(each)}: ${code ?? 'done'}, and not ${allowed.join() || 'done'}`,
          );
          if (code === undefined) model.apply(each);
          assert.deepEqual(await tree(files), model.tree, JSON.stringify(each));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are there again for the next who opens the folder, without what was never finished', async () => {
    const folder = join(temporaryFolder(), 'files');
    await put(new DiskFiles(folder, LIMITS), 'a/b.txt', 'hello');
    assert.deepEqual(readdirSync(join(folder, '%tmp')), []);
    writeFileSync(join(folder, '%tmp', 'left'), 'x'.repeat(100));
    const again = new DiskFiles(folder, { ...LIMITS, storageBytes: 6 });
    assert.equal(await read(again, 'a/b.txt'), 'hello');
    await assert.rejects(put(again, 'c', 'xx'), withCode('IOTMP_ERR_QUOTA'));
    await put(again, 'c', 'x');
    assert.deepEqual(readdirSync(join(folder, '%tmp')), []);
    assert.equal(readFileSync(join(folder, 'ann', 'pictures', 'a', 'b.txt'), 'utf8'), 'hello');
  });

  it('leave nothing behind', async () => {
    const folder = join(temporaryFolder(), 'files');
    const files = new DiskFiles(folder, LIMITS);
    assert.deepEqual(await tree(files), []);
    assert.ok(!existsSync(folder), 'a look makes nothing');
    await put(files, 'a/b', 'x');
    await files.remove(KEY, 'a', true);
    await assert.rejects(files.write(KEY, 'a/b', chunks('x', new Error('gone')), true));
    assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), ['%tmp', 'ann', 'ann/pictures']);
    await files.clear(KEY);
    assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), ['%tmp', 'ann']);
  });

  it('are never reached through links', async () => {
    const folder = temporaryFolder();
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    const files = new DiskFiles(join(folder, 'files'), LIMITS);
    await put(files, 'real/file', 'x');
    const root = join(folder, 'files', 'ann', 'pictures');
    symlinkSync(outside, join(root, 'folder'));
    symlinkSync(join(outside, 'secret'), join(root, 'file'));
    symlinkSync(outside, join(folder, 'files', 'ann', 'linked'));
    assert.deepEqual(await tree(files), ['real/', 'real/file 1']);
    for (const path of ['file', 'folder', 'folder/secret']) {
      assert.equal(await files.find(KEY, path), undefined);
      await assert.rejects(files.open(KEY, path), withCode('IOTMP_ERR_NOT_FOUND'));
      await assert.rejects(files.remove(KEY, path, true), withCode('IOTMP_ERR_NOT_FOUND'));
      await assert.rejects(files.rename(KEY, path, 'mine', true), withCode('IOTMP_ERR_NOT_FOUND'));
    }
    await assert.rejects(put(files, 'folder/new', 'x'), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.makeFolder(KEY, 'folder/new'), withCode('IOTMP_ERR_CONFLICT'));
    await assert.rejects(files.rename(KEY, 'real', 'folder/new', true), withCode('IOTMP_ERR_CONFLICT'));
    const linked = { user: 'ann', storage: 'linked' };
    assert.deepEqual(await tree(files, '', true, linked), []);
    await assert.rejects(files.open(linked, 'secret'), withCode('IOTMP_ERR_NOT_FOUND'));
    await put(files, 'file', 'mine');
    await files.clear(linked);
    await files.clear(KEY);
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
  });

  it('tell of a disk that fails, without its paths', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'files'), '');
    const files = new DiskFiles(join(folder, 'files'), LIMITS);
    await assert.rejects(put(files, 'a', 'x'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'IOTMP_ERR_STORAGE');
      assert.ok(!error.message.includes(folder), error.message);
      return true;
    });
  });

  it('are closed when what is under way is over, and take nothing more', async () => {
    const files = open();
    const more = Promise.withResolvers<undefined>();
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('hello');
      await more.promise;
    };
    const writing = files.write(KEY, 'a', slow(), true);
    let closed = false;
    const closing = files.close().then(() => (closed = true));
    await assert.rejects(put(files, 'b', 'x'), withCode('IOTMP_ERR_CLOSED'));
    assert.equal(closed, false);
    more.resolve(undefined);
    assert.equal((await writing).size, 5);
    await closing;
    await assert.rejects(tree(files), withCode('IOTMP_ERR_CLOSED'));
  });
});
