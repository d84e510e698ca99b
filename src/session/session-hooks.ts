import type { Message } from '../codec/message';
import type { IotmpError } from '../errors';

/** A CONNECT as it came. */
export interface ConnectRequest {
  readonly message: Message;
  /** The first field key of its body: it tells the Linux client, which sends the payload first. */
  readonly firstKey: number;
}

/** The owner of a session decides and hears by these. `onWarning` must not throw. */
export interface SessionHooks {
  /**
   * The peer asks to be let in; only a server has this. A rejection is the refusal: an IotmpError's
   * `statusCode` is sent as the code (`protocol.md` section 4.2). A session without it is a client's.
   */
  onConnect?(request: ConnectRequest): void | Promise<void>;
  /** The peer was let in, and knows it: from now on messages may go to it. */
  onOpen?(): void;
  /** The session has ended; called exactly once. */
  onClose?(reason: IotmpError): void;
  /** The connection is gone, too: nothing of it is left. Called exactly once, after `onClose`. */
  onGone?(): void;
  /** Something that deserves a line in a log, but no more; a flood of them is cut short. */
  onWarning?(text: string): void;
}
