import { badRequest } from '../../http/request-error';

const MAX_PATH = 4096;

/**
 * A path on a device, checked: what devices cut short or take for another one is refused.
 * @throws IotmpError IOTMP_ERR_REQUEST
 */
export function filePath(path: string): string {
  const parts = path.split('/');
  const isUsable =
    path.length <= MAX_PATH &&
    path.isWellFormed() &&
    !path.includes('\0') &&
    !parts.some((part) => part === '.' || part === '..');
  if (!isUsable) throw badRequest('the path is not usable');
  return path;
}

/** Whether a path means a folder: it ends with a slash, or is the root. */
export function isFolder(path: string): boolean {
  return path === '' || path.endsWith('/');
}

/** The folder that a path is in, with a slash at its end; '' when it is in the root. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
