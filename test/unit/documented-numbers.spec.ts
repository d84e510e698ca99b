import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'mocha';
import { BodyLimit } from '../../src/codec/constants';
import { defaultSessionOptions } from '../../src/session/base/session-options';
import { storeLimits } from '../../src/store/store-limits';
import {
  defaultClientOptions,
  defaultServerLimits,
  defaultServerOptions,
  serverLimitRanges,
  serverRanges,
} from '../../src';

const ROOT = resolve(__dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8').replace(/\s+/g, ' ');

/** An option with the comment before it. */
const OPTION = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)\??:/g;

/** What the comments of an interface say of its options: the number or word after `@default`, and the whole comment. */
function commentsOf(file: string, name: string): Map<string, { given: unknown; comment: string }> {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const [, body = ''] = new RegExp(`export interface ${name} [^{]*\\{([\\s\\S]*?)\\n\\}`).exec(source) ?? [];
  const options = [...body.matchAll(OPTION)].map(([, comment = '', option = '']) => {
    const [, given] = /@default (.+?)\s*(?:\n|$)/.exec(comment) ?? [];
    return [option, { given: given === undefined ? undefined : valueOf(given), comment }] as const;
  });
  return new Map(options);
}

function valueOf(text: string): unknown {
  if (text === 'none') return undefined;
  return JSON.parse(text.replaceAll("'", '"'));
}

/** Checks the comments that name a range, as `1..100` or `1..2^30`. */
function checkRanges(comments: ReturnType<typeof commentsOf>, ranges: object): void {
  const checked = [...comments].filter(([option, { comment }]) => {
    const match = /\b([\d,]+)\.\.(\d+(?:\^\d+)?)/.exec(comment);
    if (match === null) return false;
    const [, min = '', max = ''] = match;
    const range: unknown = Reflect.get(ranges, option);
    const [base = NaN, exponent = 1] = max.split('^').map(Number);
    assert.deepEqual(range, { min: Number(min.replaceAll(',', '')), max: base ** exponent }, option);
    return true;
  });
  assert.ok(checked.length >= 2);
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

describe('the numbers in comments', () => {
  for (const { file, name, defaults } of [
    { file: 'src/broker/broker-options.ts', name: 'ServerOptions', defaults: defaultServerOptions },
    { file: 'src/broker/server-limits.ts', name: 'ServerLimits', defaults: defaultServerLimits },
    { file: 'src/client/client-options.ts', name: 'ClientOptions', defaults: defaultClientOptions },
    {
      file: 'src/client/client-options.ts',
      name: 'ReconnectDelays',
      defaults: defaultClientOptions.reconnect,
    },
  ]) {
    it(`are the defaults of ${name}`, () => {
      const comments = commentsOf(file, name);
      const simple = Object.entries(defaults).filter(([, value]) =>
        ['number', 'boolean'].includes(typeof value),
      );
      assert.ok(simple.length >= 2);
      for (const [option, value] of simple) assert.equal(comments.get(option)?.given, value, option);
      for (const [option, { given }] of comments) {
        if (given !== undefined)
          assert.equal(given, new Map<string, unknown>(Object.entries(defaults)).get(option));
      }
    });
  }

  for (const { file, name, ranges } of [
    { file: 'src/broker/broker-options.ts', name: 'ServerOptions', ranges: serverRanges },
    { file: 'src/broker/server-limits.ts', name: 'ServerLimits', ranges: serverLimitRanges },
  ]) {
    it(`are the ranges of ${name}`, () => checkRanges(commentsOf(file, name), ranges));
  }

  it('are the ports of the transports', () => {
    const { comment = '' } = commentsOf('src/client/client-options.ts', 'ClientOptions').get('port') ?? {};
    for (const [transport, port] of Object.entries(defaultClientOptions.port)) {
      assert.ok(comment.includes(`${port} for ${transport}`), transport);
    }
  });
});

describe('the numbers in the README', () => {
  it('are the usual ports and the usual path', () => {
    const { port, path } = defaultClientOptions;
    assert.ok(README.includes(`| port | ${port.tcp} | ${port.tls}, when you set it up |`));
    assert.ok(README.includes(`path \`${path}\` |`));
    assert.ok(README.includes(`set host and port (${port.tcp} for`));
    assert.ok(README.includes(`default port is the TLS one, ${port.tls}.`));
    assert.ok(README.includes(`tcpPort: ${port.tcp},`));
  });

  it('are the limits of servers, sessions and stores', () => {
    const { maxDepth, maxStreams, maxConcurrentCalls } = defaultSessionOptions;
    const { valueSize, propertiesPerOwner } = storeLimits('file');
    const kib = (bytes: number): string => `${bytes / 1024} KiB`;
    for (const text of [
      `Messages up to ${kib(defaultServerOptions.maxMessageSize)} (less`,
      `microcontrollers, which take ${kib(BodyLimit.MICROCONTROLLER)})`,
      `nesting up to ${maxDepth} levels`,
      `${number(defaultServerOptions.maxConnections)} connections`,
      `${number(maxStreams)} streams and ${maxConcurrentCalls} calls at once per device`,
      `${kib(valueSize)} a property, ${number(propertiesPerOwner)} properties a device`,
    ]) {
      assert.ok(README.includes(text), text);
    }
  });
});

describe('the numbers in the help', () => {
  const help = (type: string): string =>
    readFileSync(join(ROOT, 'nodes/locales/en-US', `${type}.html`), 'utf8');

  it('are the limits of a store', () => {
    const { valueSize, propertiesPerOwner } = storeLimits('file');
    assert.ok(help('iotmp-call').includes(`(${valueSize / 1024} KiB)`));
    assert.ok(help('iotmp-call').includes(`${number(propertiesPerOwner)} properties of a device`));
    assert.ok(help('iotmp-server').includes(`newest ${number(storeLimits('memory').rowsPerBucket)} rows`));
  });

  it('are the pauses of a client that lost its connection', () => {
    const { minMs, maxMs } = defaultClientOptions.reconnect;
    const text = `after about ${minMs / 1000} s, then after longer and longer pauses of up to ${maxMs / 1000} s`;
    assert.ok(help('iotmp-client').includes(text));
  });
});

describe('the numbers in the list of limits', () => {
  const list = readFileSync(join(ROOT, 'docs/limits.md'), 'utf8');

  it('are the defaults, one row for each limit of a server', () => {
    const rows = [...list.matchAll(/^\| `(\w+)` +\| ([\d,]+) /gm)].map(([, name, value = '']) => [
      name,
      Number(value.replaceAll(',', '')),
    ]);
    assert.deepEqual(Object.fromEntries(rows), { ...defaultServerLimits });
    assert.equal(rows.length, Object.keys(defaultServerLimits).length);
  });
});
