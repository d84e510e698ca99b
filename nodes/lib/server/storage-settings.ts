import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { IotmpError } from '../../../src';
import { choiceSetting } from '../red/settings';

/** Folder in the user directory of Node-RED that has the files of all servers. */
const FOLDER = 'iotmp';

/** The folder for the files of storages, beside the file of the store. */
export function filesFolder(file: string): string {
  return file.replace(/\.db$/, '.files');
}

/**
 * The file of a server's store, named by the id of its node; `undefined` for a store in memory.
 * A node that says nothing has a file, where Node-RED has a user directory.
 * @param id id of the node; of whatever it consists, the file is in its folder
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function storageFile(RED: NodeAPI, id: string, storage: unknown): string | undefined {
  const { userDir }: { userDir?: unknown } = RED.settings;
  const directory = typeof userDir === 'string' && userDir !== '' ? userDir : undefined;
  const fallback = directory === undefined ? 'memory' : 'file';
  if (choiceSetting('storage', storage, ['file', 'memory'], fallback) === 'memory') return undefined;
  if (directory !== undefined) return join(directory, FOLDER, `${encodeURIComponent(id)}.db`);
  throw new IotmpError('IOTMP_ERR_CONFIG', 'storage: Node-RED has no user directory for a file');
}
