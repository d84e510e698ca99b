import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Browser, Request } from 'playwright-core';
import { launchBrowser } from './support/browser';
import { EditorPage } from './support/editor-page';
import { deviceTable, type FlowNode } from './support/flow';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
import { connectStation, STATION, type Station } from './support/station';

const PASSWORD = 'of-a-test';
const PASSWORD_HASH = '$2b$04$QfXS1IvdzYyjk6syZD1uNO8juFTJtV4anYhyNmRNEIMeIks/ScjVC';
const SETTINGS = {
  externalModules: { palette: { allowInstall: false } },
  httpAdminRoot: '/admin',
  adminAuth: {
    type: 'credentials',
    users: [{ username: 'viewer', password: PASSWORD_HASH, permissions: 'read' }],
  },
};

/** As somebody writes it by hand: only what differs from the defaults. */
function flowOf(port: number): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'Test' },
    {
      id: 'server',
      type: 'iotmp-server',
      name: 'Server',
      host: '127.0.0.1',
      tcpPort: String(port),
      wsPath: '',
    },
    {
      id: 'stream',
      type: 'iotmp-stream',
      z: 'tab',
      via: 'server',
      server: 'server',
      device: STATION.device,
      deviceType: 'str',
      resource: 'temperature',
      resourceType: 'str',
      interval: '500',
      autostart: true,
      x: 350,
      y: 80,
      wires: [[]],
    },
  ];
}

describe('editor below a path, with a login', function () {
  this.timeout(120_000);

  for (const version of NODE_RED_VERSIONS) {
    describe(`of Node-RED ${version}`, () => {
      let nodeRed: NodeRed;
      let browser: Browser;
      let station: Station | undefined;
      let editor: EditorPage;
      const requests: Request[] = [];

      before(async () => {
        const port = await freePort();
        nodeRed = await startNodeRed({
          version,
          flows: flowOf(port),
          credentials: { server: { devices: '${IOTMP_DEVICES}' } },
          env: { IOTMP_DEVICES: deviceTable([STATION]).devices },
          settings: SETTINGS,
        });
        station = await connectStation(port);
        const login = { username: 'viewer', password: PASSWORD };
        browser = await launchBrowser();
        editor = await EditorPage.open(browser, { url: nodeRed.url, login });
        editor.page.on('request', (request) => requests.push(request));
      });
      after(async () => {
        await browser.close();
        await station?.client.close();
        await nodeRed.stop();
      });

      it('offers devices and resources to somebody who may only read', async () => {
        await editor.waitForStatus('stream', 'streaming');
        const form = await editor.openNode('stream');
        assert.equal(await form.locator('.input-error').count(), 0);
        const options = editor.page.locator('.iotmp-completion');
        await form.locator('#iotmp-typed-device').fill('');
        await form.locator('#iotmp-typed-device').press('ArrowDown');
        await options.filter({ hasText: 'stationhome, connected' }).click();
        assert.equal(await form.locator('#iotmp-typed-device').inputValue(), STATION.device);
        await form.locator('#iotmp-typed-resource').fill('');
        await form.locator('#iotmp-typed-resource').press('ArrowDown');
        await options.filter({ hasText: 'temperatureoutput' }).waitFor();
        await options.filter({ hasText: 'ledinput' }).waitFor();
        await editor.screenshot(`${version}-completion`);
      });

      it('asks below its own path, in the name of that user', async () => {
        const asked = requests.filter((request) => request.url().includes('/iotmp/'));
        const paths = asked.map((request) => new URL(request.url()).pathname);
        const devices = '/admin/iotmp/servers/server/devices';
        assert.deepEqual(paths, [devices, `${devices}/home/station/resources`]);
        for (const request of asked) assert.match(request.headers().authorization ?? '', /^Bearer ./);
        assert.equal((await nodeRed.request('/iotmp/servers/server/devices')).status, 401);
      });

      it('shows what the flow file leaves out as the runtime takes it', async () => {
        const server = await editor.openConfig('server', 'edit');
        assert.equal(await server.locator('.input-error').count(), 0);
        assert.ok(await server.locator('#node-config-input-enabled').isChecked());
        assert.equal(await server.locator('#node-config-input-wsPath').inputValue(), '');
        assert.equal(await server.locator('#node-config-input-keepAlive').inputValue(), '60');
        assert.equal(await server.locator('#node-config-input-storage').inputValue(), 'file');
      });

      it('shows the variable that holds the devices', async () => {
        const server = editor.page.locator('#node-config-dialog-edit-form');
        await editor.openTab(server, 'Devices');
        const variable = server.locator('#iotmp-server-devices-variable-name');
        await variable.waitFor();
        assert.equal(await variable.inputValue(), '${IOTMP_DEVICES}');
        await server.locator('.iotmp-server-devices-table').waitFor({ state: 'hidden' });
        await editor.screenshot(`${version}-variable`);
      });

      it('tells of no fault in the console', () => {
        assert.deepEqual(editor.faults, []);
      });
    });
  }
});
