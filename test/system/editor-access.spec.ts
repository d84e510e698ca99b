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
    { id: 'spare', type: 'iotmp-server', name: 'Spare', enabled: false },
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
          credentials: {
            server: { devices: '${IOTMP_DEVICES}' },
            spare: deviceTable([STATION, { ...STATION, device: '.' }]),
          },
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
        // Tables are asked for whenever nodes are judged.
        const others = paths.filter((path) => !path.endsWith('/table'));
        assert.deepEqual(others, [devices, `${devices}/home/station/resources`]);
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

      it('marks a server by its rows when the editor is loaded', async () => {
        await editor.page.reload();
        await editor.page.waitForFunction(
          "RED.nodes.node('spare')?.valid === false && RED.nodes.node('server').valid",
        );
      });

      it('shows the table to somebody who may only read, without a credential', async () => {
        await editor.page.evaluate("RED.editor.editConfig('', 'iotmp-server', 'spare')");
        const server = editor.page.locator('#node-config-dialog-edit-form');
        await server.locator('#iotmp-server-tabs').waitFor();
        await editor.openTab(server, 'Devices');
        const inputs = server.locator('li .iotmp-device-row input');
        await inputs.nth(5).waitFor();
        const values = await Promise.all((await inputs.all()).map((input) => input.inputValue()));
        assert.deepEqual(values, [STATION.user, STATION.device, '', STATION.user, '.', '']);
        assert.equal(await inputs.nth(2).getAttribute('placeholder'), 'set');
        for (const input of await inputs.all()) assert.ok(await input.isDisabled());
        assert.ok(await server.getByRole('button', { name: 'add device' }).isDisabled());
        await server.getByText('you need the permission flows.write').waitFor();
        await editor.screenshot(`${version}-reader`);
        const given: unknown = await editor.page.evaluate("$.getJSON('credentials/iotmp-server/spare')");
        assert.deepEqual(given, { has_devices: true, has_devicesChange: false, has_apiSecret: false });
      });

      it('tells of no fault in the console', () => {
        assert.deepEqual(editor.faults, []);
      });
    });
  }
});
