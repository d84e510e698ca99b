import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import RED from 'node-red';
import { listen } from '../harness/listen';
import { pause } from '../harness/pause';
import { ROOT } from '../harness/places';
import type { FlowFiles } from './flows';
import { PROBE, type FlowProbe } from './flow-probe';

/** Settings that the published types do not know. */
const NO_TELEMETRY = { telemetry: { enabled: false, updateNotification: false } };

const PACK = '@open-iotmp/node-red-iotmp';

/**
 * Runs a flow in a Node-RED within this process; resolves with the port of its HTTP server when it works, or with 0 where that
 * does not listen. The directory is an empty one.
 */
export async function runNodeRed(directory: string, files: FlowFiles, probe: FlowProbe): Promise<number> {
  prepare(directory, files);
  const server = createServer();
  // There is no editor.
  RED.init(server, {
    ...NO_TELEMETRY,
    uiHost: '127.0.0.1',
    uiPort: 0,
    userDir: directory,
    flowFile: 'flows.json',
    credentialSecret: false,
    httpAdminRoot: false,
    functionGlobalContext: { [PROBE]: probe },
    externalModules: { autoInstall: false, palette: { allowInstall: false } },
    logging: { console: { level: 'error', metrics: false, audit: false } },
  });
  const works = [once(RED.events, 'flows:started'), untilGreen(files.readyNode), untilOpen(files.readyPort)];
  await RED.start();
  await Promise.all(works);
  if (files.servesHttp !== true) return 0;
  server.on('request', RED.httpNode);
  return listen(server);
}

/** Puts flow, credentials and the pack where Node-RED looks for them. */
function prepare(directory: string, { flows, credentials }: FlowFiles): void {
  writeFileSync(join(directory, 'flows.json'), JSON.stringify(flows));
  writeFileSync(join(directory, 'flows_cred.json'), JSON.stringify(credentials));
  const link = join(directory, 'node_modules', PACK);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(ROOT, link, 'junction');
}

async function untilOpen(port: number | undefined): Promise<void> {
  while (port !== undefined && !(await isOpen(port))) await pause(0.05);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}

async function untilGreen(node: string | undefined): Promise<void> {
  if (node === undefined) return;
  await new Promise<void>((resolve) => {
    RED.events.on('node-status', ({ id, status }: { id: string; status?: { fill?: string } }) => {
      if (id === node && status?.fill === 'green') resolve();
    });
  });
}
