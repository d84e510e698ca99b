import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import type { Browser } from 'playwright-core';
import { WebSocket } from 'ws';
import { IotmpClient, type Value } from '../../src';
import { launchBrowser } from './support/browser';
import { EditorPage } from './support/editor-page';
import { deviceTable, type FlowNode } from './support/flow';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
import { PACK_DIRECTORY } from './support/user-directory';

/** The device of the README. */
const DEVICE = { user: 'me', device: 'station', credential: 'of-a-test' };
const SETTINGS = { externalModules: { palette: { allowInstall: false } } };
const withCurl = spawnSync('curl', ['--version']).status === 0 ? it : it.skip;

function flowsOf(port: number): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'Test' },
    { id: 'server', type: 'iotmp-server', name: '', host: '127.0.0.1', tcpPort: String(port) },
    { id: 'events', type: 'iotmp-events', z: 'tab', server: 'server', x: 200, y: 80, wires: [[]] },
  ];
}

/** The lines of the README that are typed into a shell, for a Node-RED at another address. */
async function readmeLines(url: string): Promise<string[]> {
  const readme = await readFile(join(PACK_DIRECTORY, 'README.md'), 'utf8');
  const block = /```sh\n(API=[^]*?)```/.exec(readme)?.[1] ?? '';
  return block.replaceAll('http://localhost:1880', url).trimEnd().split('\n');
}

async function shell(lines: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-ec', lines.join('\n')], {
    env: { ...process.env, ...env },
    timeout: 20_000,
  });
  return stdout;
}

describe('API for programs', function () {
  this.timeout(120_000);

  for (const version of NODE_RED_VERSIONS) {
    describe(`of Node-RED ${version}`, () => {
      let nodeRed: NodeRed;
      let browser: Browser;
      let editor: EditorPage;
      let device: IotmpClient;
      let token: string;
      const switched: (Value | undefined)[] = [];

      before(async () => {
        const port = await freePort();
        const credentials = { server: deviceTable([DEVICE]) };
        nodeRed = await startNodeRed({ version, flows: flowsOf(port), credentials, settings: SETTINGS });
        browser = await launchBrowser();
        editor = await EditorPage.open(browser, { url: nodeRed.url });
        device = new IotmpClient({ ...DEVICE, host: '127.0.0.1', port });
        device.host('temperature', { kind: 'output', run: () => 23.4 });
        device.host('relay', { kind: 'input', run: ({ payload }) => void switched.push(payload) });
        device.connect();
        await device.ready();
      });
      after(async () => {
        await device.close();
        await browser.close();
        await nodeRed.stop();
      });

      const get = (path: string, text = token): Promise<Response> =>
        nodeRed.request(path, { headers: { authorization: `Bearer ${text}` } });

      it('is opened by a token that is made in the dialog of the server', async () => {
        await editor.openNode('events');
        const server = await editor.openConfig('server', 'edit');
        await editor.openTab(server, 'Storage and API');
        await server.locator('#iotmp-server-token-user').fill(DEVICE.user);
        await server.locator('#iotmp-server-token-make').click();
        const field = server.locator('#iotmp-server-token');
        await field.and(editor.page.locator('input:not(:placeholder-shown)')).waitFor();
        token = await field.inputValue();
        await editor.screenshot(`${version}-token`);
        assert.deepEqual(await editor.faultsOf(server), []);
        const path = `/v3/users/${DEVICE.user}/devices/${DEVICE.device}/resources/temperature`;
        assert.deepEqual(await (await get(path)).json(), 23.4);
        assert.equal((await get(path, `${token}x`)).status, 401);
        assert.equal((await get(path.replace('/me/', '/you/'))).status, 403);
      });

      it('counts no more after the next of this name was made', async () => {
        const before = token;
        const server = editor.page.locator('#node-config-dialog-edit-form');
        await server.locator('#iotmp-server-token-make').click();
        const field = server.locator('#iotmp-server-token');
        while ((token = await field.inputValue()) === before) await editor.page.waitForTimeout(20);
        assert.equal((await get('/v1/users/me/devices', before)).status, 401);
        assert.equal((await get('/v1/users/me/devices')).status, 200);
        assert.deepEqual(editor.faults, []);
      });

      withCurl('does what the README types', async () => {
        const lines = await readmeLines(nodeRed.url);
        const [set = '', read = '', write = '', , devices = ''] = lines;
        const run = (...typed: string[]): Promise<string> => shell([set, ...typed], { TOKEN: token });
        assert.equal(lines.length, 5);
        assert.equal(await run(read), '23.4');
        assert.equal(await run(write), '');
        assert.deepEqual(switched, [true]);
        const rows: unknown = JSON.parse(await run(devices));
        assert.partialDeepStrictEqual(rows, [{ device: 'station', connection: { active: true } }]);
      });

      it('streams to the message and the address that the README types', async () => {
        const [set = '', , , follow = ''] = await readmeLines(nodeRed.url);
        const address = /"(\$\{API.*)"$/.exec(follow)?.[1] ?? '';
        const url = await shell([set, `echo -n "${address}"`], { TOKEN: token });
        const socket = new WebSocket(url);
        try {
          const frame = new Promise((resolve, reject) => {
            socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
            socket.once('error', reject);
            socket.once('open', () => socket.send(/echo '(.*)'/.exec(follow)?.[1] ?? ''));
          });
          assert.partialDeepStrictEqual(await frame, { resource: 'temperature', payload: 23.4 });
        } finally {
          socket.terminate();
        }
      });

      it('is described by a page that needs nothing from elsewhere', async () => {
        const context = await browser.newContext();
        try {
          const page = await context.newPage();
          const asked: string[] = [];
          page.on('request', (request) => asked.push(request.url()));
          await page.goto(`${nodeRed.url}/openapi.html`);
          await page.getByText('/v3/users/:user/devices/:device/resources').first().waitFor();
          assert.deepEqual(
            asked.filter((url) => !url.startsWith(nodeRed.url)),
            [],
          );
        } finally {
          await context.close();
        }
      });
    });
  }
});
