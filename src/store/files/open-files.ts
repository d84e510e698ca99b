import { DiskFiles } from './disk-files';
import type { FileLimits, FileStore } from './file-store';
import { MemoryFiles } from './memory-files';

/**
 * Files below a folder or, without one, in memory. The folder is made with the first file; only one process at a time may
 * use it.
 */
export function openFiles(folder: string | undefined, limits: FileLimits): FileStore {
  return folder === undefined ? new MemoryFiles(limits) : new DiskFiles(folder, limits);
}
