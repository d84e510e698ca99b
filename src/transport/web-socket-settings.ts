/** Subprotocol of IoTMP over WebSocket (`protocol.md` section 1). */
export const SUBPROTOCOL = 'iotmp';

/** Path of IoTMP over WebSocket where no other is configured (`protocol.md` section 1). */
export const DEFAULT_PATH = '/iotmp';

const MIN_PAYLOAD = 1_048_576;
/** `ws` holds its limit in 32 bits. */
const MAX_PAYLOAD = 0x7fffffff;

/**
 * Largest WebSocket message to take, in bytes, where messages of up to `maxMessageSize` bytes are allowed: several
 * of them may share a frame.
 */
export function maxPayloadFor(maxMessageSize: number): number {
  return Math.min(Math.max(4 * maxMessageSize, MIN_PAYLOAD), MAX_PAYLOAD);
}

/** The options of `ws` that both ends share. */
export interface WebSocketSettings {
  readonly skipUTF8Validation: true;
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly closeTimeout: number;
}

/**
 * Text frames are bytes too and need not be UTF-8, nothing is compressed, a frame is bounded, and a peer that began
 * to close has `closeGraceMs` to finish.
 */
export function webSocketSettings(maxPayload: number, closeGraceMs: number): WebSocketSettings {
  return {
    skipUTF8Validation: true,
    perMessageDeflate: false,
    maxPayload: Math.min(maxPayload, MAX_PAYLOAD),
    closeTimeout: closeGraceMs,
  };
}
