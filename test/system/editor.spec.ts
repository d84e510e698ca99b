import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { Browser, Locator } from 'playwright-core';
import { IotmpClient } from '../../src';
import { guess, guessUntilBlocked } from '../unit/support/guesses';
import { launchBrowser } from './support/browser';
import { EditorPage } from './support/editor-page';
import type { FlowNode } from './support/flow';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed } from './support/node-red';
import { freePort } from './support/ports';
import { connectStation, STATION, type Station } from './support/station';
import { PACK_DIRECTORY, PACK_NAME } from './support/user-directory';

/** Where the test puts the nodes of the pack, in px. */
const PLACES = {
  'iotmp-stream': { x: 350, y: 80 },
  'iotmp-call': { x: 350, y: 160 },
  'iotmp-events': { x: 350, y: 240 },
  'iotmp-resource-in': { x: 350, y: 320 },
  'iotmp-response': { x: 600, y: 320 },
  'iotmp-resource-out': { x: 350, y: 400 },
} as const;
type FlowType = keyof typeof PLACES;
const TYPES = Object.keys(PLACES) as FlowType[];

/** Nodes of core that are there from the beginning. */
const CORE_NODES: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Test' },
  {
    id: 'inject',
    type: 'inject',
    z: 'tab',
    name: 'switch on',
    props: [{ p: 'payload' }],
    payload: 'true',
    payloadType: 'bool',
    repeat: '',
    crontab: '',
    once: false,
    x: 130,
    y: 160,
    wires: [[]],
  },
  ...['samples', 'answers', 'changes'].map((name, index) => ({
    id: name,
    type: 'debug',
    z: 'tab',
    name,
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
    x: 600,
    y: 80 + 80 * index,
    wires: [],
  })),
];

/** The palette manager would ask for its catalogue. */
const SETTINGS = { externalModules: { palette: { allowInstall: false } } };

async function assertValues(form: Locator, expected: Record<string, string>): Promise<void> {
  for (const [id, value] of Object.entries(expected)) {
    assert.equal(await form.locator(`#${id}`).inputValue(), value, id);
  }
}

async function fill(form: Locator, values: Record<string, string>): Promise<void> {
  for (const [id, value] of Object.entries(values)) await form.locator(`#${id}`).fill(value);
}

/** Adds two rules of rights: the second is dragged before the first. */
async function addRules(server: Locator): Promise<void> {
  const problem = server.locator('.iotmp-server-rules-problem');
  const add = server.getByRole('button', { name: 'add rule' });
  const row = server.locator('li .iotmp-rule-row');
  await add.click();
  assert.match(await problem.innerText(), /A rule names a device as user\/device.* A rule needs a target/);
  await row.nth(0).getByLabel('Devices', { exact: true }).fill('station/panel');
  await row.nth(0).getByLabel('Target').fill('relay');
  assert.match(await problem.innerText(), /user\/device\/resource/);
  await row.nth(0).getByLabel('Target').fill('station/station/$terminal*');
  assert.equal(await problem.innerText(), '');
  await add.click();
  await row.nth(1).getByLabel('Allow or deny').selectOption({ label: 'Deny' });
  await row.nth(1).getByLabel('Kind of devices').selectOption({ label: 'type' });
  await row.nth(1).getByLabel('Devices', { exact: true }).fill('station/old');
  await row.nth(1).getByLabel('Action').selectOption({ label: 'take a lock' });
  await row.nth(1).getByLabel('Target').fill('door');
  await add.click();
  await server.locator('#iotmp-server-rules .red-ui-editableList-item-remove').nth(2).click();
  await row.nth(2).waitFor({ state: 'detached' });
  assert.equal(await problem.innerText(), '');
  const handle = server.locator('#iotmp-server-rules .red-ui-editableList-item-handle').nth(1);
  const mouse = server.page().mouse;
  const from = (await handle.boundingBox())!;
  const to = (await row.nth(0).boundingBox())!;
  await mouse.move(from.x + 3, from.y + 3);
  await mouse.down();
  await mouse.move(from.x + 3, to.y + 8, { steps: 10 });
  await mouse.move(from.x + 3, to.y - 4, { steps: 5 });
  await mouse.up();
}

/** What the rows of the rules show: effect, kind, devices, action and target. */
async function rulesIn(server: Locator): Promise<string[][]> {
  const rows = await server.locator('li .iotmp-rule-row').all();
  return Promise.all(
    rows.map(async (row) =>
      Promise.all((await row.locator('input, select').all()).map((field) => field.inputValue())),
    ),
  );
}

