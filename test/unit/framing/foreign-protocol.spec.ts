import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { foreignProtocol } from '../../../src/framing/foreign-protocol';
import { hex, message, psonField, Type, varintField } from '../support/raw-message';

const FOREIGN: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['tls', hex('16 03 01 02 00 01 00 01 fc 03 03')],
  ['tls', hex('16 03 03 00 fa')],
  ['tls', hex('15 03 01 00 02 02 46')],
  ['http', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['http', Buffer.from('POST /v1/users HTTP/1.1\r\n')],
  ['http', Buffer.from('OPTIONS * HTTP/1.1\r\n')],
  ['http', Buffer.from('CONNECT example.com:443 HTTP/1.1\r\n')],
  ['http', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
  ['http', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
  ['ssh', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
  ['mqtt', hex('10 10 00 04 4d515454 04 02 003c 0004 61626364')],
  ['mqtt', hex('10 d2 01 00 06 4d5149736470 03 02 003c 0000')],
];

describe('the protocol of the first bytes', () => {
  for (const [name, bytes] of FOREIGN) {
    it(`is ${name} for ${JSON.stringify(bytes.toString('latin1', 0, 12))}`, () => {
      assert.equal(foreignProtocol(bytes), name);
      // A part of a larger chunk.
      const whole = Buffer.concat([hex('00 00'), bytes, hex('00')]);
      assert.equal(foreignProtocol(whole.subarray(2, 2 + bytes.length)), name);
    });
  }

  it('is not known for messages of IoTMP, for other bytes, and for none', () => {
    const connect = message(Type.CONNECT, varintField(1, 1), psonField(3, ['GET /', 'SSH-', 'MQTT']));
    for (const bytes of [connect, hex('0500'), hex('8300'), hex('16'), hex('16 01 01'), hex('ff'), hex('')]) {
      assert.equal(foreignProtocol(bytes), undefined, bytes.toString('hex'));
    }
    for (const text of ['GETTING', 'SSH', 'POSTER', 'hello']) {
      assert.equal(foreignProtocol(Buffer.from(text)), undefined, text);
    }
  });
});
