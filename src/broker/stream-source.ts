import type { SessionStream, StreamListener, StreamOptions } from '../session/streams/session-stream';

/** A connected device as the stream hub needs it. */
export interface StreamSource {
  /** Opens a stream on a resource of the device, as `Session.openStream` does. */
  openStream(resource: string, listener: StreamListener, options?: StreamOptions): Promise<SessionStream>;
  /**
   * What the device said of the resource in its DESCRIBE: 1 run, 2 input, 3 output, 4 input and output;
   * `undefined` when it did not name it. Rejects when the device did not describe itself.
   */
  functionOf(resource: string): Promise<number | undefined>;
}
