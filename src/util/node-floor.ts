import { isBuiltin } from 'node:module';

/** The oldest Node.js that this package works with: the first one with SQLite. */
const OLDEST = [22, 13] as const;

/** What is wrong with a Node.js, in words; undefined for one that this package works with. */
export function nodeFault(
  version = process.versions.node,
  hasSqlite = isBuiltin('node:sqlite'),
): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  const needed = `Node.js ${OLDEST.join('.')} or newer`;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return `${needed} is needed; this is ${version}`;
  }
  return hasSqlite ? undefined : `${needed} with its SQLite is needed; this one (${version}) runs without it`;
}