/** SCREENSHOTS names a directory that keeps pictures of what was tested. */
describe('editor', function () {
  this.timeout(120_000);

  for (const version of NODE_RED_VERSIONS) {
    describe(`of Node-RED ${version}`, () => {
      const ids = new Map<FlowType, string>();
      const idOf = (type: FlowType): string => ids.get(type)!;
      let port: number;
      let nodeRed: NodeRed;
      let browser: Browser;
      let editor: EditorPage;
      let station: Station | undefined;
      let panelCredential: string;

      before(async () => {
        port = await freePort();
        const env = { IOTMP_PORT: String(port), IOTMP_KEEP_ALIVE: '90' };
        nodeRed = await startNodeRed({ version, flows: CORE_NODES, settings: SETTINGS, env });
        browser = await launchBrowser();
        editor = await EditorPage.open(browser, { url: nodeRed.url });
      });
      after(async () => {
        await station?.client.close();
        await browser.close();
        await nodeRed.stop();
      });

      const shot = (name: string): Promise<void> => editor.screenshot(`${version}-${name}`);

      /** Opens a dialog, and saves it after `use`. */
      async function edit(type: FlowType, use: (form: Locator) => Promise<void>): Promise<void> {
        const form = await editor.openNode(idOf(type));
        await use(form);
        await editor.saveNode();
      }

      /** Whether a form can be read, in every theme that this Node-RED has. */
      async function inspect(form: Locator, name: string): Promise<void> {
        for (const scheme of version === 5 ? (['dark', 'light'] as const) : (['light'] as const)) {
          await editor.setTheme(scheme);
          await shot(`${name}-${scheme}`);
          assert.deepEqual(await editor.faultsOf(form), [], `${name}, ${scheme}`);
        }
      }

      it('has the nodes in a category of its own', async () => {
        for (const type of TYPES) await editor.paletteNode(type).waitFor();
        const labels = editor.page.locator('#red-ui-palette-container-iotmp .red-ui-palette-label');
        const shown = (await labels.allTextContents()).map((label) => label.replace(/\s+/g, ' '));
        assert.deepEqual(shown, ['resource in', 'response', 'resource out', 'call', 'stream', 'events']);
        assert.deepEqual(editor.faults, []);
      });

      it('takes each node from the palette to the workspace, and wires', async () => {
        for (const type of TYPES) ids.set(type, await editor.addNode(type, PLACES[type]));
        await editor.wire(idOf('iotmp-stream'), 'samples');
        await editor.wire('inject', idOf('iotmp-call'));
        await editor.wire(idOf('iotmp-call'), 'answers');
        await editor.wire(idOf('iotmp-events'), 'changes');
        await editor.wire(idOf('iotmp-resource-in'), idOf('iotmp-response'));
        await editor.page.locator('.red-ui-flow-link').nth(4).waitFor({ state: 'attached' });
      });

      it('adds a server with its devices in the dialog of a stream', async () => {
        await edit('iotmp-stream', async (form) => {
          const server = await editor.openConfig('server', 'add');
          await fill(server, {
            'node-config-input-name': 'Server',
            'node-config-input-host': '127.0.0.1',
            'node-config-input-tcpPort': '${IOTMP_PORT}',
          });

          await editor.openTab(server, 'Devices');
          const problem = server.locator('.iotmp-server-devices-problem');
          assert.match(await problem.innerText(), /nobody can connect/);
          const row = server.locator('li .iotmp-device-row');
          await server.getByRole('button', { name: 'add device' }).click();
          for (const [field, value] of Object.entries(STATION)) {
            await row.nth(0).locator(`.iotmp-device-${field}`).fill(value);
          }
          await server.getByRole('button', { name: 'add device' }).click();
          await row.nth(1).locator('.iotmp-device-device').fill('station');
          assert.match(await problem.innerText(), /needs .* a credential\. Two rows have the same/);
          await row.nth(1).locator('.iotmp-device-device').fill('panel');
          await row.nth(1).getByRole('button', { name: 'Generate a new credential' }).click();
          panelCredential = await row.nth(1).locator('.iotmp-device-credential').inputValue();
          assert.match(panelCredential, /^[a-z2-9]{24}$/);
          assert.equal(await problem.innerText(), '');
          await shot('new-devices');

          await editor.openTab(server, 'Rights');
          await addRules(server);
          await shot('new-rules');

          await editor.openTab(server, 'Limits');
          await server.getByText('Blocked addresses are listed when the server is deployed').waitFor();
          await fill(server, { 'node-config-input-keepAlive': '${IOTMP_KEEP_ALIVE}' });
          await editor.saveConfig();

          // Key by key, as that is when the devices of the server are looked for.
          await form.locator('#iotmp-typed-device').pressSequentially(STATION.device);
          await form.locator('.iotmp-completion-hint', { hasText: 'Deploy the server first' }).waitFor();
          await fill(form, { 'iotmp-typed-resource': 'temperature', 'node-input-interval': '500' });
        });
      });

      it('offers that server to the other nodes, and takes what is filled in', async () => {
        await edit('iotmp-call', async (form) => {
          for (const service of ['topic', 'bucket', '']) {
            await form.locator('#node-input-service').selectOption(service);
            await form.locator('.iotmp-call-name .red-ui-typedInput-container.input-error').waitFor();
          }
          await fill(form, { 'iotmp-typed-device': STATION.device, 'iotmp-typed-resource': 'led' });
          await fill(form, { 'node-input-timeout': '5' });
        });
        await edit('iotmp-events', async (form) => {
          await form.getByLabel('filter events').pressSequentially('comes or goes');
          await form.getByLabel('device_create').waitFor({ state: 'hidden' });
          await form.getByLabel('device_state_change').check();
        });
        await edit('iotmp-resource-in', async (form) => {
          await form.locator('#node-input-kind').selectOption('inout');
          await form.locator('#node-input-reply').selectOption('flow');
          await fill(form, { 'node-input-resource': 'greet/:name', 'iotmp-typed-inSample': '"hello"' });
        });
        await edit('iotmp-response', (form) => fill(form, { 'node-input-name': 'greet back' }));
      });

      it('adds a client in the dialog of a resource out', async () => {
        await edit('iotmp-resource-out', async (form) => {
          await form.locator('#node-input-via').selectOption('client');
          await fill(await editor.openConfig('client', 'add'), {
            'node-config-input-host': '127.0.0.1',
            'node-config-input-port': '${IOTMP_PORT}',
            'node-config-input-user': STATION.user,
            'node-config-input-device': 'panel',
            'node-config-input-credential': panelCredential,
          });
          await editor.saveConfig();
          await fill(form, { 'node-input-resource': 'pressure', 'iotmp-typed-initial': '42' });
        });
      });

      it('deploys the flow, which then works with a device', async () => {
        await editor.deploy();
        await editor.waitForStatus(idOf('iotmp-events'), 'listening, 1 device');
        await editor.waitForStatus(idOf('iotmp-stream'), `${STATION.device} offline`);
        station = await connectStation(port);
        await editor.showSidebar('debug');
        await editor.waitForDebug('samples', '23.4');
        await editor.waitForDebug('changes', 'device_state_change');
        await editor.node('inject').locator('.red-ui-flow-node-button-button').click();
        await editor.waitForDebug('answers', 'null');
        assert.deepEqual(station.switched, [true]);
        const reply = await station.client.call('greet/ada', { payload: 'hello' });
        assert.equal(reply.payload, 'hello');
        await editor.waitForStatus(idOf('iotmp-stream'), 'streaming');
        await editor.waitForStatus(idOf('iotmp-events'), 'listening, 2 devices');
        await editor.waitForStatus(idOf('iotmp-resource-out'), 'connected');
        await shot('deployed');
      });

      it('shows again what was saved, for everybody to read, and takes it for no change', async () => {
        await edit('iotmp-stream', async (form) => {
          await assertValues(form, {
            'iotmp-typed-device': STATION.device,
            'iotmp-typed-resource': 'temperature',
            'node-input-interval': '500',
          });
          await inspect(form, 'stream');
          const server = await editor.openConfig('server', 'edit');
          await assertValues(server, {
            'node-config-input-tcpPort': '${IOTMP_PORT}',
            'node-config-input-keepAlive': '${IOTMP_KEEP_ALIVE}',
          });
          for (const tab of ['Connection', 'Rights', 'Limits', 'MQTT', 'Storage', 'Devices']) {
            await editor.openTab(server, tab);
            await inspect(server, `server-${tab.toLowerCase()}`);
          }
          await editor.openTab(server, 'Rights');
          assert.deepEqual(await rulesIn(server), [
            ['deny', 'type', 'station/old', 'Lock', 'door'],
            ['allow', 'device', 'station/panel', 'AccessDeviceResources', 'station/station/$terminal*'],
          ]);
          await editor.openTab(server, 'Limits');
          const blocks = server.locator('#iotmp-server-blocks');
          const said = server.locator('#iotmp-server-blocks-state');
          await said.getByText('No address is blocked.').waitFor();
          await guessUntilBlocked(port, '127.0.0.9');
          await server.getByRole('button', { name: 'Reload' }).click();
          await blocks.getByRole('cell', { name: '127.0.0.9', exact: true }).waitFor();
          await inspect(server, 'server-blocks');
          await blocks.getByRole('button', { name: 'Lift the block of 127.0.0.9' }).click();
          await said.getByText('No address is blocked.').waitFor();
          assert.equal(await guess(port, '127.0.0.9', 'another'), 'answered');
          await editor.openTab(server, 'Devices');
          const cells = await server.locator('li .iotmp-device-row input').all();
          assert.deepEqual(await Promise.all(cells.map((cell) => cell.inputValue())), [
            ...[STATION.user, STATION.device, ''],
            ...[STATION.user, 'panel', ''],
          ]);
          assert.equal(await server.getByPlaceholder('set', { exact: true }).count(), 2);
          await editor.saveConfig();
        });
        await edit('iotmp-call', async (form) => {
          await assertValues(form, { 'iotmp-typed-resource': 'led', 'node-input-payload': 'payload' });
          await assertValues(form, { 'node-input-timeout': '5' });
          await inspect(form, 'call');
        });
        await edit('iotmp-events', async (form) => {
          assert.ok(await form.getByLabel('device_state_change').isChecked());
          assert.ok(!(await form.getByLabel('device_authentication_failed').isChecked()));
          await inspect(form, 'events');
        });
        await edit('iotmp-resource-in', async (form) => {
          await assertValues(form, { 'node-input-resource': 'greet/:name', 'node-input-kind': 'inout' });
          await assertValues(form, { 'iotmp-typed-inSample': '"hello"' });
          await inspect(form, 'resource-in');
        });
        await edit('iotmp-response', async (form) => {
          await assertValues(form, { 'node-input-name': 'greet back' });
          await inspect(form, 'response');
        });
        await edit('iotmp-resource-out', async (form) => {
          await assertValues(form, { 'node-input-resource': 'pressure', 'iotmp-typed-initial': '42' });
          await inspect(form, 'resource-out');
          const client = await editor.openConfig('client', 'edit');
          await assertValues(client, { 'node-config-input-port': '${IOTMP_PORT}' });
          await assertValues(client, { 'node-config-input-device': 'panel' });
          await inspect(client, 'client');
          await editor.saveConfig();
        });
        await editor.page.locator('#red-ui-header-button-deploy.disabled').waitFor();
      });

      it('keeps changes of the devices until the deploy, and the credentials of all others', async () => {
        const row = editor.page.locator('li .iotmp-device-row');
        const inDialog = (use: (server: Locator) => Promise<void>): Promise<void> =>
          edit('iotmp-stream', async () => {
            const server = await editor.openConfig('server', 'edit');
            await editor.openTab(server, 'Devices');
            await row.nth(1).waitFor();
            await use(server);
            await editor.saveConfig();
          });
        await inDialog(async (server) => {
          await server.getByRole('button', { name: 'add device' }).click();
          await row.nth(2).locator('.iotmp-device-device').fill('extra');
          await row.nth(2).locator('.iotmp-device-credential').fill('of-extra');
        });
        await inDialog(async () => {
          await row.nth(2).locator('.iotmp-device-device').fill('spare');
          assert.equal(await row.nth(2).locator('.iotmp-device-credential').inputValue(), 'of-extra');
        });
        await editor.deploy();
        await inDialog(async () => {
          assert.equal(await row.count(), 3);
          assert.equal(await row.nth(2).locator('.iotmp-device-device').inputValue(), 'spare');
          assert.equal(await row.nth(2).locator('.iotmp-device-credential').inputValue(), '');
          await row.nth(2).locator('.iotmp-device-device').fill('renamed');
        });
        await editor.deploy();
        await editor.waitForStatus(idOf('iotmp-resource-out'), 'connected');
        const options = { host: '127.0.0.1', port, user: STATION.user, credential: 'of-extra' };
        const renamed = new IotmpClient({ ...options, device: 'renamed' });
        try {
          renamed.connect();
          await renamed.ready();
        } finally {
          await renamed.close();
        }
      });

      it('explains each node in the help sidebar', async () => {
        await editor.showSidebar('help');
        for (const type of TYPES) {
          const file = join(PACK_DIRECTORY, 'nodes/locales/en-US', `${type}.html`);
          const [, intro = ''] = /data-help-name.*\n(.+)/.exec(await readFile(file, 'utf8')) ?? [];
          await editor.node(idOf(type)).click();
          const help = editor.page.locator('.red-ui-help', { hasText: intro });
          await help.getByRole('heading', { name: 'Details' }).waitFor();
        }
        await shot('help');
      });

      it('offers the examples for import', async () => {
        const files = await readdir(join(PACK_DIRECTORY, 'examples'), { recursive: true });
        const dialog = await editor.openImport('Examples');
        const entry = (name: string): Locator => dialog.locator('.red-ui-treeList-label', { hasText: name });
        await entry(PACK_NAME).click();
        const opened = new Set<string>();
        for (const file of files.filter((name) => extname(name) === '.json')) {
          const folder = dirname(file);
          if (!opened.has(folder)) await entry(folder).click();
          opened.add(folder);
          await entry(basename(file, '.json')).waitFor();
        }
        await shot('examples');
        await dialog.getByRole('button', { name: 'Cancel' }).click();
      });

      it('tells of no fault in the console', () => {
        assert.deepEqual(editor.faults, []);
      });
    });
  }
});
