import type { DeviceId, Value } from '../../types';
import type { IotmpError } from '../../errors';
import type { QueueLimits } from '../../util/bounded-queue';
import type { Sample } from '../samples/sample';
import type { StreamKind } from '../streams/stream-kind';

/** What a resource does with data (`protocol.md` section 5): nothing, takes it, gives it, or both. */
export type ResourceKind = 'run' | 'input' | 'output' | 'inout';

/** The numbers that DESCRIBE uses for the kinds. */
export const FunctionCode = { run: 1, input: 2, output: 3, inout: 4 } as const;

/** One call of a hosted resource. */
export interface ResourceCall {
  /** The path that was called. */
  readonly path: string;
  /** What the `:name` and `*name` parts of the pattern took. */
  readonly captures: Readonly<Record<string, string>>;
  readonly parameters: Value | undefined;
  /** The input; `undefined` when the call carried none. */
  readonly payload: Value | undefined;
  /** Who calls: the connected device on a server, `undefined` on a client. */
  readonly caller: DeviceId | undefined;
  /** Aborts when the connection of the caller ends. */
  readonly signal: AbortSignal;
}

/** An answer with a status code of its own. A code of 400 or more is sent as ERROR. */
export class Answer {
  constructor(
    readonly payload: unknown,
    readonly statusCode?: number,
  ) {}
}

/**
 * What a resource's function gives: the output itself, an {@link Answer}, or a promise of either. `undefined` is no
 * output.
 */
export type ResourceResult = unknown;

/** A stream that a peer opened on a hosted resource (`protocol.md` section 6). */
export interface ResourceStream {
  /** The id that the peer chose; it means nothing beyond this connection. */
  readonly id: number;
  readonly path: string;
  readonly captures: Readonly<Record<string, string>>;
  readonly parameters: Value | undefined;
  /** Interval in ms that the peer asked for; 0 = each change. */
  readonly intervalMs: number;
  readonly caller: DeviceId | undefined;
  readonly closed: boolean;
  /** What to do with data that the peer writes into the stream. Without it the resource is run with it. */
  onData: ((payload: Value | undefined) => void) | undefined;
  /**
   * Called once when the stream ends, whoever ended it; of a conversation that the peer ended, behind all data. With a
   * reason when it did not end in good order, as in {@link StreamListener.onClose}.
   */
  onClose: ((reason?: IotmpError) => void) | undefined;
  /**
   * Called after a {@link write} that returned false: a conversation takes more, or all messages that waited have been
   * sent.
   */
  onDrain: (() => void) | undefined;
  readonly kind: StreamKind;
  /** Limits of the samples or messages that wait for a slow peer. Those of a conversation are fixed. */
  limits: QueueLimits;
  /** Number of samples or messages that gave way to newer ones because the peer read too slowly. */
  readonly dropped: number;
  /**
   * Sends a sample: a value, or a `Sample` that goes into other streams, too. Returns false when it had to wait for a slow
   * peer; the oldest waiting one gives way when too many wait. In a conversation none gives way: it returns false when so
   * much waits that the writer should stop until `onDrain`, and ends when it holds four times as much.
   * @throws IotmpError IOTMP_ERR_ENCODE or IOTMP_ERR_TOO_LARGE when the value cannot be sent; IOTMP_ERR_BUSY
   */
  write(payload: unknown): boolean;
  /** Takes no more data of a conversation for now, as {@link SessionStream.pause} does. */
  pause(): void;
  resume(): void;
  /**
   * Ends the stream and tells the peer; of a conversation, after what was written into it. With a reason it ends at once,
   * and the peer is told the status and the text. Idempotent.
   */
  close(reason?: IotmpError): void;
}

/** A stream as its resource sees it, which shares samples among its streams. */
export interface PublishedStream extends ResourceStream {
  /** As {@link ResourceStream.write}. */
  send(sample: Sample): boolean;
}

/** A resource as its owner declares it. */
export interface ResourceDefinition {
  readonly kind: ResourceKind;
  /**
   * Does the work and gives the output. An IotmpError that it throws is answered with its status, any other
   * error with 500.
   */
  run(call: ResourceCall): ResourceResult;
  /** Samples for DESCRIBE of this resource. Without it an output is run, and inputs have none. */
  describe?(): { in?: unknown; out?: unknown };
  /** Whether calls need parameters; told by DESCRIBE only. */
  readonly needsParameters?: boolean;
  /** `false` refuses streams. Resources of kind `run` never stream. */
  readonly streamable?: boolean;
  /** A number that requests may use in place of the name, 1..65535; at a server 9..65535. */
  readonly id?: number;
  /** Most time that `run` may take, in ms; the session's own limit without it. */
  readonly timeoutMs?: number;
  /** Kind of its streams. Default: as `streamKind` says of the path and the parameters. */
  readonly streams?: StreamKind;
  /**
   * Takes over a stream that the peer opened, in place of the usual sampling. What it returns is the
   * payload of the OK.
   */
  open?(stream: ResourceStream): ResourceResult;
}
