import { join } from 'node:path';
import type { NodeAPI } from 'node-red';
import { IotmpError } from '../../../src';
import { serverTable } from '../../settings/iotmp-server';
import { settingReader } from '../../settings/setting';

/** Folder in the user directory of Node-RED with the files of all servers. */
const FOLDER = 'iotmp';

/** The folder for the files of storages, beside the file of the store. */
export function filesFolder(file: string): string {
  return file.replace(/\.db$/, '.files');
}

/**
 * The file of a server's store, named by the id of its node; `undefined` for a store in memory.
 * A node without a choice has a file, if Node-RED has a user directory.
 * @param id id of the node; whatever its characters are, the file is in the folder
 * @param config configuration of the node
 * @throws IotmpError IOTMP_ERR_CONFIG
 */
export function storageFile(RED: NodeAPI, id: string, config: object): string | undefined {
  const { userDir }: { userDir?: unknown } = RED.settings;
  const directory = typeof userDir === 'string' && userDir !== '' ? userDir : undefined;
  const chosen = settingReader(serverTable, config)('storage');
  if ((chosen ?? (directory === undefined ? 'memory' : 'file')) === 'memory') return undefined;
  if (directory !== undefined) return join(directory, FOLDER, `${encodeURIComponent(id)}.db`);
  throw new IotmpError('IOTMP_ERR_CONFIG', 'storage: Node-RED has no user directory for a file');
}
