import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { allTables } from '../../../../nodes/settings/all';
import { helpText, type RangeWords } from '../../../../nodes/settings/help';
import { tableOf } from '../support/editor-definition';

const LOCALES = resolve(__dirname, '../../../../nodes/locales');
const WORDS = {
  range: '__default__ by default, __min__ to __max__',
  autoRange: 'blank by default, or __min__ to __max__',
};

describe('the help', () => {
  const server = tableOf('iotmp-server');
  const filled = (text: string): string => helpText(text, server, WORDS, 'en-US');

  it('has default, range and unit of a number', () => {
    assert.equal(
      filled('**Keep-alive** ({{keepAlive}}):'),
      '**Keep-alive** (60 s by default, 1 to 1,800 s):',
    );
    assert.equal(filled('{{maxConnections}}'), '10,000 by default, 1 to 1,000,000');
    assert.equal(filled('{{requestTimeout}}'), '10 s by default, 0.1 to 3,600 s');
    const interval = helpText('{{interval}}', tableOf('iotmp-stream'), WORDS, 'en-US');
    assert.equal(interval, 'blank by default, or 0 to 86,400,000 ms');
  });

  it('has single facts of a setting', () => {
    assert.equal(
      filled('{{tcpPort.default}}, {{tlsPort.usual}}, {{wsPath.default}}'),
      '25204, 25206, /iotmp',
    );
    assert.equal(helpText('{{port.usual.wss}}', tableOf('iotmp-client'), WORDS, 'en-US'), '443');
  });

  it('leaves other braces as they are', () => {
    const text = '`iotmp/{user}/`, `${NAME}`, {{ }}';
    assert.equal(filled(text), text);
  });

  it('does not get built with a setting or a fact that the table does not have', () => {
    for (const place of ['nothing', 'host', 'keepAlive.weight', 'tlsPort.usual.tcp', 'devices']) {
      assert.throws(() => filled(`{{${place}}}`), { message: new RegExp(`iotmp-server names ${place},`) });
    }
  });

  for (const language of readdirSync(LOCALES)) {
    const texts = JSON.parse(readFileSync(join(LOCALES, language, 'iotmp-plugin.json'), 'utf8')) as {
      help: RangeWords;
    };

    for (const table of allTables) {
      it(`names the range of each number in ${language}: ${table.type}`, () => {
        const help = readFileSync(join(LOCALES, language, `${table.type}.html`), 'utf8');
        for (const [name, { facts }] of Object.entries(table.properties)) {
          // The range of a port goes without saying.
          if (facts.min === undefined || facts.max === 65_535) continue;
          assert.ok(help.includes(`{{${name}}}`), `${name} is missing`);
        }
        assert.doesNotMatch(helpText(help, table, texts.help, language), /\{\{\w|__\w+__/);
      });
    }
  }
});
