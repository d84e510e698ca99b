import { rawTelemetry } from './telemetry-load';
import { transportTelemetry } from './transport-telemetry';

/** Samples over WebSocket, against a bare server that counts frames. */
export const webSocketSuite = transportTelemetry({
  name: 'websocket',
  title: 'Telemetry over WebSocket',
  bare: rawTelemetry('bare ws', 'raw-web-socket', 'ws'),
  notes: [
    'Each message is a masked frame of its own, of 41 bytes; many a write: 400 frames in one system call.',
    'The bare server has `ws` read the frames, as the library does, and counts them. Nothing is compressed.',
  ],
});
