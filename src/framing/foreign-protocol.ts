import { MessageType } from '../codec/constants';
import type { ForeignProtocol } from '../errors';

/** First bytes of HTTP: the methods of requests, and an answer. */
const HTTP = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PRI) [!-~]|^HTTP\//;

/** Type bytes of the TLS records that come first: a handshake, or an alert. */
const TLS_RECORDS: readonly number[] = [0x16, 0x15];

/** The type byte of CONNECT in MQTT, and the name that follows its length. */
const MQTT_CONNECT = 0x10;
const MQTT_NAME = /^[^]{4,7}(?:MQTT|MQIs)/;

/** The protocol that the first bytes of a connection belong to. `undefined` for IoTMP and for what is not known. */
export function foreignProtocol(bytes: Uint8Array): ForeignProtocol | undefined {
  const [first = 0, second, third = 0] = bytes;
  if (first <= MessageType.STREAM_DATA) return undefined;
  if (TLS_RECORDS.includes(first) && second === 3 && third <= 4) return 'tls';
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 16)).toString('latin1');
  if (text.startsWith('SSH-')) return 'ssh';
  if (HTTP.test(text)) return 'http';
  if (first === MQTT_CONNECT && MQTT_NAME.test(text)) return 'mqtt';
  return undefined;
}
