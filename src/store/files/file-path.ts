import { unusable } from '../checks';

const MAX_PATH = 1024;
const MAX_DEPTH = 32;
/** What file systems take, in bytes. */
const MAX_NAME_BYTES = 255;
/** A backslash is a separator on some systems, and nobody means control characters. */
const FORBIDDEN = /[\\\p{Cc}]/u;
/** What file systems of some kind do not take in a name, and what escapes it. */
const UNPORTABLE = /[<>:"|?*%]|[. ]$/g;
/** Names that mean a device on some systems. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The names along a path such as `logs/today.txt`; none for the root, ''.
 * @throws IotmpError IOTMP_ERR_CONFIG for whatever leads elsewhere or cannot be kept on every system
 */
export function namesOf(path: string): string[] {
  if (path === '') return [];
  const names = path.split('/');
  if (path.length > MAX_PATH || names.length > MAX_DEPTH) {
    throw unusable(`a path has at most ${MAX_PATH} characters and ${MAX_DEPTH} names`);
  }
  if (!names.every(isName)) throw unusable('the path of a file is not usable');
  return names;
}

/** The same, of a path that must not be the root. */
export function namesBelowRoot(path: string): string[] {
  const names = namesOf(path);
  if (names.length === 0) throw unusable('the path of a file is missing');
  return names;
}

/**
 * The path that something has when what it is in, or itself, goes from one path to another.
 * @throws IotmpError IOTMP_ERR_CONFIG where nobody could name it there: too long or too deep, and the disk itself may fail
 */
export function movedPath(path: string, from: string, to: string): string {
  const moved = to + path.slice(from.length);
  namesOf(moved);
  return moved;
}

/** How a name is written on a disk: as it is, but for characters that not every file system takes. */
export function toDiskName(name: string): string {
  return withoutReserved(name.replace(UNPORTABLE, escaped));
}

/** The name that is written so on a disk; `undefined` for one that none is written as. */
export function fromDiskName(written: string): string | undefined {
  const name = written.replace(/%([0-9A-F]{2})/g, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return isName(name) && toDiskName(name) === written ? name : undefined;
}

/**
 * The name of the folder of a user or storage. Some file systems make no difference between small and capital letters,
 * but these are different users: all but small letters, digits, `_` and `-` is escaped.
 */
export function toFolderName(id: string): string {
  const bytes = Buffer.from(id).toString('latin1');
  const folder = withoutReserved(bytes.replace(/[^a-z0-9_-]/g, escaped));
  if (folder !== '' && folder.length <= MAX_NAME_BYTES) return folder;
  throw unusable('there can be no folder for this user or storage');
}

function isName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !FORBIDDEN.test(name) &&
    !name.includes('/') &&
    name.isWellFormed() &&
    Buffer.byteLength(toDiskName(name)) <= MAX_NAME_BYTES
  );
}

function withoutReserved(name: string): string {
  return RESERVED.test(name) ? escaped(name.charAt(0)) + name.slice(1) : name;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
