import assert from 'node:assert/strict';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type ts from 'typescript';
import { IotmpClient } from '../../src/client/client';
import { errorText } from '../../src/errors';
import { Directory } from '../../src/directory/directory';
import { Gateway } from '../../src/gateway/gateway';
import { AuditLog } from '../../src/services/audit-log';
import { ServerServices } from '../../src/services/server-services';
import { Backups } from '../../src/store/backup/backups';
import { DiskFiles } from '../../src/store/files/disk-files';
import { openStore } from '../../src/store/open-store';
import { cleanUp } from '../support/clean-up';
import { BrokerBench, PUMP } from './support/broker-fixture';
import { programOf } from './support/program';
import { promisingMethods } from './support/promising-methods';
import { unguardedCallbacks } from './support/unguarded-callbacks';

const ROOT = join(__dirname, '../..');

/** A file of callbacks, half of them without a guard. */
const UNGUARDED = join(__dirname, 'support/fixtures/callbacks.ts');

/** Callbacks that cannot be guarded, each with the reason why they do no harm. */
const HARMLESS: Readonly<Record<string, string>> = {
  'src/transport/connect.ts () => socket': 'ws needs the returned socket; nothing in it can throw',
  'src/transport/web-socket-acceptor.ts (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false)':
    'ws needs the returned name; nothing in it can throw',
  "nodes/lib/server/admin-route.ts auth.needsPermission('iotmp.read')": "Node-RED's own",
  "nodes/lib/server/admin-route.ts auth.needsPermission('iotmp.write')": "Node-RED's own",
  'nodes/lib/server/http-router.ts other': 'listeners of others, put back as they were',
};

/** The thread of a store: what is thrown there ends the thread alone, and the store takes its file up again. */
const SUPERVISED: readonly string[] = [
  'src/store/sqlite/thread/job-loop.ts',
  'src/store/sqlite/thread/worker.ts',
];

