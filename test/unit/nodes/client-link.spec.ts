import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { ClientLink } from '../../../nodes/lib/flow/client-link';
import { StateFeed } from '../../../nodes/lib/flow/state-feed';
import type { IotmpClient, Reply } from '../../../src';

const TARGETS = ['level', 'relay', 'nothing'].map((resource) => ({ user: '', device: '', resource }));

/** A link to a server whose descriptions are given one by one. */
function start(answers: (() => Promise<Reply>)[]): { link: ClientLink; feed: StateFeed } {
  const feed = new StateFeed({ kind: 'up', text: '' });
  const describe = (): Promise<Reply> => answers.shift()?.() ?? Promise.reject(new Error('asked too often'));
  return { link: new ClientLink({ describe } as unknown as IotmpClient, feed), feed };
}

function described(payload: Record<string, { fn: number }>): () => Promise<Reply> {
  return () => Promise.resolve({ payload, parameters: undefined, statusCode: 200 });
}

describe('link of a client', () => {
  it('asks the server once what it hosts, for all stream nodes, and again on each connection', async () => {
    const { link, feed } = start([
      described({ level: { fn: 3 }, relay: { fn: 2 } }),
      described({ level: { fn: 2 } }),
    ]);
    assert.deepEqual(await Promise.all(TARGETS.map((target) => link.kindOf(target))), [3, 2, undefined]);
    assert.equal(await link.kindOf({ user: '', device: '', resource: 'level' }), 3);
    feed.set({ kind: 'waiting', text: '' });
    feed.set({ kind: 'up', text: '' });
    assert.deepEqual(await Promise.all(TARGETS.map((target) => link.kindOf(target))), [
      2,
      undefined,
      undefined,
    ]);
  });

  it('knows no kind of a server that does not describe itself, and asks again later', async () => {
    const refused = (): Promise<Reply> => Promise.reject(new Error('501'));
    const { link } = start([refused, described({ level: { fn: 3 } })]);
    assert.deepEqual(await Promise.all(TARGETS.map((target) => link.kindOf(target))), [
      undefined,
      undefined,
      undefined,
    ]);
    assert.equal(await link.kindOf({ user: '', device: '', resource: 'level' }), 3);
  });
});
