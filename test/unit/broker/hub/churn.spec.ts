import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import fc from 'fast-check';
import { IotmpError, RemoteError } from '../../../../src/errors';
import { times } from '../../../support/effort';
import { FakeSource } from './fake-source';
import { DEVICE, HubBench, TestSubscriber } from './fixtures';

const INTERVALS = [0, 0, 250, 300, 1000, 1500, 60_000];
const ANSWERS: readonly FakeSource['answer'][] = [
  'ok',
  'ok',
  'hold',
  new RemoteError('refused', 500, undefined),
  new IotmpError('IOTMP_ERR_TIMEOUT', 'no answer'),
  new IotmpError('IOTMP_ERR_BUSY', 'full'),
];
const DESCRIPTIONS: readonly FakeSource['described'][] = [
  3,
  3,
  2,
  'unnamed',
  'hold',
  new IotmpError('IOTMP_ERR_TIMEOUT', 'no description'),
];
const ENDED = new IotmpError('IOTMP_ERR_CLOSED', 'the device ended the stream');

/** What may happen, each with a number that it takes its choice from. */
const EVENTS = [
  'subscribe',
  'subscribe',
  'close',
  'close',
  'ask',
  'write',
  'connect',
  'lose',
  'answer',
  'answerHeld',
  'describeHeld',
  'holdStop',
  'sample',
  'end',
  'settle',
  'advance',
] as const;
type Event = readonly [name: (typeof EVENTS)[number], choice: number];

/** A hub, its device and its subscribers, and what may happen to them. */
class Churn {
  readonly bench = new HubBench();
  readonly subscribers: TestSubscriber[] = [];
  source: FakeSource | undefined;

  async apply([name, choice]: Event): Promise<void> {
    const { bench, source } = this;
    const subscriber = this.subscribers[choice % Math.max(1, this.subscribers.length)];
    const kind = choice % 2 === 0 ? 'periodic' : 'event';
    switch (name) {
      case 'subscribe':
        this.subscribers.push(new TestSubscriber(bench, INTERVALS[choice % INTERVALS.length] ?? 0));
        break;
      case 'close':
        subscriber?.close();
        this.subscribers.splice(choice % Math.max(1, this.subscribers.length), 1);
        break;
      case 'ask':
        subscriber?.subscription.ask();
        break;
      case 'write':
        this.#write(subscriber);
        break;
      case 'connect':
        this.#connect(choice);
        break;
      case 'lose':
        source?.lose();
        if (source !== undefined) bench.hub.deviceDisconnected(DEVICE, source);
        this.source = undefined;
        break;
      case 'answer':
        if (source !== undefined) source.answer = ANSWERS[choice % ANSWERS.length] ?? 'ok';
        break;
      case 'answerHeld':
        source?.answerHeld();
        break;
      case 'describeHeld':
        source?.describeHeld(choice % 5);
        break;
      case 'holdStop':
        if (source !== undefined) source.stopAnswer = kind === 'event' ? 'hold' : 'ok';
        break;
      case 'sample':
        source?.sample(choice, kind);
        break;
      case 'end':
        source?.endStream(ENDED, kind);
        break;
      case 'settle':
        await bench.clock.settle();
        break;
      case 'advance':
        await bench.clock.advance(choice * 100);
    }
  }

  /** The rules that hold at every moment. */
  check(): void {
    const { source } = this;
    if (source === undefined) return;
    assert.equal(source.overlaps, 0, 'a stream was started while its start was not answered');
    const kinds = source.openKinds;
    assert.equal(new Set(kinds).size, kinds.length, 'two streams of a kind are open');
  }

  /** The device is well and everybody asks: everybody is served, with as few streams as possible. */
  async recover(): Promise<FakeSource> {
    const source = this.source ?? new FakeSource();
    if (this.source === undefined) this.bench.hub.deviceConnected(DEVICE, source);
    this.source = source;
    source.answer = 'ok';
    source.stopAnswer = 'ok';
    source.answerHeld();
    await this.bench.clock.settle();
    for (const { subscription } of this.subscribers) subscription.ask();
    await this.bench.clock.settle();
    return source;
  }

  #connect(choice: number): void {
    const source = new FakeSource(DESCRIPTIONS[choice % DESCRIPTIONS.length]);
    const old = this.source;
    this.source = source;
    this.bench.hub.deviceConnected(DEVICE, source);
    old?.lose();
    if (old !== undefined) this.bench.hub.deviceDisconnected(DEVICE, old);
  }

  /** A stream that has no channel is offline for writers; nothing else may come out. */
  #write(subscriber: TestSubscriber | undefined): void {
    try {
      subscriber?.subscription.write(1);
    } catch (error) {
      assert.ok(error instanceof IotmpError && error.code === 'IOTMP_ERR_OFFLINE', String(error));
    }
  }
}

describe('whatever happens in whatever order', () => {
  const events = fc.array(fc.tuple(fc.constantFrom(...EVENTS), fc.nat(600)), {
    maxLength: 60,
    size: 'max',
  });

  it('no stream is started twice, everybody is served in the end, and nothing is left behind', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (list) => {
        const churn = new Churn();
        const { bench, subscribers } = churn;
        for (const event of list) {
          await churn.apply(event);
          churn.check();
        }
        const source = await churn.recover();
        churn.check();
        checkService(subscribers, source);
        for (const subscriber of subscribers) subscriber.close();
        await bench.clock.settle();
        assert.deepEqual([source.streams.size, bench.hub.size, bench.clock.pending], [0, 0, 0]);
      }),
      { numRuns: times(150) },
    );
  });

  it('a closed hub leaves no stream open and no timer running', async () => {
    await fc.assert(
      fc.asyncProperty(events, async (list) => {
        const churn = new Churn();
        const { bench } = churn;
        for (const event of list) await churn.apply(event);
        bench.hub.close();
        assert.deepEqual([bench.hub.size, bench.clock.pending], [0, 0]);
        churn.source?.answerHeld();
        await bench.clock.settle();
        assert.equal(churn.source?.streams.size ?? 0, 0);
        assert.equal(bench.clock.pending, 0);
      }),
      { numRuns: times(150) },
    );
  });
});

function checkService(subscribers: readonly TestSubscriber[], source: FakeSource): void {
  const wanted = new Set(subscribers.map(({ intervalMs }) => (intervalMs === 0 ? 'event' : 'periodic')));
  assert.deepEqual([...source.openKinds].sort(), [...wanted].sort());
  const events = subscribers.filter(({ intervalMs }) => intervalMs === 0);
  source.sample('last', 'event');
  for (const { samples } of events) assert.equal(samples.at(-1), 'last');
  for (const { state } of subscribers) assert.ok(state === 'streaming' || state === 'stalled', state);
}
