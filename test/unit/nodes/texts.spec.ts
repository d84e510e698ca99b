import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { editorDefinition } from './support/editor-definition';
import { editorPlugin } from './support/editor-plugin';

const NODES = resolve(__dirname, '../../../nodes');
const LOCALES = join(NODES, 'locales');

/** Texts of a catalogue by their whole keys. */
function textsOf(value: unknown, prefix = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[prefix, value]]);
  const entries = Object.entries(value as Record<string, unknown>);
  const parts = entries.flatMap(([key, item]) => [
    ...textsOf(item, prefix === '' ? key : `${prefix}.${key}`),
  ]);
  return new Map(parts);
}

const sources = readdirSync(NODES, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: readFileSync(join(NODES, name), 'utf8') }));

interface Rows {
  readonly rowHtml: (
    attributes: Record<string, string>,
    prefix: string,
    content: string,
    setting: object,
  ) => string;
}
const { rowHtml } = editorPlugin('iotmp-rows.html') as Rows;

/** The dialog of a node type with its rows as the editor makes them. */
function withRows(type: string, dialog: string): string {
  const { defaults, credentials = {} } = editorDefinition(type);
  return dialog.replace(
    /<iotmp-row\s([^>]*)>([\s\S]*?)<\/iotmp-row>/g,
    (_row, written: string, content: string) => {
      const attributes = [...written.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
      const given = Object.fromEntries(attributes) as Record<string, string>;
      const { property = '' } = given;
      const setting = defaults[property]?.setting ?? { field: credentials[property]?.type ?? 'text' };
      const row = rowHtml(given, 'node-input-', content, setting);
      assert.doesNotMatch(row, /undefined/, `a field or icon is missing: ${written}`);
      return row;
    },
  );
}

/** Keys that dialogs show, each with the catalogue that it is in. */
const shown = readdirSync(NODES)
  .filter((name) => name.endsWith('.html'))
  .map((file) => ({ file, html: readFileSync(join(NODES, file), 'utf8') }))
  .filter(({ html }) => html.includes('data-template-name'))
  .flatMap(({ file, html }) => {
    const dialog = withRows(file.replace('.html', ''), html);
    assert.ok(!dialog.includes('iotmp-row '), file);
    const keys = [...dialog.matchAll(/data-i18n="([^"]*)"/g)].flatMap(([, value]) => value!.split(';'));
    return keys.map((key) => ({ file, ...placeOf(file, key.replace(/^\[[\w-]+\]/, '')) }));
  })
  .filter(({ catalogue }) => catalogue !== 'node-red');

/** `key` of the dialog's own catalogue, or `<catalogue>:key` of another. */
function placeOf(file: string, name: string): { catalogue: string; key: string } {
  const [, catalogue = file.replace('.html', ''), key = ''] =
    /^(?:(?:.*\/)?([\w-]+):)?(.+)$/.exec(name) ?? [];
  return { catalogue, key };
}

/** Dialogs of nodes, which have a help of the same name. */
const helpFiles: ReadonlySet<string> = new Set(
  readdirSync(join(LOCALES, 'en-US')).filter((name) => name.endsWith('.html')),
);

/** Keys that the runtime translates: `translate(RED, 'key', { parameters })`, and the keys that it picks one of. */
const used = sources.flatMap(({ name, text }) =>
  [...text.matchAll(/'((?:status|errors|devices)\.\w+)'(?:,\s*\{([^}]*)\})?/g)].map((match) => ({
    name,
    key: match[1]!,
    parameters: [...(match[2] ?? '').matchAll(/(\w+)(?=\s*[:,}]|\s*$)/g)].map((parameter) => parameter[1]!),
  })),
);

/** Keys that are put together: the kind of connection that is missing. */
const CHOSEN = ['status.noServer', 'status.noClient', 'errors.noServer', 'errors.noClient'];

describe('the texts of the nodes', () => {
  for (const language of readdirSync(LOCALES)) {
    const texts = textsOf(JSON.parse(readFileSync(join(LOCALES, language, 'iotmp-server.json'), 'utf8')));

    it(`are all there in ${language}`, () => {
      assert.ok(used.length > 20);
      for (const { name, key } of used) {
        const isThere = texts.has(key) || (texts.has(`${key}_one`) && texts.has(`${key}_other`));
        assert.ok(isThere, `${name} uses ${key}`);
      }
      for (const key of ['noServer', 'noClient']) {
        assert.ok(texts.has(`errors.${key}`) && texts.has(`status.${key}`), key);
      }
    });

    it(`of statuses and errors are all used in ${language}`, () => {
      const keys = new Set([...used.map(({ key }) => key), ...CHOSEN]);
      const unused = [...texts.keys()]
        .filter((key) => /^(status|errors)\./.test(key))
        .filter((key) => !keys.has(key) && !keys.has(key.replace(/_(zero|one|other)$/, '')));
      assert.deepEqual(unused, []);
    });

    it(`that dialogs show are all there in ${language}`, () => {
      assert.ok(shown.length > 50);
      for (const { file, catalogue, key } of shown) {
        const texts = textsOf(JSON.parse(readFileSync(join(LOCALES, language, `${catalogue}.json`), 'utf8')));
        assert.ok(texts.has(key), `${file} shows ${catalogue}:${key}`);
      }
    });

    it(`of blocked addresses are those that the dialog shows in ${language}`, () => {
      const parts = ['iotmp-address-blocks.html', 'iotmp-server.html'];
      const html = parts.map((file) => readFileSync(join(NODES, file), 'utf8')).join('');
      const inUse = new Set([...html.matchAll(/['"](blocks\.\w+)['"]/g)].map((match) => match[1]!));
      assert.deepEqual(
        [...inUse].sort(),
        [...texts.keys()].filter((key) => key.startsWith('blocks.')).sort(),
      );
    });

    it(`of the help name each field of the dialogs in ${language}`, () => {
      const fields = shown.filter(({ file, key }) => key.startsWith('label.') && helpFiles.has(file));
      assert.ok(fields.length > 40);
      for (const { file, catalogue, key } of fields) {
        const texts = textsOf(JSON.parse(readFileSync(join(LOCALES, language, `${catalogue}.json`), 'utf8')));
        // What follows in brackets or after a colon is a unit or a hint.
        const label = texts.get(key)!.replace(/( \(|:).*$/, '');
        const help = readFileSync(join(LOCALES, language, file), 'utf8').toLowerCase();
        assert.ok(help.includes(`**${label.toLowerCase()}`), `the help of ${file} does not name ${label}`);
      }
    });

    it(`name in ${language} no parameter that the nodes do not give`, () => {
      for (const { name, key, parameters } of used.filter((one) => one.parameters.length > 0)) {
        const variants = [...texts].filter(([other]) => other === key || other.startsWith(`${key}_`));
        for (const [, text] of variants) {
          for (const [, wanted] of text.matchAll(/__(\w+?)__/g)) {
            assert.ok(parameters.includes(wanted!), `${name}: ${key} needs ${wanted}`);
          }
        }
      }
    });
  }
});
