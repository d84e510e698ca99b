import { chmodSync, lstatSync, statSync } from 'node:fs';

/** Modes of files and folders that hold what nobody else is to see. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

/**
 * Takes the rights to a file or folder away from all others, where there is one. It never gives any, and leaves links alone.
 * @throws what the file system throws, as for a file of another user
 */
export function makePrivate(path: string): void {
  // There the rights of a folder decide, and the user's own folder is for him alone.
  if (process.platform === 'win32') return;
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== false) return;
  const found = statSync(path);
  const mode = found.mode & (found.isDirectory() ? PRIVATE_FOLDER : PRIVATE_FILE);
  if ((found.mode & 0o777) !== mode) chmodSync(path, mode);
}
