/**
 * Completes dist/nodes after the compiler: icons, texts and html, with the settings of the nodes in dialogs and help.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { env, stderr } from 'node:process';
import { allTables } from '../dist/nodes/settings/all.js';
import { dialogHtml } from '../dist/nodes/settings/dialog.js';
import { helpText } from '../dist/nodes/settings/help.js';

const NODES = 'dist/nodes';
const LOCALES = join(NODES, 'locales');

function rewrite(file, change) {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

cpSync('nodes', NODES, { recursive: true, filter: (path) => !path.endsWith('.ts') });
cpSync('icons', join(NODES, 'icons'), { recursive: true });

// The renderer of the API's reference page, without its maps and its other forms.
const RENDERER = 'node_modules/swagger-ui-dist';
const RENDERED = 'dist/src/gateway/openapi/swagger-ui';
if (existsSync(RENDERER)) {
  mkdirSync(RENDERED, { recursive: true });
  for (const file of [
    'swagger-ui.css',
    'swagger-ui-bundle.js',
    'LICENSE',
    'NOTICE',
    'swagger-ui-bundle.js.LICENSE.txt',
  ]) {
    cpSync(join(RENDERER, file), join(RENDERED, file));
  }
} else if (env.npm_lifecycle_event === 'prepare' || env.npm_command === 'pack') {
  throw new Error('swagger-ui-dist is not installed: run npm install first');
} else {
  stderr.write('swagger-ui-dist is not installed: the reference page of the API is without its renderer\n');
}

for (const table of allTables) {
  rewrite(join(NODES, `${table.type}.html`), (html) => dialogHtml(html, table));
}
for (const language of readdirSync(LOCALES)) {
  const texts = JSON.parse(readFileSync(join(LOCALES, language, 'iotmp-plugin.json'), 'utf8'));
  for (const table of allTables) {
    const file = join(LOCALES, language, `${table.type}.html`);
    rewrite(file, (help) => helpText(help, table, texts.help, language));
  }
}
