import { resolve } from 'node:path';
import { Comms } from './comms';
import type { FlowNode } from './flow';
import type { Journal } from './journal';
import { isErrorLine, parseLogLine, type LogLine } from './log';
import { Program, type ProgramEnd } from './program';
import {
  makeTemporaryDirectory,
  PACK_DIRECTORY,
  prepareUserDirectory,
  removeDirectory,
  type UserDirectoryOptions,
} from './user-directory';

/** The releases of Node-RED that the pack is tested in. */
export const NODE_RED_VERSIONS = [5, 4] as const;
export type NodeRedVersion = (typeof NODE_RED_VERSIONS)[number];

/** How much of the flows a deploy restarts. */
export type DeployType = 'full' | 'nodes' | 'flows' | 'reload';

export interface NodeRedOptions extends UserDirectoryOptions {
  readonly version: NodeRedVersion;
  /** Default: a new one, which is removed when Node-RED is stopped. One that is given stays. */
  readonly userDirectory?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const PACKAGES: Readonly<Record<NodeRedVersion, string>> = { 5: 'node-red', 4: 'node-red-4' };
const START_TIMEOUT_MS = 60_000;

/**
 * Starts a real Node-RED as a process of its own: with the pack in its user directory, on a free port of 127.0.0.1.
 * Resolves when its flows run.
 */
export async function startNodeRed(options: NodeRedOptions): Promise<NodeRed> {
  const directory = options.userDirectory ?? (await makeTemporaryDirectory());
  await prepareUserDirectory(directory, options);
  const program = new Program({
    name: `Node-RED ${options.version}`,
    file: resolve(PACK_DIRECTORY, 'node_modules', PACKAGES[options.version], 'red.js'),
    args: ['--userDir', directory, '--settings', resolve(directory, 'settings.js')],
    cwd: directory,
    env: { NODE_RED_DISABLE_TELEMETRY: '1', ...options.env },
  });
  try {
    const limit = { timeoutMs: START_TIMEOUT_MS };
    const running = await program.lines.waitFor('start', (line) => RUNNING_AT.test(line), limit);
    const [, url = ''] = RUNNING_AT.exec(running) ?? [];
    await program.lines.waitFor('flows', (line) => line.endsWith('Started flows'), limit);
    const isTemporary = options.userDirectory === undefined;
    return new NodeRed({ version: options.version, program, url, directory, isTemporary });
  } catch (error) {
    await program.stop();
    if (options.userDirectory === undefined) await removeDirectory(directory);
    throw error;
  }
}

const RUNNING_AT = /Server now running at (\S+?)\/?$/;

/** A Node-RED that runs. Its owner stops it. */
export class NodeRed {
  readonly version: NodeRedVersion;
  /** HTTP address without a slash at the end. */
  readonly url: string;
  readonly userDirectory: string;
  readonly program: Program;
  readonly #isTemporary: boolean;
  readonly #comms = new Set<Comms>();

  constructor(init: {
    version: NodeRedVersion;
    program: Program;
    url: string;
    directory: string;
    isTemporary: boolean;
  }) {
    this.version = init.version;
    this.program = init.program;
    this.url = init.url;
    this.userDirectory = init.directory;
    this.#isTemporary = init.isTemporary;
  }

  /** What Node-RED has written, line by line. */
  get output(): Journal<string> {
    return this.program.lines;
  }

  /** The lines of its log, from a position of {@link output} on. */
  log(from = 0): LogLine[] {
    return this.output.entries.slice(from).flatMap((line) => parseLogLine(line) ?? []);
  }

  /** The lines of its log that tell of a fault, from a position of {@link output} on. */
  errors(from = 0): LogLine[] {
    return this.log(from).filter(isErrorLine);
  }

  /** An HTTP request below the address of Node-RED. */
  request(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { ...init, signal: init.signal ?? AbortSignal.timeout(20_000) });
  }

  /**
   * GET of something that is JSON.
   * @throws Error unless the answer is one of success
   */
  async json(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.request(path, {
      ...init,
      headers: { accept: 'application/json', ...headersOf(init) },
    });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    const value: unknown = await response.json();
    return value;
  }

  /**
   * Puts flows into place of those that run, as the Deploy button does, and waits until they run. A node may carry a
   * property `credentials`.
   */
  async deploy(flows: readonly FlowNode[], type: DeployType = 'full'): Promise<void> {
    const from = this.output.position;
    const response = await this.request('/flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': type },
      body: JSON.stringify(flows),
    });
    if (!response.ok) throw new Error(`deploy: ${response.status} ${await response.text()}`);
    await this.output.waitFor('deploy', (line) => / Started (modified )?(flows|nodes)$/.test(line), { from });
  }

  /** Presses the button of an inject node. */
  async inject(nodeId: string): Promise<void> {
    const response = await this.request(`/inject/${nodeId}`, { method: 'POST' });
    if (!response.ok) throw new Error(`inject: ${response.status} ${await response.text()}`);
  }

  /** Connects as an editor does. The connection ends with Node-RED, at the latest. */
  async comms(token?: string): Promise<Comms> {
    const comms = await Comms.open(this.url, token);
    this.#comms.add(comms);
    return comms;
  }

  /** Ends Node-RED and removes its user directory, unless that was given. Idempotent. */
  async stop(): Promise<ProgramEnd> {
    await Promise.all([...this.#comms].map((comms) => comms.close()));
    this.#comms.clear();
    const end = await this.program.stop();
    if (this.#isTemporary) await removeDirectory(this.userDirectory);
    return end;
  }
}

function headersOf({ headers }: RequestInit): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}
