import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** Nothing goes out to the network by itself. */
const QUIET = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/**
 * Starts a Chromium without a window: the one of the environment variable CHROMIUM_PATH, or the one that comes with
 * the project. Its owner closes it.
 */
export async function launchBrowser(): Promise<Browser> {
  const { default: bundled } = await import('@sparticuz/chromium');
  // Nothing needs WebGL, and in software it takes half of the time.
  bundled.setGraphicsMode = false;
  const { CHROMIUM_PATH = '' } = process.env;
  const executablePath = CHROMIUM_PATH === '' ? await bundled.executablePath() : CHROMIUM_PATH;
  // A browser that is a single process does not survive the end of its first page.
  const args = [...bundled.args.filter((arg) => arg !== '--single-process'), ...QUIET];
  return chromium.launch({ executablePath, args, env: environment() });
}

/** A machine without fonts shows those that come with the browser. */
function environment(): Record<string, string> {
  const fonts = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: join(tmpdir(), 'fonts') };
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(inherited), ...fonts };
}
