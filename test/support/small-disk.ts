import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp } from './clean-up';

/** A file system of its own that goes after the test. */
export interface SmallDisk {
  readonly folder: string;
  /** Mounts it anew, such as with `ro` or `size=20m`. */
  remount(options: string): void;
}

/** A disk of some MiB; undefined where the user of the tests may not mount one, and the test is to be skipped. */
export function smallDisk(mebibytes: number): SmallDisk | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-disk-'));
  const mount = (options: string): boolean =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
  const isMounted = mount(`size=${mebibytes}m,mode=700`);
  cleanUp(() => {
    if (isMounted) spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  if (!isMounted) return undefined;
  return {
    folder,
    remount: (options) => {
      if (!mount(`remount,${options}`)) throw new Error(`cannot remount with ${options}`);
    },
  };
}
