import type { IotmpError } from '../errors';
import type { CallOptions, Reply, RequestOptions } from '../session/requests/reply';
import type { SessionStream, StreamListener, StreamOptions } from '../session/streams/session-stream';
import type { Reading } from '../session/wire/reading-gate';
import type { DeviceId } from '../types';
import type { DeviceDescription } from './device-description';
import type { LastKnownStates } from './last-known';
import type { StreamSource } from './stream-source';

/** Traffic of a connection. */
export interface DeviceCounters {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesIn: number;
  readonly messagesOut: number;
  /** Samples to the device that gave way to newer ones. */
  readonly samplesDropped: number;
  /** Messages of the device that do not decode, or are of an unknown type. */
  readonly messagesDropped: number;
  /** Conversations with the device that ended before their time, as one end was too slow or a part was missing. */
  readonly conversationsFailed: number;
}

/** A device while it is connected, in whatever way: what it is called by, what it said of itself, and what was last seen. */
export interface ConnectedDevice extends DeviceId, StreamSource {
  /** When it connected, in ms since 1970. */
  readonly since: number;
  /** Address and port that it connects from. */
  readonly address: string;
  readonly transport: 'tcp' | 'tls' | 'ws' | 'memory';
  readonly counters: DeviceCounters;
  readonly lastKnown: LastKnownStates;
  /** Largest body of a message that the device accepts, in bytes. */
  readonly maxBodySize: number;
  /** Its connection, which is not read while somebody cannot pass on what comes. */
  readonly reading: Reading;

  /**
   * What the device hosts: DESCRIBE of the whole device, which acts on nothing, once per connection.
   * @throws IotmpError (as a rejection) as a request does; the next call asks again
   */
  describe(): Promise<DeviceDescription>;
  /**
   * Samples of one resource, `{in?, out?}`: the device runs its code to make them, which may act (`protocol.md`
   * section 5).
   * @throws IotmpError (as a rejection) as a request does
   */
  describeResource(resource: string, options?: RequestOptions): Promise<Reply>;
  /**
   * Runs a resource of the device.
   * @throws IotmpError (as a rejection) as a request does, and IOTMP_ERR_NO_INPUT when an input is called
   *   without a value: the device would take that as false or 0 (`protocol.md` section 5)
   */
  call(resource: string, options?: CallOptions): Promise<Reply>;
  /**
   * Runs a resource of the device with whatever input, also with none at all: for callers that answer for it themselves.
   * Nothing else is asked of the device.
   * @throws IotmpError (as a rejection) as a request does
   */
  run(resource: string, options?: DeviceRunOptions): Promise<Reply>;
  /** Opens a stream on a resource of the device, as a session does. What a conversation carries is no state. */
  openStream(
    resource: string,
    listener: StreamListener,
    options?: DeviceRunOptions & StreamOptions,
  ): Promise<SessionStream>;
  /** Ends the connection in good order. Idempotent. */
  close(reason?: IotmpError): void;
}

/** What a call or a stream carries beside its resource. */
export interface DeviceRunOptions extends CallOptions {
  /**
   * False where input and output are not remembered as the state of the resource: the bytes of a file, the calls of other
   * devices. Default true. What the device does not describe is not remembered in any case.
   */
  readonly isState?: boolean;
}
