import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'mocha';
import { ReplyStore, replyToken } from '../../../nodes/lib/flow/reply-store';
import { Answer } from '../../../src';
import { fakes } from '../../support/fakes';

const TIMEOUT_MS = 1000;

function newStore(): { store: ReplyStore; caller: AbortController } {
  return { store: new ReplyStore('node', TIMEOUT_MS), caller: new AbortController() };
}

describe('calls that wait for a flow', () => {
  it('are answered by their token, once', async () => {
    const { store, caller } = newStore();
    const [one, two] = [store.open(caller.signal), store.open(caller.signal)];
    assert.notDeepEqual(one.token, two.token);
    assert.equal(store.size, 2);
    store.reply(two.token, new Answer(2));
    store.reply(one.token, new Answer(1, 201));
    assert.deepEqual(await one.answer, new Answer(1, 201));
    assert.deepEqual(await two.answer, new Answer(2));
    assert.throws(() => store.reply(one.token, new Answer(1)), { code: 'IOTMP_ERR_REPLY' });
    assert.equal(store.size, 0);
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
  });

  it('end after their time, with an error for both sides', async () => {
    fakes.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { store, caller } = newStore();
    const { token, answer } = store.open(caller.signal);
    fakes.clock.tick(TIMEOUT_MS - 1);
    assert.equal(store.size, 1);
    fakes.clock.tick(1);
    await assert.rejects(answer, { code: 'IOTMP_ERR_TIMEOUT' });
    assert.throws(() => store.reply(token, new Answer(1)), { code: 'IOTMP_ERR_REPLY' });
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
  });

  it('end with their caller', async () => {
    const { store, caller } = newStore();
    const { token, answer } = store.open(caller.signal);
    caller.abort();
    await assert.rejects(answer, { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(store.size, 0);
    store.reply(token, new Answer(1));
    assert.throws(() => store.reply(token, new Answer(1)), { code: 'IOTMP_ERR_REPLY' }, 'a second answer');
  });

  it('end with their callers, however many go before the answers come', () => {
    const { store } = newStore();
    const tokens = Array.from({ length: 25_000 }, () => {
      const caller = new AbortController();
      const { token, answer } = store.open(caller.signal);
      answer.catch(() => undefined);
      caller.abort();
      return token;
    });
    for (const token of tokens) store.reply(token, new Answer(1));
  });

  it('end with their node', async () => {
    const { store, caller } = newStore();
    const answers = [store.open(caller.signal).answer, store.open(caller.signal).answer];
    store.close();
    for (const answer of answers) await assert.rejects(answer, { code: 'IOTMP_ERR_CLOSED' });
    assert.equal(store.size, 0);
    assert.equal(getEventListeners(caller.signal, 'abort').length, 0);
  });

  it('are bounded in number', () => {
    const { store, caller } = newStore();
    const answers: Promise<unknown>[] = [];
    for (let i = 0; i < 10_000; i++) answers.push(store.open(caller.signal).answer);
    assert.throws(() => store.open(caller.signal), { code: 'IOTMP_ERR_BUSY' });
    for (const answer of answers) answer.catch(() => undefined);
    store.close();
    assert.equal(store.size, 0);
  });
});

describe('a token', () => {
  it('is read out of a message without what was added to it', () => {
    const token = { type: 'iotmp', node: 'n', call: 'c' } as const;
    assert.deepEqual(replyToken({ ...token, more: 1 }), token);
    const others = [undefined, null, 'iotmp', [], {}, { ...token, type: 'tcp' }, { ...token, call: 1 }];
    for (const other of others) assert.equal(replyToken(other), undefined);
  });
});
