import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Credentials, FlowNode } from './flow';

/** The project, which is the pack. */
export const PACK_DIRECTORY = resolve(__dirname, '../../..');
export const PACK_NAME = '@open-iotmp/node-red-iotmp';

/** What is put into a user directory. */
export interface UserDirectoryOptions {
  readonly flows?: readonly FlowNode[];
  readonly credentials?: Credentials;
  /** Joins the settings for tests; everything that JSON can say. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** `false` leaves the pack out, for a test that installs it. */
  readonly linkPack?: boolean;
}

/** Quiet, on loopback, on a port of its own, without anything that goes out to the network. */
const SETTINGS = {
  uiHost: '127.0.0.1',
  uiPort: 0,
  flowFile: 'flows.json',
  credentialSecret: false,
  lang: 'en-US',
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false, projects: { enabled: false } },
  logging: { console: { level: 'info', metrics: false, audit: false } },
};

/** Makes an empty directory for temporary files. The caller removes it. */
export function makeTemporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'node-red-iotmp-'));
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Prepares a directory as a user directory of Node-RED: settings, flows, and the pack as `npm install <folder>`
 * puts it there. Files of an earlier run stay, unless they are given anew.
 */
export async function prepareUserDirectory(
  directory: string,
  { flows, credentials, settings = {}, linkPack = true }: UserDirectoryOptions,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const text = JSON.stringify({ ...SETTINGS, ...settings }, null, 2);
  await writeFile(join(directory, 'settings.js'), `module.exports = ${text};\n`);
  if (flows !== undefined) await writeJson(join(directory, 'flows.json'), flows);
  if (credentials !== undefined) await writeJson(join(directory, 'flows_cred.json'), credentials);
  if (linkPack) await link(directory);
}

async function link(directory: string): Promise<void> {
  const target = join(directory, 'node_modules', PACK_NAME);
  await mkdir(resolve(target, '..'), { recursive: true });
  await rm(target, { force: true });
  await symlink(PACK_DIRECTORY, target, 'junction');
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, JSON.stringify(value, null, 2));
}
