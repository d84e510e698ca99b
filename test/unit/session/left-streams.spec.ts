import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { MessageType } from '../../../src/codec/constants';
import { IdSequence } from '../../../src/session/requests/id-sequence';
import { LAMP, PUMP, BrokerBench } from '../support/broker-fixture';
import { sessionOf } from '../support/device-session';
import { RawDevice } from '../support/raw-device';
import { message, Type, varintField } from '../support/raw-message';

const free = (): boolean => false;
const listener = { onData: () => undefined };

/** A Linux device: its sessions outlive its connections, until they are stopped. */
class LinuxDevice {
  /** Sessions by id. A session has parameters. */
  readonly sessions = new Map<number, string>();
  /** Ids of streams that the device has opened itself, on the present connection. */
  readonly own = new Set<number>();
  /** Ids of own streams that the server stopped. */
  readonly stoppedOwn: number[] = [];
  raw!: RawDevice;
  constructor(readonly bench: BrokerBench) {}

  async connect(): Promise<void> {
    this.own.clear();
    this.raw = await this.bench.device({ dialect: 'linux' });
    this.raw.serves = false;
    this.handle();
  }

  /** Does what was asked since the last time. */
  handle(): void {
    for (const { type, id = 0, resource, parameters } of this.raw.received.splice(0)) {
      if (type === Type.START_STREAM) {
        if (parameters !== undefined) this.sessions.set(id, String(resource));
        this.raw.ok(id);
      } else if (type === Type.STOP_STREAM) {
        if (this.own.has(id)) this.stoppedOwn.push(id);
        if (this.sessions.delete(id)) this.raw.ok(id);
        else this.raw.error(id);
      }
    }
  }

  /** Opens the streams that every device opens, under the ids that it draws first. */
  async openOwn(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      this.own.add(id);
      this.raw.send(
        this.raw.build(Type.START_STREAM, { id, resource: 8, parameters: { event: 'device_state_change' } }),
      );
    }
    await this.bench.clock.settle();
  }
}

/** A device that is let in, and answers nothing by itself. */
async function silentDevice(bench: BrokerBench): Promise<RawDevice> {
  const raw = new RawDevice(bench.memory(), { dialect: 'linux' });
  raw.serves = false;
  raw.connect();
  await raw.next(Type.OK);
  return raw;
}

/** Cuts the connection of a device. */
async function cut(bench: BrokerBench, { wire }: RawDevice): Promise<void> {
  wire.cut();
  await bench.clock.settle();
}

