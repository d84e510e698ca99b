import { readFileSync } from 'node:fs';

const LIMITS = '/proc/self/limits';

/** Number of files that this process may have open; `undefined` where the system does not say, as any but Linux. */
export function openFilesLimit(path = LIMITS): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    // Only Linux has the file, and only for a warning it is not missed.
    return undefined;
  }
  const [, soft] = /^Max open files +(\d+)/m.exec(text) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

/** What is wrong with the limit, if anything. Each connection is an open file. */
export function fileLimitWarning(maxConnections: number, limit = openFilesLimit()): string | undefined {
  if (limit === undefined || limit >= maxConnections) return undefined;
  return `this process may have ${limit} files open, which is less than the limit of ${maxConnections} connections: raise it (ulimit -n, or LimitNOFILE of systemd), or connections will be lost`;
}

/** Tells of a limit that is too low. */
export function warnOfFileLimit(maxConnections: number, warn: (text: string) => void): void {
  const warning = fileLimitWarning(maxConnections);
  if (warning !== undefined) warn(warning);
}
