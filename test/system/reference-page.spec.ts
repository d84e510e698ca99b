import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';
import { Gateway, IotmpClient, IotmpServer, ServerServices } from '../../src';
import { launchBrowser } from './support/browser';

const DEVICE = { user: 'me', device: 'station', credential: 'of-a-test' };
const WIDTH = 400;

describe('reference page of the API', function () {
  this.timeout(120_000);

  const server = new IotmpServer({ host: '127.0.0.1', tcpPort: 0, devices: [DEVICE] });
  const services = new ServerServices(server);
  const gateway = new Gateway(server, services, { secret: 'a secret of the tests', basePath: '/api' });
  const web = http.createServer((request, response) => {
    const target = (request.url ?? '').replace(/^\/api/, '');
    if (!gateway.handle(request, response, target)) response.writeHead(418).end();
  });
  let client: IotmpClient;
  let browser: Browser;
  let page: Page;
  let root: string;
  let token: string;
  const asked: string[] = [];
  const faults: string[] = [];

  before(async () => {
    await server.start();
    await gateway.start();
    const status = server.listenerStatus.get('tcp');
    assert.equal(status?.kind, 'listening');
    client = new IotmpClient({ ...DEVICE, host: '127.0.0.1', port: status.port });
    client.host('temperature', { kind: 'output', run: () => 21.5 });
    client.connect();
    await client.ready();
    token = await gateway.createToken('me', 'page', { allow: { '*': { '*': '*' } } });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    root = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: WIDTH, height: 800 }, colorScheme: 'dark' });
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(String(error)));
    await page.goto(`${root}/api/openapi.html`);
    await page.waitForSelector('.opblock-tag');
  });

  after(async () => {
    await browser.close();
    await client.close();
    web.close();
    web.closeAllConnections();
    await gateway.close();
    services.close();
    await services.settled();
    await server.close();
  });

  it('lists what there is, and fits into 400 pixels', async () => {
    const tags = await page.locator('.opblock-tag').allInnerTexts();
    for (const tag of ['Device', 'Bucket', 'Endpoint', 'Token']) {
      assert.ok(
        tags.some((text) => text.startsWith(tag)),
        tag,
      );
    }
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= WIDTH);
  });

  it('is dark where the screen is', async () => {
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const [red = 255] = (/\d+/.exec(background) ?? []).map(Number);
    assert.ok(red < 60, background);
  });

  it('makes a call with a token', async () => {
    await page.locator('.btn.authorize').first().click();
    await page.locator('.auth-container input').first().fill(token);
    await page.locator('.auth-container .btn.authorize').first().click();
    await page.locator('.btn-done').first().click();
    await page.locator('.opblock-tag', { hasText: 'Device' }).first().click();
    const block = page.locator('#operations-Device-getV3UsersUserDevicesDeviceResourcesResource');
    await block.locator('.opblock-summary-control').click();
    await block.locator('.execute').click();
    const answer = block.locator('.live-responses-table .response').first();
    await answer.waitFor();
    assert.match(await answer.innerText(), /200[^]*21\.5/);
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= WIDTH);
  });

  it('loads nothing from elsewhere, and breaks no rule of its own', () => {
    assert.ok(asked.length >= 5);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(`${root}/api/`) && !url.startsWith('data:')),
      [],
    );
    assert.deepEqual(faults, []);
  });
});
