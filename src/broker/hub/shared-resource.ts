import { errorText } from '../../errors';
import type { Clock } from '../../util/clock';
import type { StreamSource } from '../stream-source';
import { DeviceStream } from './device-stream';
import type { HubSubscriber, Subscription } from './hub-subscription';
import { ResourceLink } from './resource-link';
import { detached, guarded } from '../../util/guard';

/** The part of a hub that its resources use. */
export interface SharedResourcePort {
  readonly clock: Clock;
  onThinned(): void;
  warn(text: string): void;
  /** The last subscriber has left, and no stream is open on the device. */
  onUnused(resource: SharedResource): void;
}

type StreamOperation = () => Promise<void>;

/**
 * A resource of a device, with the subscribers that share its streams. It runs the operations of its streams one
 * after the other. That keeps their order (`protocol.md` section 6), and no stream is started twice at once.
 */
export class SharedResource {
  readonly name: string;
  readonly #port: SharedResourcePort;
  readonly #periodic: DeviceStream;
  readonly #event: DeviceStream;
  #link: ResourceLink | undefined;
  #woken = false;
  readonly #onFault = (error: unknown): void => this.#port.warn(errorText(error));

  constructor(name: string, port: SharedResourcePort) {
    this.name = name;
    this.#port = port;
    this.#periodic = this.#newStream();
    this.#event = this.#newStream();
  }

  /** Streams that are subscribed to or open: 0 to 2. */
  get size(): number {
    return Number(this.#periodic.inUse) + Number(this.#event.inUse);
  }

  get isSubscribed(): boolean {
    return this.#periodic.isSubscribed || this.#event.isSubscribed;
  }

  /** Adds a subscriber. */
  subscribe(subscriber: HubSubscriber, intervalMs: number): Subscription {
    const stream = intervalMs === 0 ? this.#event : this.#periodic;
    return stream.join(subscriber, intervalMs);
  }

  /** The device has connected, or has a new connection. */
  connect(source: StreamSource): void {
    this.#detach();
    this.#link = new ResourceLink(source, this.name, {
      clock: this.#port.clock,
      onChange: () => this.#wake(),
      warn: (text) => this.#port.warn(text),
    });
    this.#refresh();
    this.#wake();
  }

  /** The device has disconnected. */
  disconnect(): void {
    this.#detach();
    this.#refresh();
    this.#discardUnused();
  }

  /** Stops the open streams, tells the subscribers `offline`, and ends the subscriptions. */
  close(): void {
    const open = [this.#periodic, this.#event].filter((stream) => stream.isUsable);
    for (const stream of open) detached('hub stop', this.#onFault, stream.stop());
    this.disconnect();
    this.#periodic.closeAll();
    this.#event.closeAll();
  }

  #newStream(): DeviceStream {
    const link = (): ResourceLink | undefined => this.#link;
    return new DeviceStream({
      clock: this.#port.clock,
      get link() {
        return link();
      },
      wake: () => this.#wake(),
      onLeave: () => this.#discardUnused(),
      write: (payload) => this.#write(payload),
      onThinned: () => this.#port.onThinned(),
      warn: (text) => this.#port.warn(text),
    });
  }

  #detach(): void {
    this.#link?.end();
    this.#link = undefined;
    this.#periodic.detach();
    this.#event.detach();
  }

  #refresh(): void {
    this.#periodic.refresh();
    this.#event.refresh();
  }

  #write(payload: unknown): void {
    const stream = this.#event.isUsable ? this.#event : this.#periodic;
    stream.writeHere(payload);
  }

  /** Schedules {@link #reconcile} for the end of the current turn, once. */
  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(
      guarded('hub reconcile', this.#onFault, () => {
        this.#woken = false;
        this.#reconcile();
      }),
    );
  }

  /** Begins the next operation that a stream needs, unless an operation is running. */
  #reconcile(): void {
    const link = this.#link;
    if (link !== undefined) {
      const operation = link.busy ? undefined : this.#nextOperation(link);
      if (operation !== undefined) detached('hub operation', this.#onFault, this.#perform(link, operation));
      if (this.#periodic.needsLookup || this.#event.needsLookup) link.lookUp();
    }
    this.#refresh();
    this.#discardUnused();
  }

  async #perform(link: ResourceLink, operation: StreamOperation): Promise<void> {
    link.busy = true;
    try {
      await operation();
    } catch (error) {
      this.#port.warn(`a stream operation failed: ${errorText(error)}`);
    }
    link.busy = false;
    if (this.#link === link) this.#reconcile();
  }

  #nextOperation(link: ResourceLink): StreamOperation | undefined {
    const [periodic, event] = [this.#periodic, this.#event];
    if (periodic.mustStop) return () => periodic.stop();
    if (event.mustStop) return () => event.stop();
    if (periodic.mustStart) return () => this.#startPeriodic(link);
    if (event.mustStart) return () => event.start(link);
    return undefined;
  }

  /** A microcontroller sends its events only on the stream that was started last. */
  async #startPeriodic(link: ResourceLink): Promise<void> {
    await this.#periodic.start(link);
    if (this.#link === link) this.#event.requestRestart();
  }

  #discardUnused(): void {
    if (this.size > 0) return;
    this.#link?.end();
    this.#link = undefined;
    this.#port.onUnused(this);
  }
}
