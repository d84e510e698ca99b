import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DEMO_PORT } from './demo-devices';
import { credentialsFile, portOf, withPort } from './demo-flow';
import { NODE_RED_SETTINGS } from './node-red-settings';

const PACK = '@open-iotmp/node-red-iotmp';
const DEMO_FLOW = 'examples/demo/IoTMP demo.json';

export interface UserDirectoryOptions {
  /** The project. */
  readonly root: string;
  /** Where Node-RED shall keep its files. */
  readonly directory: string;
  /** IoTMP port that was asked for; `undefined`: the one of the flows that are there. */
  readonly iotmpPort: number | undefined;
}

/**
 * Prepares a directory for Node-RED: with the pack of the project, and with the demo flow where there are no flows yet.
 * What a person has changed there stays.
 * @returns the IoTMP port that the flows listen on
 * @throws Error when a file cannot be read or written
 */
export function prepareUserDirectory({ root, directory, iotmpPort }: UserDirectoryOptions): number {
  mkdirSync(directory, { recursive: true });
  linkPack(root, directory);
  const manifest = {
    name: 'iotmp-demo',
    description: 'Node-RED of the IoTMP demo',
    version: '0.0.1',
    private: true,
    dependencies: { [PACK]: `file:${relative(directory, root)}` },
  };
  writeNew(join(directory, 'package.json'), () => `${JSON.stringify(manifest, null, 4)}\n`);
  writeNew(join(directory, 'settings.js'), () => NODE_RED_SETTINGS);
  return prepareFlows(root, join(directory, 'flows.json'), iotmpPort);
}

function prepareFlows(root: string, file: string, iotmpPort: number | undefined): number {
  const isNew = !existsSync(file);
  const before = readFileSync(isNew ? join(root, DEMO_FLOW) : file, 'utf8');
  const port = iotmpPort ?? (isNew ? DEMO_PORT : portOf(before));
  if (isNew || portOf(before) !== port) writeFileSync(file, withPort(before, port));
  if (isNew) writeFileSync(file.replace(/\.json$/, '_cred.json'), credentialsFile());
  return port;
}

/** As `npm install <folder>` does: the nodes are loaded from where they are built. */
function linkPack(root: string, directory: string): void {
  const link = join(directory, 'node_modules', PACK);
  mkdirSync(dirname(link), { recursive: true });
  // A link to a project that was moved since leads nowhere.
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link, { recursive: true });
  symlinkSync(root, link, 'junction');
}

function writeNew(file: string, text: () => string): void {
  if (!existsSync(file)) writeFileSync(file, text());
}