describe('What a broken connection leaves on the device', () => {
  it('is stopped when it returns, ten times, and nothing of the device’s own is', async () => {
    const bench = await BrokerBench.start();
    bench.server.host.offer(8, {
      kind: 'output',
      streams: 'messages',
      run: () => undefined,
      open: () => undefined,
    });
    const device = new LinuxDevice(bench);
    await device.connect();
    for (let round = 0; round < 10; round++) {
      await device.openOwn([9158, 39017, 18547, 300 + round]);
      const session = sessionOf(bench.server.device(PUMP));
      // Ids of the server run into those of the device.
      const opening = ['$terminal/1', '$proxy/1', '$fs/upload/1'].map((resource) =>
        session.openStream(resource, listener, { parameters: { size: 1 } }),
      );
      await bench.clock.settle();
      device.handle();
      await Promise.all(opening);
      assert.equal(device.sessions.size, 3, `round ${round}`);
      device.raw.wire.cut();
      await bench.clock.settle();
      await device.connect();
      await bench.clock.settle();
      assert.deepEqual([...device.sessions], [], `round ${round}`);
      assert.deepEqual(device.stoppedOwn, []);
    }
    // What was stopped is not stopped again.
    device.raw.wire.cut();
    await bench.clock.settle();
    await device.connect();
    assert.deepEqual(device.raw.all(Type.STOP_STREAM), []);
  });

  it('is stopped again where that was not answered, and no more once the device refuses it', async () => {
    const bench = await BrokerBench.start();
    const first = await silentDevice(bench);
    const session = sessionOf(bench.server.device(PUMP));
    const opening = session.openStream('$terminal/1', listener, { parameters: { rows: 1 } });
    const { id = 0 } = await first.next(Type.START_STREAM);
    first.ok(id);
    await opening;
    await cut(bench, first);
    const second = await silentDevice(bench);
    assert.equal((await second.next(Type.STOP_STREAM)).id, id);
    await cut(bench, second);
    const third = await silentDevice(bench);
    assert.equal((await third.next(Type.STOP_STREAM)).id, id);
    third.error(id);
    await third.barrier();
    await cut(bench, third);
    const fourth = await silentDevice(bench);
    await fourth.barrier();
    assert.deepEqual(fourth.all(Type.STOP_STREAM), []);
  });

  it('is stopped in the same write as the OK of the login, and when another connection takes over', async () => {
    const bench = await BrokerBench.start({ tcpPort: 0, host: '127.0.0.1' });
    const device = new LinuxDevice(bench);
    await device.connect();
    const session = sessionOf(bench.server.device(PUMP));
    const opening = session.openStream('$terminal/1', listener, { parameters: { rows: 1 } });
    await bench.clock.settle();
    device.handle();
    const { id } = await opening;
    const newer = await bench.device({ dialect: 'linux' }, await bench.tcp());
    const [first] = newer.chunks;
    assert.ok(first !== undefined);
    const stop = message(Type.STOP_STREAM, varintField(1, id));
    assert.equal(first.subarray(-stop.length).toString('hex'), stop.toString('hex'));
    assert.equal(first[0], Type.OK);
  });

  it('is no plain stream, and nothing that was refused, stopped or ended by the device', async () => {
    const bench = await BrokerBench.start();
    const raw = await bench.device();
    raw.serves = false;
    const session = sessionOf(bench.server.device(PUMP));
    const opened = async (resource: string, parameters?: object): ReturnType<typeof session.openStream> => {
      const opening = session.openStream(resource, listener, { parameters });
      raw.ok((await raw.next(Type.START_STREAM)).id ?? 0);
      return opening;
    };
    await opened('temperature');
    await opened('humidity', { interval: 1000 });
    const refused = session.openStream('$proxy/1', listener, { parameters: { port: 1 } });
    raw.error((await raw.next(Type.START_STREAM)).id ?? 0);
    await assert.rejects(refused, { code: 'IOTMP_ERR_REMOTE' });
    const stopping = (await opened('$terminal/1')).stop();
    raw.ok((await raw.next(Type.STOP_STREAM)).id ?? 0);
    await stopping;
    const ended = await opened('$terminal/2');
    raw.send(message(Type.STOP_STREAM, varintField(1, ended.id)));
    await raw.barrier();
    assert.deepEqual(session.ids.left, []);
  });

  it('may be one whose opening or end the break has cut off', async () => {
    const bench = await BrokerBench.start();
    const raw = await bench.device();
    raw.serves = false;
    const session = sessionOf(bench.server.device(PUMP));
    const opening = session.openStream('$terminal/1', listener, { parameters: { rows: 1 } });
    const started = (await raw.next(Type.START_STREAM)).id;
    const stopped = session.openStream('$terminal/2', listener, { parameters: { rows: 1 } });
    const { id = 0 } = await raw.next(Type.START_STREAM);
    raw.ok(id);
    const stopping = (await stopped).stop();
    await raw.next(Type.STOP_STREAM);
    raw.wire.cut();
    await assert.rejects(opening, { code: 'IOTMP_ERR_CLOSED' });
    await stopping;
    const back = await bench.device();
    assert.deepEqual(
      back.all(Type.STOP_STREAM).map((stop) => stop.id),
      [started, id],
    );
  });

  it('is of its device alone', async () => {
    const bench = await BrokerBench.start();
    const device = new LinuxDevice(bench);
    await device.connect();
    const opening = sessionOf(bench.server.device(PUMP)).openStream('$terminal/1', listener, {
      parameters: { rows: 1 },
    });
    await bench.clock.settle();
    device.handle();
    await opening;
    const lamp = await bench.device(LAMP);
    assert.deepEqual(lamp.all(Type.STOP_STREAM), []);
  });
});

describe('Ids that the server draws', () => {
  it('leave out those that the device has used, and those that every device draws first', async () => {
    const bench = await BrokerBench.start();
    const raw = await bench.device();
    const session = sessionOf(bench.server.device(PUMP));
    const last = session.ids.next(free);
    const used = [last + 1, last + 3, last + 5].map((id) => ((id - 1) % 65_535) + 1);
    const [run = 0, start = 0, describe = 0] = used;
    raw.send(raw.build(Type.RUN, { id: run, resource: 'none' }));
    raw.send(raw.build(Type.START_STREAM, { id: start, resource: 'none' }));
    raw.send(raw.build(MessageType.DESCRIBE, { id: describe }));
    await raw.barrier();
    const drawn = Array.from({ length: 65_600 }, () => session.ids.next(free));
    for (const id of [17767, 9158, 39017, 18547, ...used]) assert.ok(!drawn.includes(id), `${id} was drawn`);
  });

  it('forget those of the device that were used long ago', () => {
    const ids = new IdSequence(0, true);
    for (let id = 1; id <= 1000; id++) ids.notePeer(id);
    assert.equal(ids.next(free), 1);
    const near = new IdSequence(998, true);
    for (let id = 1; id <= 1000; id++) near.notePeer(id);
    assert.equal(near.next(free), 1001);
  });
});
