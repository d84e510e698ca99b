import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IotmpError } from '../../../src/errors';
import { createMemoryPair } from '../../../src/transport/memory-transport';
import { Scene } from './support';

/** The bytes of the first message that a client sends. */
async function firstBytes(options: ConstructorParameters<typeof Scene>[0]): Promise<string> {
  const [near, far] = createMemoryPair();
  const scene = new Scene({ ...options, connectTransport: () => Promise.resolve(near) });
  const chunks: Buffer[] = [];
  far.start({ onData: (chunk) => chunks.push(chunk), onDrain: () => undefined, onClose: () => undefined });
  await scene.connect();
  await scene.close();
  return Buffer.concat(chunks).toString('hex');
}

describe('connect', () => {
  it('sends the published CONNECT, byte for byte', async () => {
    const text = Buffer.from('user1').toString('hex');
    const device = Buffer.from('sensor1').toString('hex');
    const credential = Buffer.from('secret123').toString('hex');
    assert.equal(await firstBytes({}), `031c08011ae385${text}87${device}89${credential}`);
  });

  it('tells a keep-alive and a message size that are not the default', async () => {
    const scene = new Scene({ keepAliveS: 30, maxMessageSize: 65_536 });
    await scene.open();
    assert.deepEqual(scene.server.connects[0]?.parameters, { ka: 30, mm: 65_536 });
    assert.deepEqual(scene.server.connects[0].payload, ['user1', 'sensor1', 'secret123']);
    await scene.close();
  });

  it('tells a message size that was given, also when it is the default', async () => {
    const scene = new Scene({ maxMessageSize: 262_144, keepAliveS: 60 });
    await scene.open();
    assert.deepEqual(scene.server.connects[0]?.parameters, { mm: 262_144 });
    await scene.close();
  });

  it('is open after OK', async () => {
    const scene = new Scene();
    assert.equal(scene.client.state, 'idle');
    await scene.open();
    assert.equal(scene.client.state, 'open');
    assert.deepEqual(scene.states, ['connecting', 'open']);
    assert.equal(scene.client.lastError, undefined);
    await scene.close();
  });

  it('takes the first message as the answer, whatever its id', async () => {
    const scene = new Scene();
    scene.server.doorman = (session) => {
      session.outbox.send({ type: MessageType.OK, streamId: 4711 });
      return new Promise(() => undefined);
    };
    await scene.open();
    assert.equal(scene.client.state, 'open');
    await scene.close();
  });

  it('makes one connection, however often it is told to', async () => {
    const scene = new Scene();
    scene.client.connect();
    scene.client.connect();
    await scene.client.ready();
    scene.client.connect();
    await scene.clock.advance(30_000);
    assert.equal(scene.attempts, 1);
    await scene.close();
  });

  it('gives the transport its target, its time, its limit and its TLS options', async () => {
    const tls = { rejectUnauthorized: false };
    const scene = new Scene({ transport: 'wss', path: '/x', connectTimeoutMs: 700, tls });
    await scene.open();
    const { server } = scene;
    assert.deepEqual(server.targets, [{ transport: 'wss', host: 'server.test', port: 443, path: '/x' }]);
    assert.equal(server.connectOptions[0]?.timeoutMs, 700);
    assert.equal(server.connectOptions[0].maxPayload, 1_048_576);
    assert.equal(server.connectOptions[0].tls, tls);
    await scene.close();
  });

  it('resolves ready for all who wait, and at once when it is open', async () => {
    const scene = new Scene();
    const both = Promise.all([scene.client.ready(), scene.client.ready()]);
    scene.client.connect();
    await both;
    await scene.client.ready();
    await scene.close();
  });

  it('tries again when no answer comes in time', async () => {
    const scene = new Scene({ connectTimeoutMs: 3000 });
    scene.server.doorman = () => new Promise(() => undefined);
    await scene.connect();
    await scene.clock.advance(2999);
    assert.equal(scene.client.state, 'connecting');
    await scene.clock.advance(1);
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.client.lastError?.code, 'IOTMP_ERR_TIMEOUT');
    scene.server.doorman = () => undefined;
    await scene.clock.advance(1000);
    assert.equal(scene.client.state, 'open');
    await scene.close();
  });

  it('tries again after an error that may pass, and says what the server said', async () => {
    const scene = new Scene();
    scene.server.doorman = () => {
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many devices');
    };
    await scene.connect();
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.errors.at(-1)?.code, 'IOTMP_ERR_REMOTE');
    assert.equal(scene.errors.at(-1)?.statusCode, 503);
    assert.match(scene.errors.at(-1)?.message ?? '', /error 503: too many devices$/);
    scene.server.doorman = () => undefined;
    await scene.clock.advance(1000);
    assert.equal(scene.client.state, 'open');
    await scene.close();
  });

  it('tries again when the first message is neither OK nor ERROR', async () => {
    const scene = new Scene();
    scene.server.doorman = (session) => {
      session.outbox.send({ type: MessageType.KEEP_ALIVE });
      return new Promise(() => undefined);
    };
    await scene.connect();
    assert.equal(scene.client.state, 'waiting');
    assert.match(scene.client.lastError?.message ?? '', /message of type 5/);
    await scene.close();
  });

  it('tries again when the connection ends before the answer, and right after it', async () => {
    const scene = new Scene();
    scene.server.doorman = (session) => session.close();
    await scene.connect();
    assert.equal(scene.client.state, 'waiting');
    scene.server.doorman = (session, { streamId }) => {
      session.outbox.send({ type: MessageType.OK, streamId });
      session.outbox.send({ type: MessageType.DISCONNECT });
      session.close();
    };
    await scene.clock.advance(1000);
    assert.equal(scene.client.state, 'waiting');
    assert.equal(scene.attempts, 2);
    await scene.close();
    assert.equal(scene.clock.pending, 0);
  });

  it('serves a call that comes together with the OK', async () => {
    const scene = new Scene();
    scene.client.host('value', { kind: 'output', run: () => 42 });
    let answer: Promise<unknown> | undefined;
    scene.server.doorman = (session) => {
      queueMicrotask(() => {
        answer = session.call('value');
      });
    };
    await scene.open();
    assert.deepEqual(await answer, { payload: 42, statusCode: 200, parameters: undefined });
    await scene.close();
  });
});
