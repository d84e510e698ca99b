import type { SessionStream, StreamListener, StreamOptions } from '../session/streams/session-stream';

/** Forms of a stream's interval that firmware reads (`protocol.md` section 6): `{"interval": ms}`, or the bare number. */
export type IntervalForm = 'map' | 'number';

/** The interval form that a device was last seen to understand. It outlives the connections of the device. */
export interface IntervalMemory {
  intervalForm: IntervalForm;
}

/** A connected device as the stream hub needs it. */
export interface StreamSource {
  readonly intervals: IntervalMemory;
  /** Opens a stream on a resource of the device, as `Session.openStream` does. */
  openStream(resource: string, listener: StreamListener, options?: StreamOptions): Promise<SessionStream>;
  /**
   * What the device said of the resource in its DESCRIBE: 1 run, 2 input, 3 output, 4 input and output;
   * `undefined` when it did not name it. Rejects when the device did not describe itself.
   */
  functionOf(resource: string): Promise<number | undefined>;
}
