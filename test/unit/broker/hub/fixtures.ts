import { StreamHub, type HubState, type HubSubscription } from '../../../../src/broker/hub/stream-hub';
import type { DeviceId, Value } from '../../../../src/types';
import { FakeClock } from '../../support/fake-clock';
import { FakeSource } from './fake-source';

export const DEVICE: DeviceId = { user: 'anna', device: 'pump' };
export const RESOURCE = 'level';

/** A subscriber that writes down what it hears. */
export class TestSubscriber {
  readonly samples: (Value | undefined)[] = [];
  /** When the samples came, in ms. */
  readonly times: number[] = [];
  readonly states: HubState['kind'][] = [];
  readonly errors: unknown[] = [];
  readonly intervalMs: number;
  readonly subscription: HubSubscription;

  constructor(bench: HubBench, intervalMs: number) {
    this.intervalMs = intervalMs;
    this.subscription = bench.hub.subscribe(DEVICE, RESOURCE, {
      intervalMs,
      onSample: (sample) => {
        this.samples.push(sample);
        this.times.push(bench.clock.now());
      },
      onState: (state) => {
        this.states.push(state.kind);
        if (state.kind === 'failed') this.errors.push(state.error);
      },
    });
  }

  get state(): HubState['kind'] {
    return this.subscription.state.kind;
  }

  close(): void {
    this.subscription.close();
  }
}

/** A hub with its clock, and a device that comes and goes. */
export class HubBench {
  readonly clock = new FakeClock(1_000_000);
  readonly warnings: string[] = [];
  readonly hub = new StreamHub({ clock: this.clock, onWarning: (text) => this.warnings.push(text) });

  readonly subscribers: TestSubscriber[] = [];

  /** The device connects; what runs at once has run. */
  async connect(source = new FakeSource()): Promise<FakeSource> {
    source.now = () => this.clock.now();
    this.hub.deviceConnected(DEVICE, source);
    await this.clock.settle();
    return source;
  }

  /** The device's connection ends. */
  async lose(source: FakeSource): Promise<void> {
    source.lose();
    this.hub.deviceDisconnected(DEVICE, source);
    await this.clock.settle();
  }

  /** A subscriber; what runs at once has run. */
  async subscribe(intervalMs: number): Promise<TestSubscriber> {
    const subscriber = new TestSubscriber(this, intervalMs);
    this.subscribers.push(subscriber);
    await this.clock.settle();
    return subscriber;
  }

  /** The device connects and gets a subscriber. */
  async subscribeOn(source: FakeSource, intervalMs = 1000): Promise<FakeSource> {
    await this.connect(source);
    await this.subscribe(intervalMs);
    return source;
  }

  /** Lets the device send numbered samples, one every `stepMs`, beginning after the first step. */
  async run(source: FakeSource, count: number, stepMs: number): Promise<void> {
    for (let i = 1; i <= count; i++) {
      await this.clock.advance(stepMs);
      source.sample(i);
    }
  }
}
