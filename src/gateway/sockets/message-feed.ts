import { BoundedQueue, type QueueLimits } from '../../util/bounded-queue';
import type { ClientSocket } from './client-socket';

/** The part of a socket that feeds use. */
export type FeedSocket = Pick<ClientSocket, 'pass' | 'onDrain'>;

/** Limits of the frames of one subscription that wait for a slow reader: past 1 MiB, the oldest is lost. */
const LIMITS: QueueLimits = { items: Infinity, bytes: 2 ** 20, past: 'drop-oldest' };
/** Maximum number of bytes that wait in all subscriptions of one socket. */
const MAX_TOGETHER = 16 * 2 ** 20;

/** The frames of one subscription to events. */
export interface MessageFeed {
  /** Sends a frame, or lets it wait for a slow reader. */
  send(frame: string): void;
  /** Drops the waiting frames. */
  close(): void;
}

/** A subscription, and its waiting frames. */
interface Feed {
  readonly waiting: BoundedQueue<string>;
  /** Makes the frame that tells how many frames were lost. */
  readonly lostFrame: (count: number) => string;
  /** Number of lost frames that the reader was not told of. */
  untold: number;
}

/**
 * The subscriptions to events of one socket. A slow reader loses the oldest events of the subscription that has too many.
 * Once the reader has caught up, one frame tells how many were lost.
 */
export class MessageFeeds {
  readonly #socket: FeedSocket;
  readonly #onLost: (count: number) => void;
  /** Feeds with waiting frames. The first one is the next to send. */
  readonly #slow = new Set<Feed>();
  #bytes = 0;
  #ready = true;

  /** @param onLost counts lost frames */
  constructor(socket: FeedSocket, onLost: (count: number) => void) {
    this.#socket = socket;
    this.#onLost = onLost;
    socket.onDrain = () => this.#sendWaiting();
  }

  /** @param lostFrame makes the frame that tells how many frames of this subscription were lost */
  open(lostFrame: (count: number) => string): MessageFeed {
    const feed: Feed = { waiting: new BoundedQueue(LIMITS), lostFrame, untold: 0 };
    return { send: (frame) => this.#send(feed, frame), close: () => this.#forget(feed) };
  }

  #send(feed: Feed, frame: string): void {
    if (this.#ready && this.#slow.size === 0) this.#ready = this.#socket.pass(frame);
    else this.#wait(feed, frame);
  }

  #wait(feed: Feed, frame: string): void {
    const { waiting } = feed;
    const { bytes, dropped } = waiting;
    const others = this.#bytes - bytes;
    waiting.push(frame, Buffer.byteLength(frame), MAX_TOGETHER - others);
    this.#bytes = others + waiting.bytes;
    this.#slow.add(feed);
    const lost = waiting.dropped - dropped;
    if (lost === 0) return;
    feed.untold += lost;
    this.#onLost(lost);
  }

  #sendWaiting(): void {
    this.#ready = true;
    for (let [feed] = this.#slow; feed !== undefined && this.#ready; [feed] = this.#slow) {
      this.#slow.delete(feed);
      const frame = this.#next(feed);
      if (frame === undefined) continue;
      this.#slow.add(feed);
      this.#ready = this.#socket.pass(frame);
    }
  }

  /** The next frame of a feed: what waits, and behind it the number of lost frames. */
  #next(feed: Feed): string | undefined {
    const { bytes } = feed.waiting;
    const frame = feed.waiting.shift();
    this.#bytes -= bytes - feed.waiting.bytes;
    if (frame !== undefined || feed.untold === 0) return frame;
    const lost = feed.lostFrame(feed.untold);
    feed.untold = 0;
    return lost;
  }

  #forget(feed: Feed): void {
    this.#slow.delete(feed);
    this.#bytes -= feed.waiting.bytes;
    feed.waiting.clear();
  }
}
