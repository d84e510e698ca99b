import assert from 'node:assert/strict';
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

/** Of `dialog-faults.js`, in the browser. */
declare function dialogFaults(form: unknown): string[];

/** Runs in the browser. */
function isActiveTab(link: {
  parentElement: { classList: { contains(name: string): boolean } } | null;
}): boolean {
  return link.parentElement?.classList.contains('active') === true;
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
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, locale: 'en-US' });
    await context.addInitScript({ path: join(__dirname, 'dialog-faults.js') });
    await context.addInitScript("localStorage.setItem('view-dark-theme', 'auto')");
    const editor = new EditorPage(context, await context.newPage());
    await editor.page.goto(url);
    if (login !== undefined) {
      await editor.page.locator('#node-dialog-login-username').fill(login.username);
      // By being refused, the editor of core learns that it has to ask for a login.
      editor.faults.length = 0;
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
    await this.#settled('#node-dialog-ok');
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
    await this.#settled('#node-config-dialog-ok');
    return this.page.locator('#node-config-dialog-edit-form');
  }

  /** Shows a tab of the dialog of a server. */
  async openTab(form: Locator, name: string): Promise<void> {
    const tab = form.locator('#iotmp-server-tabs a', { hasText: name });
    await tab.click();
    // Core takes two quick clicks for a double click, even when they are on different tabs.
    if (!(await tab.evaluate(isActiveTab))) await tab.click();
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

  /** Waits for a text below a node. */
  async waitForStatus(id: string, text: string): Promise<void> {
    await this.node(id).locator('.red-ui-flow-node-status-label', { hasText: text }).waitFor();
  }

  async showSidebar(tab: 'debug' | 'help'): Promise<void> {
    await this.page.keyboard.press('Control+g');
    await this.page.keyboard.press(tab.charAt(0));
  }

  /** Waits until the debug sidebar shows a text from a debug node of this name. */
  async waitForDebug(name: string, text: string): Promise<void> {
    const isFrom = this.page.locator('.red-ui-debug-msg-name', { hasText: name });
    const messages = this.page.locator('.red-ui-debug-msg', { has: isFrom });
    await messages.locator('.red-ui-debug-msg-payload', { hasText: text }).first().waitFor();
  }

  /** Opens the dialog that imports flows, on one of its tabs. */
  async openImport(tab: string): Promise<Locator> {
    await this.page.keyboard.press('Control+i');
    const content = this.page.locator('#red-ui-clipboard-dialog');
    const dialog = this.page.locator('.ui-dialog', { has: content });
    await dialog.getByRole('link', { name: tab }).click();
    return dialog;
  }

  /** Changes what the system of the user prefers, which the editor follows where it has themes. */
  async setTheme(colorScheme: 'light' | 'dark'): Promise<void> {
    await this.page.emulateMedia({ colorScheme });
    if (colorScheme === 'dark') await this.page.locator('html.nr-theme-dark').waitFor();
    else await this.page.locator('html:not(.nr-theme-dark)').waitFor();
  }

  /** Takes a picture, where SCREENSHOTS names a directory for it. */
  async screenshot(name: string): Promise<void> {
    const { SCREENSHOTS = '' } = process.env;
    if (SCREENSHOTS !== '') await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** What is hard to read in a form, or out of its place. */
  async faultsOf(form: Locator): Promise<string[]> {
    return form.evaluate((element: unknown) => dialogFaults(element));
  }

  /** Waits until a dialog has moved to its place: then this button could be clicked. */
  async #settled(button: string): Promise<void> {
    await this.page.locator(button).click({ trial: true });
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
