import { encodeMessage, type OutgoingMessage } from '../../codec/writing/message-encoder';
import { IotmpError } from '../../errors';
import type { Transport } from '../../transport/transport';
import type { Timer } from '../../util/clock';
import type { SessionCore } from '../base/session-core';
import type { Sample } from '../samples/sample';
import { MessageQueue } from '../samples/message-queue';
import type { SampleQueue } from '../samples/sample-queue';
import { asIotmpError } from '../base/session-errors';

/** Waiting for the peer, how much more than `maxBufferedBytes` stops the reading, and samples may take up. */
const HARD_LIMIT = 4;

/**
 * The way out of a session: encodes, counts, and keeps a peer that does not read from growing our memory.
 * Samples wait in bounded queues, requests are refused, reading from the peer stops, and after the drain
 * timeout the peer is given up.
 */
export class Outbox {
  /** Messages and bytes sent so far. */
  messages = 0;
  bytes = 0;
  /** Samples of all streams that gave way to newer ones so far. */
  dropped = 0;
  /** Conversations that ended before their time so far, as one end was too slow or a part was missing. */
  conversationsFailed = 0;
  /** Largest body that the peer accepts. */
  maxBodySize: number;
  /** Whether the peer knows the compact form of samples, and so do we (`protocol.md` section 6). */
  compact = false;
  readonly #core: SessionCore;
  readonly #transport: Transport;
  /** Queues with samples that wait for the peer; the first one is the next to send. */
  #queues: Set<SampleQueue> | undefined;
  #waitingBytes = 0;
  #congested = false;
  #paused = false;
  #drainTimer: Timer | undefined;

  constructor(core: SessionCore) {
    this.#core = core;
    this.#transport = core.transport;
    this.maxBodySize = core.options.peerMaxBodySize;
  }

  /** Whether the peer reads more slowly than we send. */
  get congested(): boolean {
    return this.#congested;
  }

  /** Whether so much waits for the peer that nothing new should be asked of it. */
  get full(): boolean {
    return this.#congested && this.#transport.bufferedBytes > this.#core.options.maxBufferedBytes;
  }

  /**
   * Sends a message. Nothing is sent when it throws.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE
   */
  send(message: OutgoingMessage): void {
    this.#transmit(encodeMessage(message, this.maxBodySize));
  }

  /** Sends a message that the session cannot do without: where that fails, the session ends. It never throws. */
  sendOrEnd(message: OutgoingMessage): void {
    if (this.#core.state === 'closed') return;
    try {
      this.send(message);
    } catch (error) {
      this.#core.destroy(asIotmpError(error));
    }
  }

  /**
   * Sends a sample, or lets it wait in the stream's queue while the peer does not read, or the queue is held.
   * Returns false when it waits; in a conversation, when so much waits that the writer should stop.
   * @throws IotmpError IOTMP_ERR_ENCODE, IOTMP_ERR_TOO_LARGE; IOTMP_ERR_BUSY when a conversation, or a queue that refuses, holds too much
   */
  sendSample(sample: Sample, queue: SampleQueue): boolean {
    if (!this.#congested && !queue.held) {
      this.#transmit(queue.form.next(sample, this.maxBodySize));
      return true;
    }
    queue.form.prepare(sample, this.maxBodySize);
    this.#enqueue(sample, queue);
    if (!queue.held) this.#enlist(queue);
    return queue.lossless && !queue.full;
  }

  /** Lets the samples of a held queue go. */
  release(queue: SampleQueue): void {
    queue.held = false;
    if (queue.bytes === 0) return;
    this.#enlist(queue);
    this.#sendWaiting();
  }

  /** Drops what waits of a stream that ended. */
  forget(queue: SampleQueue): void {
    this.#queues?.delete(queue);
    if (!queue.lossless) this.#waitingBytes -= queue.bytes;
    queue.clear();
  }

  /** The transport has taken everything: waiting samples go out, in turn, until it is full again. */
  handleDrain(): void {
    this.#congested = false;
    this.#drainTimer?.cancel();
    this.#sendWaiting();
    if (!this.#paused) return;
    this.#paused = false;
    this.#core.reading.lift(this);
  }

  /** Ends the timer; to be called when the session ends. */
  dispose(): void {
    this.#drainTimer?.cancel();
    this.#queues?.clear();
  }

  /** The samples of all streams together are bounded, too: the queue that grows gives way or refuses. A conversation has its own bound. */
  #enqueue(sample: Sample, queue: SampleQueue): void {
    if (queue.lossless) {
      queue.push(sample, sample.size);
      return;
    }
    const dropped = queue.dropped;
    const others = this.#waitingBytes - queue.bytes;
    queue.push(sample, sample.size, queue.share * this.#core.options.maxBufferedBytes - others);
    this.#waitingBytes = others + queue.bytes;
    // The owner of messages counts those that are lost.
    if (!(queue instanceof MessageQueue)) this.dropped += queue.dropped - dropped;
  }

  #enlist(queue: SampleQueue): void {
    this.#queues ??= new Set();
    this.#queues.add(queue);
  }

  #sendWaiting(): void {
    const queues = this.#queues;
    while (queues !== undefined && !this.#congested) {
      const [queue] = queues;
      if (queue === undefined) return;
      queues.delete(queue);
      const sample = queue.shift();
      if (sample === undefined) continue;
      if (!queue.lossless) this.#waitingBytes -= sample.size;
      queues.add(queue);
      this.#transmit(queue.form.next(sample, this.maxBodySize));
    }
  }

  #transmit(bytes: Buffer): void {
    this.messages++;
    this.bytes += bytes.length;
    if (this.#transport.send(bytes)) return;
    this.#congest();
    if (this.#paused) return;
    if (this.#transport.bufferedBytes <= HARD_LIMIT * this.#core.options.maxBufferedBytes) return;
    this.#paused = true;
    this.#core.reading.stop(this);
  }

  #congest(): void {
    if (this.#congested) return;
    this.#congested = true;
    this.#drainTimer = this.#core.options.clock.after(this.#core.options.drainTimeoutMs, () => {
      this.#core.destroy(new IotmpError('IOTMP_ERR_BUSY', 'the peer stopped reading'));
    });
  }
}
