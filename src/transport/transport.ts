/** What a session hears of its connection. */
export interface TransportHandler {
  /** Bytes that arrived, cut anywhere. The chunk belongs to the receiver and is never written again. */
  onData(chunk: Buffer): void;
  /** Everything that was buffered has been handed to the system, after {@link Transport.send} returned false. */
  onDrain(): void;
  /** The connection has ended; called exactly once, and nothing after it. */
  onClose(error?: Error): void;
}

/** What a session needs of a connection (`protocol.md` section 1). */
export interface Transport {
  readonly kind: 'tcp' | 'tls' | 'ws' | 'memory';
  /** Address and port of the other end, for people to read. */
  readonly remoteAddress: string;
  /** Bytes that were sent and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Names the receiver of events; called once, before anything is delivered. */
  start(handler: TransportHandler): void;
  /**
   * Sends exactly one whole message. Messages of one turn of the event loop may leave in one write.
   * Returns false once the buffer is past the high-water mark; `onDrain` follows. After the end it does nothing.
   */
  send(message: Buffer): boolean;
  /** Stops the delivery of data until {@link resume}. A chunk in delivery is still delivered. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then ends the connection. Idempotent. */
  close(): void;
  /** Ends the connection at once. Idempotent. */
  destroy(error?: Error): void;
}
