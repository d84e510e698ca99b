import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the renderer of the reference page stands: beside this file where that was built, else where npm has put it. */
const FOLDERS = [join(__dirname, 'swagger-ui'), join(__dirname, '../../../node_modules/swagger-ui-dist')];

/** Reads a file of the renderer; `undefined` in a checkout that was not built. */
export async function readPageFile(name: string): Promise<Buffer | undefined> {
  const folder = FOLDERS.find((each) => existsSync(join(each, name)));
  return folder === undefined ? undefined : readFile(join(folder, name));
}
