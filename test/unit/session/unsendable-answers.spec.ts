import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import type { ResourceDefinition } from '../../../src/session/hosting/resource';
import { openServer, type Rig } from '../support/session-pair';

const { DISCONNECT, ERROR, KEEP_ALIVE, RUN } = MessageType;

const LARGE = 'x'.repeat(100);

const RESOURCES: Record<string, ResourceDefinition> = {
  'answers at once': { kind: 'output', run: () => LARGE },
  'answers later': { kind: 'output', run: () => Promise.resolve(LARGE) },
  'fails at once': {
    kind: 'run',
    run: () => {
      throw new Error(LARGE);
    },
  },
  'fails later': { kind: 'run', run: () => Promise.reject(new Error(LARGE)) },
};

/** A session whose peer takes bodies of a few bytes only, as if it had said so. */
async function rigFor(maxBodySize: number): Promise<Rig> {
  const rig = await openServer();
  for (const [name, definition] of Object.entries(RESOURCES)) rig.host.host(name, definition);
  rig.session.outbox.maxBodySize = maxBodySize;
  return rig;
}

describe('An answer that cannot be sent', () => {
  for (const name of [...Object.keys(RESOURCES), 'not there']) {
    it(`gives way to an ERROR without code and text, where the resource ${name}`, async () => {
      const rig = await rigFor(8);
      rig.peer.send({ type: RUN, streamId: 7, resource: name });
      await rig.clock.settle();
      assert.deepEqual(rig.peer.take(), [{ type: ERROR, streamId: 7 }]);
      assert.equal(rig.session.state, 'open');
    });

    it(`ends the session where not even that can be sent, and the resource ${name}`, async () => {
      const rig = await rigFor(1);
      rig.peer.send({ type: RUN, streamId: 7, resource: name });
      await rig.clock.settle();
      assert.equal(rig.session.state, 'closed');
    });
  }

  it('is no cause for anything where none is wanted', async () => {
    const rig = await rigFor(1);
    rig.peer.send({ type: RUN, resource: 'not there' });
    await rig.clock.settle();
    assert.equal(rig.session.state, 'open');
  });
});

describe('A transport that throws', () => {
  for (const type of [KEEP_ALIVE, DISCONNECT, RUN]) {
    it(`when a message of type ${type} is answered ends the session alone`, async () => {
      const rig = await openServer();
      rig.session.transport.send = () => {
        throw new Error('broken');
      };
      rig.peer.send({
        type,
        streamId: type === KEEP_ALIVE ? undefined : 9,
        resource: type === RUN ? 'x' : undefined,
      });
      await rig.clock.settle();
      assert.equal(rig.session.state, 'closed');
    });
  }
});
