import type { X509Certificate } from 'node:crypto';

/** What a session hears of its connection. It is never called from inside a call of the transport's own methods. */
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
  /** The certificate that the other end has shown, if its authority is one that this end trusts. */
  peerCertificate?(): X509Certificate | undefined;
  /** Bytes that were sent and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Names the receiver of events; called once, before anything is delivered. */
  start(handler: TransportHandler): void;
  /**
   * Sends exactly one whole message. Messages of one turn of the event loop may leave in one write.
   * Returns false once the buffer is past the high-water mark, until `onDrain`, which follows. After the end it does
   * nothing, and returns true, as no `onDrain` would follow. Nobody may write into the message again: it may be sent
   * without a copy.
   */
  send(message: Buffer): boolean;
  /**
   * Stops the delivery of data until {@link resume}. A chunk in delivery is still delivered. The peer's orderly end
   * comes after its data, so that a paused transport may not hear of it before it is resumed.
   */
  pause(): void;
  resume(): void;
  /**
   * Sends what is buffered, then ends the connection; `onClose` follows when the peer has ended its side too, or its
   * time is up. Nothing else is delivered any more, also not to a paused transport. Idempotent.
   */
  close(): void;
  /** Ends the connection at once; `onClose` follows, with `error`. Idempotent. */
  destroy(error?: Error): void;
}