/** Node-RED catches what the constructor of a node throws, and shows it. */
const CONSTRUCTOR = /^function \(this: \w+, config/;

/** Interfaces that are the user's to implement. */
const OF_USERS: readonly string[] = ['Authenticator', 'RetainedMessages', 'TopicBridge', 'Service'];

/** A value that does not let itself be looked at. */
const HOSTILE: unknown = new Proxy(() => undefined, {
  get: () => refuse(),
  has: () => refuse(),
  getPrototypeOf: () => refuse(),
  ownKeys: () => refuse(),
  getOwnPropertyDescriptor: () => refuse(),
});

function refuse(): never {
  throw new Error('hands off');
}

/** Payloads that no peer can be sent. */
const UNSENDABLE: readonly unknown[] = [
  new Map([[1, 2]]),
  { toJSON: refuse },
  Object.defineProperty({}, 'member', { enumerable: true, get: refuse }),
  new Date(NaN),
  Symbol('none'),
  { member: () => 1 },
];

/** Arguments that no signature allows. */
const ARGUMENTS: readonly unknown[][] = [
  [],
  [null, null, null, null],
  [HOSTILE, HOSTILE, HOSTILE, HOSTILE],
  [{ user: 'anna', device: 'pump' }, 'level', null],
  ['level', null],
  ['level', HOSTILE],
  ...UNSENDABLE.flatMap((payload) => [
    [{ user: 'anna', device: 'pump', bucket: 'b' }, 'level', { payload }],
    ['level', { payload }],
    ['level', payload, payload, payload],
  ]),
];

/** One of each thing that has methods which return a promise, by its type. */
async function livingThings(): Promise<Map<string, object>> {
  const ends: (() => Promise<void>)[] = [];
  // Before that of the broker, which looks for timers that were left behind.
  cleanUp(() => Promise.all(ends.map((end) => end())));
  const bench = await BrokerBench.start();
  const device = await bench.device();
  device.resources.set('level', { fn: 3, run: () => 1 });
  const { server, clock } = bench;
  const connected = server.device(PUMP)!;
  const sessionStream = await connected.openStream('level', { onData: () => undefined });
  const store = await openStore({ memory: true });
  const services = new ServerServices(server, { store });
  const directory = new Directory(server, { store, clock });
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-promises-'));
  const files = new DiskFiles(folder, { fileBytes: 1e6, storageBytes: 1e8, storageEntries: 1000 });
  const audit = new AuditLog({ store, events: server.events, warn: () => undefined });
  const gateway = new Gateway(server, services, { directory, secret: 'a secret of the tests', store, clock });
  await gateway.start();
  const client = new IotmpClient({ ...PUMP, host: '127.0.0.1', port: 1 });
  const stream = client.stream('level', {}, { onSample: () => undefined });
  ends.push(async () => {
    await Promise.all([gateway.close(), client.close()]);
    await directory.close();
    services.close();
    await services.settled();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const { properties, buckets, topics, endpoints } = services;
  return new Map<string, object>([
    ['IotmpServer', server],
    ['ConnectedDevice', connected],
    ['SessionStream', sessionStream],
    ['IotmpClient', client],
    ['ClientStream', stream],
    ['Gateway', gateway],
    ['Directory', directory],
    ['ServerServices', services],
    ['Properties', properties],
    ['Buckets', buckets],
    ['Topics', topics],
    ['Endpoints', endpoints],
    ['Store', store],
    ['DocumentStore', store.documents],
    ['FileStore', files],
    ['DiskFiles', files],
    ['Backups', new Backups({ store, file: undefined })],
    ['AuditLog', audit],
  ]);
}

/** Calls a method; gives what it threw at once. A rejection is as it should be. */
function thrownAtOnce(thing: object, name: string, args: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(thing, name);
  assert.ok(typeof method === 'function', name);
  try {
    const result: unknown = Reflect.apply(method, thing, args);
    assert.ok(result instanceof Promise, name);
    result.catch(() => undefined);
    return undefined;
  } catch (error) {
    return error;
  }
}

// One program for all, as it takes most of the time.
describe('what must not throw', () => {
  let made: ts.Program | undefined;
  const program = (): ts.Program => {
    const files = globSync(['src/**/*.ts', 'nodes/**/*.ts'], { cwd: ROOT }).map((file) => join(ROOT, file));
    return (made ??= programOf(ROOT, [...files, UNGUARDED]));
  };

  describe('callbacks', () => {
    it('that are handed to code outside of this project are guarded', () => {
      const found = unguardedCallbacks(program(), ROOT, ['src', 'nodes'])
        .filter(({ file }) => !SUPERVISED.includes(file))
        .filter(({ text }) => !CONSTRUCTOR.test(text))
        .filter(({ file, text }) => !Object.hasOwn(HARMLESS, `${file} ${text}`));
      assert.deepEqual(
        found.map(({ file, line, text }) => `${file}:${line} ${text}`),
        [],
      );
    }).timeout(180_000);

    it('are found where they are not guarded', () => {
      const found = unguardedCallbacks(program(), ROOT, ['test/unit/support/fixtures']);
      assert.deepEqual(
        found.map(({ line }) => line),
        [10, 11, 12, 13, 14, 15],
      );
    });
  });

  describe('methods that return a promise', () => {
    it('never throw, whatever they are given: they reject', async () => {
      const methods = promisingMethods(program(), join(ROOT, 'src/index.ts'));
      const things = await livingThings();
      const missing = [...methods.keys()].filter((name) => !things.has(name) && !OF_USERS.includes(name));
      assert.deepEqual(missing, []);
      const found: string[] = [];
      for (const [type, thing] of things) {
        const names = methods.get(type) ?? [];
        assert.ok(names.length > 0, type);
        for (const name of names.filter((each) => !/^(close|disconnect|configure)$/.test(each))) {
          for (const [index, args] of ARGUMENTS.entries()) {
            const thrown = thrownAtOnce(thing, name, args);
            if (thrown !== undefined)
              found.push(`${type}.${name} with arguments ${index}: ${errorText(thrown)}`);
          }
        }
      }
      assert.deepEqual(found, []);
    }).timeout(180_000);
  });
});
