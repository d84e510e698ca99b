import assert from 'node:assert/strict';
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openStore, type IotmpClient, type Store } from '../../src';
import { times } from '../support/effort';
import { deviceTable, type FlowNode } from './support/flow';
import { NODE_RED_VERSIONS, startNodeRed, type NodeRed, type NodeRedVersion } from './support/node-red';
import { freePort } from './support/ports';
import { STATION } from './support/station';
import { ProgramStorm } from './support/program-storm';
import { Acknowledged, connectWriter, Storm } from './support/storm';
import { makeTemporaryDirectory, removeDirectory } from './support/user-directory';

/** How often Node-RED is killed; more, such as 100, by hand. */
const KILLS = times(10);
/** More than any storm makes. */
const NUMBERS_OF_A_STORM = 10_000_000;
const BUCKET = { user: STATION.user, bucket: 'storm' };
const FILE = 'server.db';

function flowsOf(port: number): FlowNode[] {
  return [
    { id: 'tab', type: 'tab', label: 'Test' },
    {
      id: 'server',
      type: 'iotmp-server',
      name: '',
      host: '127.0.0.1',
      tcpPort: String(port),
      storage: 'file',
    },
  ];
}

function start(version: NodeRedVersion, userDirectory: string, port: number): Promise<NodeRed> {
  return startNodeRed({
    version,
    userDirectory,
    flows: flowsOf(port),
    credentials: { server: deviceTable([STATION]) },
  });
}

async function kill(nodeRed: NodeRed): Promise<void> {
  nodeRed.program.signal('SIGKILL');
  const { signal } = await nodeRed.program.ended;
  assert.equal(signal, 'SIGKILL');
}

/** The numbers of all rows of the bucket. */
async function numbersIn({ buckets }: Store): Promise<Set<number>> {
  const numbers = new Set<number>();
  let cursor: string | undefined;
  do {
    const page = await buckets.range(BUCKET, { fields: ['number'], ...(cursor !== undefined && { cursor }) });
    for (const { value } of page.rows) numbers.add(Number(value.number));
    ({ cursor } = page);
  } while (cursor !== undefined);
  return numbers;
}

/** Looks into a copy of the files as the killed process left them: Node-RED is to mend them by itself. */
async function checkCopy(userDirectory: string, acknowledged: Acknowledged): Promise<void> {
  const copy = await makeTemporaryDirectory();
  try {
    const folder = join(userDirectory, 'iotmp');
    const names = (await readdir(folder)).filter((name) => name === FILE || name === `${FILE}-wal`);
    for (const name of names) await copyFile(join(folder, name), join(copy, name));
    const store = await openStore({ file: join(copy, FILE) });
    try {
      assert.deepEqual(await store.check(), []);
      const numbers = await numbersIn(store);
      assert.equal(numbers.size, await store.buckets.count(BUCKET));
      const lost = [...acknowledged.rows].filter((number) => !numbers.has(number));
      assert.deepEqual(lost, [], 'rows are lost');
    } finally {
      await store.close();
    }
  } finally {
    await removeDirectory(copy);
  }
}

/** A value that was on its way may have come after the last one that was answered, but none before it. */
async function checkProperties(client: IotmpClient, { properties }: Acknowledged): Promise<void> {
  for (const [name, value] of properties) {
    const found = Number(await client.getProperty(name));
    assert.ok(found >= value, `${name} is ${found}, and ${value} was answered with OK`);
  }
}

describe('the storage of a real Node-RED', function () {
  this.timeout(120_000);

  let directory: string;
  let port: number;
  let nodeRed: NodeRed | undefined;
  let client: IotmpClient | undefined;

  beforeEach(async () => {
    directory = await makeTemporaryDirectory();
    port = await freePort();
  });
  afterEach(async () => {
    await client?.close();
    await nodeRed?.stop();
    await removeDirectory(directory);
  });

  it(`has every write that was answered after each of ${KILLS} kills in a storm of them`, async () => {
    const acknowledged = new Acknowledged();
    const program = new ProgramStorm('server');
    for (let round = 0; round <= KILLS; round++) {
      nodeRed = await start(5, directory, port);
      client = await connectWriter(port);
      await checkProperties(client, acknowledged);
      await program.check(nodeRed);
      assert.deepEqual(nodeRed.errors(), []);
      if (round === KILLS) break;
      const before = acknowledged.writes;
      // From here on the storage is open.
      await client.setProperty('round', round);
      await program.begin(nodeRed);
      const storm = new Storm(client, acknowledged, BUCKET.bucket, 1 + round * NUMBERS_OF_A_STORM);
      await delay(100 + Math.random() * 700);
      // The machine may be busy.
      for (let waited = 0; acknowledged.writes === before && waited < 500; waited++) await delay(20);
      await kill(nodeRed);
      await client.close();
      await Promise.all([storm.ended, program.ended]);
      assert.ok(acknowledged.writes > before, 'nothing was written');
      await checkCopy(directory, acknowledged);
    }
    await client?.close();
    await nodeRed?.stop();
    await checkCopy(directory, acknowledged);
    assert.ok(acknowledged.rows.size > 0, 'no row was answered');
    const { counts } = program;
    for (const [kind, count] of counts) assert.ok(count > 0, `nothing of ${kind} was answered`);
    process.stdout.write(
      `${KILLS} kills: ${acknowledged.writes} writes of the device, ${JSON.stringify(Object.fromEntries(counts))}\n`,
    );
  }).timeout(60_000 + 15_000 * KILLS);

  for (const version of NODE_RED_VERSIONS) {
    it(`is one closed file when Node-RED ${version} has ended, and a property that is watched goes on`, async () => {
      nodeRed = await start(version, directory, port);
      client = await connectWriter(port);
      const heard: unknown[] = [];
      let told = Promise.withResolvers<undefined>();
      client.watchProperty('mode', {
        onSample: (value) => {
          heard.push(value);
          told.resolve(undefined);
        },
      });
      await client.setProperty('mode', 'a');
      await client.writeBucket(BUCKET.bucket, { number: 1 });
      await told.promise;
      assert.equal(heard.at(-1), 'a');
      told = Promise.withResolvers<undefined>();
      await nodeRed.program.stop();
      assert.deepEqual((await readdir(join(directory, 'iotmp'))).sort(), [FILE, `${FILE}.reserve`]);
      nodeRed = await start(version, directory, port);
      await client.ready();
      await told.promise;
      assert.equal(heard.at(-1), 'a', 'the current value comes again');
      told = Promise.withResolvers<undefined>();
      await client.setProperty('mode', 'b');
      await told.promise;
      assert.equal(heard.at(-1), 'b');
      assert.deepEqual(nodeRed.errors(), []);
    });
  }
});
