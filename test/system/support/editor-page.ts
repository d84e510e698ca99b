import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';

export interface EditorPageOptions {
  /** Address of the editor. */
  readonly url: string;
  readonly login?: { readonly username: string; readonly password: string };
}

/** A point of the workspace, in px from its upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const TIMEOUT_MS = 15_000;

/** The editor of Node-RED in a browser, used as people use it: with mouse and keyboard. Its owner closes it. */
export class EditorPage {
  readonly page: Page;
  /** Exceptions and errors of the console; there should be none. */
  readonly faults: string[] = [];
  readonly #context: BrowserContext;
  readonly #workspace: Locator;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    this.#workspace = page.locator('#red-ui-workspace-chart');
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on('pageerror', (error) => this.faults.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(`${message.text()} (${message.location().url})`);
    });
  }

  /** Opens the editor, logs in where that is wanted, and waits until it is ready. */
  static async open(browser: Browser, { url, login }: EditorPageOptions): Promise<EditorPage> {
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    const editor = new EditorPage(context, await context.newPage());
    await editor.page.goto(url);
    if (login !== undefined) {
      await editor.page.locator('#node-dialog-login-username').fill(login.username);
      await editor.page.locator('#node-dialog-login-password').fill(login.password);
      await editor.page.locator('#node-dialog-login-submit').click();
    }
    await editor.page.locator('#red-ui-header-button-deploy').waitFor();
    await editor.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    return editor;
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  /** A node of the workspace. */
  node(id: string): Locator {
    return this.#workspace.locator(`[id="${id}"]`);
  }

  /** A node of the palette. */
  paletteNode(type: string): Locator {
    return this.page.locator(`#red-ui-palette .red-ui-palette-node[data-palette-type="${type}"]`);
  }

  /** Drags a node out of the palette. Gives the id of the new node. */
  async addNode(type: string, { x, y }: Point): Promise<string> {
    const entry = this.paletteNode(type);
    await entry.scrollIntoViewIfNeeded();
    const chart = await boxOf(this.#workspace);
    const nodes = this.#workspace.locator('.red-ui-flow-node-group');
    const added = nodes.nth(await nodes.count());
    await this.#drag(await centerOf(entry), { x: chart.x + x, y: chart.y + y });
    const id = await added.getAttribute('id');
    assert.ok(id !== null, `${type} was added`);
    return id;
  }

  /** Draws a wire from the output of a node to the input of another. */
  async wire(from: string, to: string): Promise<void> {
    const start = this.node(from).locator('.red-ui-flow-port-output .red-ui-flow-port');
    const end = this.node(to).locator('.red-ui-flow-port-input .red-ui-flow-port');
    await this.#drag(await centerOf(start), await centerOf(end));
  }

  /** Opens the dialog of a node. Gives its form. */
  async openNode(id: string): Promise<Locator> {
    await this.node(id).dblclick();
    await this.page.locator('#node-dialog-ok, #node-dialog-close').first().waitFor();
    return this.page.locator('#dialog-form');
  }

  /** Saves the dialog of a node. */
  async saveNode(): Promise<void> {
    await this.page.locator('#node-dialog-ok').click();
    await this.page.locator('#dialog-form').waitFor({ state: 'detached' });
  }

  /** Opens the dialog of a config node from the dialog of a node. Gives its form. */
  async openConfig(property: string, button: 'add' | 'edit'): Promise<Locator> {
    await this.page.locator(`#node-input-btn-${property}-${button}`).click();
    await this.page.locator('#node-config-dialog-ok').waitFor();
    return this.page.locator('#node-config-dialog-edit-form');
  }

  async saveConfig(): Promise<void> {
    await this.page.locator('#node-config-dialog-ok').click();
    await this.page.locator('#node-config-dialog-edit-form').waitFor({ state: 'detached' });
  }

  /** Deploys, and waits for the answer. Fails when the editor warns of anything. */
  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    const notification = this.page.locator('.red-ui-notification').last();
    await notification.waitFor();
    assert.match(
      (await notification.getAttribute('class')) ?? '',
      /-success/,
      await notification.innerText(),
    );
    await notification.click();
  }

  /** The text below a node. */
  status(id: string): Locator {
    return this.node(id).locator('.red-ui-flow-node-status-label');
  }

  /** What the debug sidebar shows from a debug node of this name. */
  debugMessages(name: string): Locator {
    const messages = this.page.locator('.red-ui-debug-msg', {
      has: this.page.locator('.red-ui-debug-msg-name', { hasText: name }),
    });
    return messages.locator('.red-ui-debug-msg-payload');
  }

  /** What is hard to read in a form, or out of its place. */
  async faultsOf(form: Locator): Promise<string[]> {
    const check = await readFile(join(__dirname, 'dialog-faults.js'), 'utf8');
    const faults: unknown = await form.evaluate(check);
    assert.ok(Array.isArray(faults));
    return faults.map(String);
  }

  async #drag(from: Point, to: Point): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 3 });
    await mouse.move(to.x, to.y, { steps: 3 });
    await mouse.up();
  }
}

async function boxOf(locator: Locator): Promise<Point & { width: number; height: number }> {
  const box = await locator.boundingBox();
  assert.ok(box !== null, `${locator.toString()} is shown`);
  return box;
}

async function centerOf(locator: Locator): Promise<Point> {
  const { x, y, width, height } = await boxOf(locator);
  return { x: x + width / 2, y: y + height / 2 };
}
