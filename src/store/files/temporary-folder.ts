import { createHash, randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../../errors';
import { isAbsent } from './file-errors';

/** `iotmp-<pid>-<machine>-<id>`: the process to which a folder belongs, on a machine that may share its disk with others. */
const NAME = /^iotmp-(\d+)-([0-9a-f]{8})-/;
const MACHINE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
/** Clocks of file systems are coarse. */
const CLOCK_TOLERANCE_MS = 2000;

/** The folders of this process that are in use. */
const ours = new Set<string>();

/** A folder in the temporary folder of the system that does not outlive this process. It is made by its first user. */
export class TemporaryFolder {
  readonly path: string;
  readonly #parent: string;

  /** @param parent in place of the temporary folder of the system */
  constructor(parent = tmpdir()) {
    this.#parent = parent;
    this.path = join(parent, `iotmp-${process.pid}-${MACHINE}-${randomUUID()}`);
    ours.add(this.path);
  }

  /** Removes the folders beside this one that processes have left behind which live no more. */
  async removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#parent)) {
      const path = join(this.#parent, name);
      const [, pid, machine] = NAME.exec(name) ?? [];
      if (machine !== MACHINE || ours.has(path)) continue;
      const found = await existing(path);
      if (found?.isDirectory() === true && isOwn(found) && !isInUse(Number(pid), found)) await remove(path);
    }
  }

  /** Removes the folder with all that is in it. */
  async remove(): Promise<void> {
    await remove(this.path);
    ours.delete(this.path);
  }
}

/** Windows refuses to remove what a reader still has open for a moment. */
function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 });
}

async function existing(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isOwn({ uid }: Stats): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

/** In a container, a process has the number of the one before it: then the folder tells by its age that it was not made now. */
function isInUse(pid: number, { ctimeMs }: Stats): boolean {
  if (pid === process.pid) return ctimeMs >= Date.now() - process.uptime() * 1000 - CLOCK_TOLERANCE_MS;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is of another user.
    return systemCode(error) === 'EPERM';
  }
}
