/**
 * Completes dist/nodes after the compiler: icons, texts and html, with the settings of the nodes in dialogs and help.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
