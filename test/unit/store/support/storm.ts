import { openStore } from '../../../../src/store/open-store';
import type { Store } from '../../../../src/store/store';

/** What the storm prints, into a file: a line for each write that was acknowledged. */
export type Acknowledged =
  | { readonly property: string; readonly value: number }
  | { readonly put: string; readonly removed?: never }
  | { readonly put?: never; readonly removed: string }
  | { readonly rows: readonly number[] }
  | { readonly topic: string; readonly value: number };

const KEY = { user: 'ann', bucket: 'storm' };
const OWNER = { user: 'ann', device: 'd' };

/** The output is a file, so the line is in it before anything else is written to the store. */
function print(line: Acknowledged): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function setProperty({ properties }: Store, name: string): Promise<never> {
  const before = await properties.get(OWNER, name);
  for (let value = Number(before?.value ?? 0) + 1; ; value++) {
    await properties.set(OWNER, name, value);
    print({ property: name, value });
  }
}

async function retain({ retained }: Store, topic: string): Promise<never> {
  const before = await retained.get('ann', topic);
  for (let value = Number(before?.payload ?? 0) + 1; ; value++) {
    await retained.set('ann', topic, value);
    print({ topic, value });
  }
}

/** Each document is removed when the next one is there: of each run, the last one stays. */
async function putDocuments({ documents }: Store, lane: string): Promise<never> {
  for (let number = 0; ; number++) {
    const id = `${lane}-${number}`;
    await documents.put({ collection: 'token', user: 'ann', id }, { name: 'x'.repeat(500) });
    print({ put: id });
    if (number === 0) continue;
    const before = `${lane}-${number - 1}`;
    await documents.remove({ collection: 'token', user: 'ann', id: before });
    print({ removed: before });
  }
}

async function writeRows({ buckets }: Store, lane: number, first: number): Promise<never> {
  for (let next = first + lane; ;) {
    const rows = Array.from({ length: 1 + (next % 40) }, () => ({
      ts: (next += 10),
      device: `d${lane}`,
      value: { n: next, text: 'x'.repeat(next % 300) },
    }));
    await buckets.write(KEY, rows);
    print({ rows: rows.map(({ ts }) => ts) });
  }
}

/** Writes to a file in every way and as fast as it can, until it is killed. */
async function main(file: string, first: number): Promise<void> {
  const store = await openStore({ file });
  await store.buckets.define(KEY, {});
  const writers: Promise<never>[] = [];
  for (let lane = 0; lane < 4; lane++) {
    writers.push(
      setProperty(store, `p${lane}`),
      retain(store, `t/${lane}`),
      putDocuments(store, `t${first}-${lane}`),
      writeRows(store, lane, first),
    );
  }
  await Promise.all(writers);
}

void main(process.argv[2] ?? '', Number(process.argv[3]));
