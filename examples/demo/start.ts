/**
 * The demo: a Node-RED with the demo flow, and two simulated devices that connect to it. Everything listens on
 * 127.0.0.1 only.
 *
 *     npm start
 *
 * Environment: PORT is the port of the editor (1880), IOTMP_PORT the one that devices connect to (25204),
 * IOTMP_DEMO_DIR where Node-RED keeps its files (.node-red in the project).
 */
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEMO_DEVICES, DEMO_HOST, type DemoDevice } from './demo-devices';
import { DemoProcess } from './demo-process';
import { isPortFree } from './free-port';
import { relevantLines } from './node-red-lines';
import { watchParent } from './parent-watch';
import { portNumber } from './port-number';
import { prepareUserDirectory } from './user-directory';

const ROOT = resolve(__dirname, '../../..');
const EDITOR_PORT = 1880;
const START_TIMEOUT_MS = 60_000;

/** Something that keeps the demo from starting, in words for the person who wants to see it. */
class StartError extends Error {}

/** What was asked for by the environment. */
interface DemoOptions {
  readonly editorPort: number;
  /** `undefined`: the port of the flows that are there. */
  readonly iotmpPort: number | undefined;
  readonly directory: string;
}

function demoOptions(): DemoOptions {
  const { PORT = '', IOTMP_PORT = '', IOTMP_DEMO_DIR = '' } = process.env;
  return {
    editorPort: PORT === '' ? EDITOR_PORT : namedPort('PORT', PORT),
    iotmpPort: IOTMP_PORT === '' ? undefined : namedPort('IOTMP_PORT', IOTMP_PORT),
    directory: IOTMP_DEMO_DIR === '' ? join(ROOT, '.node-red') : resolve(IOTMP_DEMO_DIR),
  };
}

function namedPort(name: string, text: string): number {
  try {
    return portNumber(text);
  } catch (error) {
    throw new StartError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function checkNodeVersion(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 9)) return;
  throw new StartError(
    `This is Node.js ${process.version}, and the demo needs 22.9 or later. ` +
      'Run it with "npm start", which brings its own after "npm install".',
  );
}

async function checkPort(port: number, variable: string, purpose: string): Promise<void> {
  if (await isPortFree(port, DEMO_HOST)) return;
  throw new StartError(
    `Port ${port} (${purpose}) is in use. ` +
      `End the program that listens on it, or choose another port, such as: ${variable}=${port + 1} npm start`,
  );
}

/** Where the program of Node-RED is. */
function nodeRedFile(): string {
  try {
    return require.resolve('node-red/red.js');
  } catch {
    throw new StartError('Node-RED is not there. Run "npm install" in the project first.');
  }
}

function startNodeRed({ editorPort, directory }: DemoOptions): DemoProcess {
  return new DemoProcess({
    name: 'node-red',
    file: nodeRedFile(),
    args: ['--userDir', directory, '--settings', join(directory, 'settings.js')],
    cwd: directory,
    env: { PORT: String(editorPort), NODE_RED_DISABLE_TELEMETRY: '1' },
    isRelevant: relevantLines(),
  });
}

function startDevice(identity: DemoDevice, port: number): DemoProcess {
  const { user, device, credential } = identity;
  return new DemoProcess({
    name: device,
    file: join(__dirname, `${device}.js`),
    env: {
      IOTMP_HOST: DEMO_HOST,
      IOTMP_PORT: String(port),
      IOTMP_USER: user,
      IOTMP_DEVICE: device,
      IOTMP_CREDENTIAL: credential,
    },
  });
}

/** Resolves with true when the editor answers, and with false when there is no more need to wait. */
async function waitForEditor(url: string, ended: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([ended, AbortSignal.timeout(START_TIMEOUT_MS)]);
  while (!limit.aborted) {
    const answers = await fetch(url, { signal: limit }).then(
      () => true,
      () => false,
    );
    if (answers) return true;
    await delay(200);
  }
  if (ended.aborted) return false;
  throw new StartError(`The editor of Node-RED does not answer at ${url}.`);
}

/** Says so when a device ends while the demo goes on. */
async function watchDevice(device: DemoProcess, ending: AbortSignal): Promise<void> {
  const end = await device.ended;
  if (!ending.aborted) {
    console.log(`${device.name} ${end}. The demo goes on without it; start the demo anew to have it back.`);
  }
}

/**
 * Runs Node-RED and the devices until `ending` aborts: because a person wants it, or with an error when Node-RED has
 * ended by itself. All of them have ended when it settles.
 */
async function runDemo(options: DemoOptions, iotmpPort: number, ending: AbortController): Promise<void> {
  const { signal } = ending;
  const nodeRed = startNodeRed(options);
  const processes = [nodeRed];
  const watched = nodeRed.ended.then((end) => ending.abort(new StartError(`Node-RED ${end}.`)));
  try {
    const url = `http://${DEMO_HOST}:${options.editorPort}/`;
    if (await waitForEditor(url, signal)) {
      const { weatherStation, relayBoard } = DEMO_DEVICES;
      const devices = [weatherStation, relayBoard].map((identity) => startDevice(identity, iotmpPort));
      processes.push(...devices);
      for (const device of devices) void watchDevice(device, signal);
      console.log(
        `\nOpen ${url} and look at the debug sidebar (the tab with the bug). Ctrl-C ends the demo.\n`,
      );
    }
    if (!signal.aborted) await once(signal, 'abort');
    if (signal.reason instanceof StartError) throw signal.reason;
    console.log('Ending the demo');
  } finally {
    ending.abort();
    await Promise.all(processes.map((child) => child.stop()));
    await watched;
  }
  console.log('The demo has ended');
}

async function main(): Promise<void> {
  checkNodeVersion();
  const options = demoOptions();
  await checkPort(options.editorPort, 'PORT', 'the editor of Node-RED');
  const iotmpPort = prepareUserDirectory({ root: ROOT, ...options });
  await checkPort(iotmpPort, 'IOTMP_PORT', 'the IoTMP devices');
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  // Started by hand in the background, the demo may outlive its shell.
  if (process.env.npm_lifecycle_event !== undefined) watchParent(() => ending.abort());
  await runDemo(options, iotmpPort, ending);
}

main().catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
