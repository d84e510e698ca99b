import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Notes, withFeed } from './stream-fixtures';
import { Scene } from './support';

describe('disconnect', () => {
  it('ends the connection, makes no further attempt and keeps resources and streams for the next connect', async () => {
    const { scene, opened } = withFeed();
    scene.client.host('value', { kind: 'output', run: () => 5 });
    const notes = new Notes();
    scene.client.stream('feed', {}, notes);
    await scene.open();
    await scene.client.disconnect();
    assert.equal(scene.client.state, 'idle');
    assert.equal(scene.server.session.state, 'closed');
    await scene.clock.advance(600_000);
    assert.equal(scene.attempts, 1);
    assert.equal(scene.clock.pending, 0);
    await scene.open();
    assert.equal((await scene.server.session.call('value')).payload, 5);
    assert.equal(opened.length, 2);
    assert.deepEqual(notes.states, ['starting', 'streaming', 'waiting', 'starting', 'streaming']);
    assert.deepEqual(scene.states, ['connecting', 'open', 'idle', 'connecting', 'open']);
    await scene.close();
  });

  it('ends an attempt and a wait', async () => {
    const scene = new Scene();
    scene.server.doorman = () => new Promise(() => undefined);
    await scene.connect();
    await scene.client.disconnect();
    scene.server.outage = new Error('unreachable');
    await scene.connect();
    assert.equal(scene.client.state, 'waiting');
    await scene.client.disconnect();
    await scene.clock.advance(600_000);
    assert.equal(scene.attempts, 2);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('resolves although the client connects anew meanwhile', async () => {
    const scene = new Scene();
    await scene.open();
    const disconnected = scene.client.disconnect();
    scene.client.connect();
    await disconnected;
    await scene.client.ready();
    assert.equal(scene.client.state, 'open');
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('does nothing before the start and after the end', async () => {
    const scene = new Scene();
    await scene.client.disconnect();
    assert.deepEqual(scene.states, []);
    await scene.client.close();
    await scene.client.disconnect();
    assert.equal(scene.client.state, 'closed');
  });
});
