import { constants } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors';
import { isAbsent } from './file-errors';
import { syncFolder } from './folders';

/** Where no second name can be given to a file: on another disk, or where the file system has none. */
const NO_LINKS: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'ENOSYS']);

/**
 * Gives all files below a path a second name below another one, as files are never changed once they are written; where that is not
 * possible, they are copied. What is at the target already stays, and what goes meanwhile is left out.
 * @param skipped name of an entry of the uppermost folder that is left out
 */
export async function linkTree(from: string, to: string, skipped?: string): Promise<void> {
  try {
    const found = await lstat(from);
    if (found.isFile()) await linkFile(from, to);
    if (!found.isDirectory()) return;
    await mkdir(to, { recursive: true, mode: 0o700 });
    for (const name of await readdir(from)) {
      if (name !== skipped) await linkTree(join(from, name), join(to, name));
    }
    await syncFolder(to);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (!NO_LINKS.has(code)) throw error;
    await copyWhole(from, to);
  }
}

async function copyWhole(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(to, 0o600);
  const handle = await open(to, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
