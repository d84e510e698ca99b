import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { decodeValue } from '../../../src/codec/reading/pson-decoder';
import { times } from '../../support/effort';
import type { Acknowledged } from './support/storm';
import { temporaryFolder } from './support/stores';

const ROUNDS = times(20);
const ROWS_OF_A_ROUND = 10_000_000;
const STORM = join(__dirname, 'support/storm.ts');

/**
 * Lets a process write, kills it after a while, and answers what had been acknowledged. The process prints into a file: a
 * pipe would leave lines waiting in it while nobody reads, and those would be lost with it.
 */
async function storm(file: string, first: number, lifeMs: number): Promise<Acknowledged[]> {
  const output = `${file}.acknowledged`;
  const handle = await open(output, 'w');
  const child = spawn(process.execPath, ['--import', 'tsx', STORM, file, `${first}`], {
    stdio: ['ignore', handle.fd, 'inherit'],
  });
  const exited = once(child, 'exit');
  while (child.exitCode === null && (await handle.stat()).size === 0) await setTimeout(5);
  await setTimeout(lifeMs);
  child.kill('SIGKILL');
  assert.deepEqual(await exited, [null, 'SIGKILL']);
  await handle.close();
  return linesOf(await readFile(output, 'utf8'));
}

/** The last line may have been cut. */
function linesOf(text: string): Acknowledged[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Acknowledged);
}

/** Everything that was acknowledged is there, and rows are counted as they are. */
function check(file: string, acknowledged: readonly Acknowledged[]): void {
  const db = new DatabaseSync(file);
  try {
    const all = (sql: string): Record<string, unknown>[] => db.prepare(sql).all();
    assert.deepEqual(
      all('PRAGMA integrity_check').map(({ integrity_check }) => integrity_check),
      ['ok'],
    );
    const times = new Set(all('SELECT ts FROM point').map(({ ts }) => ts));
    const values = new Map(
      all('SELECT name, value FROM property').map(({ name, value }) => [
        name,
        decodeValue(value as Uint8Array),
      ]),
    );
    const topics = new Map(
      all('SELECT topic, payload FROM retained').map(({ topic, payload }) => [
        topic,
        decodeValue(payload as Uint8Array),
      ]),
    );
    const documents = new Set(all('SELECT id FROM document').map(({ id }) => id));
    assert.deepEqual(
      all('SELECT rows FROM bucket').map(({ rows }) => rows),
      [times.size],
    );
    const lastPut = new Map<string, string>();
    for (const line of acknowledged) {
      if ('rows' in line) for (const ts of line.rows) assert.ok(times.has(ts), `row ${ts} is lost`);
      else if ('topic' in line)
        assert.ok(Number(topics.get(line.topic)) >= line.value, `${line.topic} is lost`);
      else if ('property' in line)
        assert.ok(Number(values.get(line.property)) >= line.value, `${line.property} is lost`);
      else if (line.put !== undefined) lastPut.set(line.put.replace(/-\d+$/, ''), line.put);
      else assert.ok(!documents.has(line.removed), `${line.removed} is there again`);
    }
    for (const id of lastPut.values()) assert.ok(documents.has(id), `${id} is lost`);
  } finally {
    db.close();
  }
}

/** Storm after storm on one file; answers how many writes were acknowledged. */
async function survive(file: string, rounds: number): Promise<number> {
  const acknowledged: Acknowledged[] = [];
  for (let round = 0; round < rounds; round++) {
    const lines = await storm(file, round * ROWS_OF_A_ROUND, Math.random() * 150);
    for (const line of lines) acknowledged.push(line);
    check(file, acknowledged);
  }
  return acknowledged.length;
}

describe('a store whose process is killed', () => {
  it(`has everything that it acknowledged, ${ROUNDS} times`, async () => {
    const files = [1, 2].map((lane) => join(temporaryFolder(), `store${lane}.db`));
    const counts = await Promise.all(files.map((file) => survive(file, Math.ceil(ROUNDS / files.length))));
    for (const count of counts) assert.ok(count > ROUNDS, `${count} writes were acknowledged`);
  }).timeout(10_000 * ROUNDS);
});
