import assert from 'node:assert/strict';
import { ServerLink } from '../../../../nodes/lib/server/server-link';
import type { FlowBench } from './flow-bench';

/** An entry of the audit log, as it is kept. */
export type KeptEntry = Readonly<Record<string, unknown>>;

/** The link of the server node. */
export function linkOf(bench: FlowBench): ServerLink {
  const node: unknown = bench.node('server');
  assert.ok(typeof node === 'object' && node !== null && 'link' in node && node.link instanceof ServerLink);
  return node.link;
}

/** The entries of the audit log of the server node, the newest first. */
export async function auditOf(bench: FlowBench): Promise<KeptEntry[]> {
  const { rows } = await linkOf(bench).audit.read({});
  return rows.map(({ value }) => value);
}

/** Each entry as one line, the oldest first. */
export function told(entries: readonly KeptEntry[]): string[] {
  return [...entries]
    .reverse()
    .map(({ actor, by, action, target, status }) =>
      [actor, by, action, target, status].filter((member) => member !== '').join(' '),
    );
}
