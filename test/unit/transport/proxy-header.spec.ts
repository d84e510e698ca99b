import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { readProxyHeader } from '../../../src/transport/proxy-header';
import { hex } from '../support/raw-message';

const SIGNATURE = '0d0a0d0a 000d0a51 5549540a';
const IPV4 = `${SIGNATURE} 21 11 000c c0000207 c0000201 c000 6274`;
const IPV6 = `${SIGNATURE} 21 21 0024 20010db8000000000000000000000007 20010db8000000000000000000000001 c000 6274`;
const MAPPED = `${SIGNATURE} 21 21 0024 00000000000000000000ffffc0000207 00000000000000000000ffffc0000201 c000 6274`;

const LINE = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1');

const GOOD: [name: string, header: Buffer, remoteAddress: string | undefined][] = [
  ['version 1, IPv4', LINE('PROXY TCP4 192.0.2.7 192.0.2.1 49152 25204'), '192.0.2.7:49152'],
  ['version 1, IPv6', LINE('PROXY TCP6 2001:db8::7 2001:db8::1 49152 25204'), '[2001:db8::7]:49152'],
  ['version 1, IPv4 in IPv6', LINE('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 65535'), '192.0.2.7:1'],
  ['version 1, unknown', LINE('PROXY UNKNOWN'), undefined],
  ['version 1, unknown with anything', LINE('PROXY UNKNOWN ffff::f ::1 0 x'), undefined],
  ['version 1, as long as it may be', LINE(`PROXY UNKNOWN ${'x'.repeat(91)}`), undefined],
  ['version 2, IPv4', hex(IPV4), '192.0.2.7:49152'],
  ['version 2, IPv6', hex(IPV6), '[2001:db8::7]:49152'],
  ['version 2, IPv4 in IPv6', hex(MAPPED), '192.0.2.7:49152'],
  ['version 2, LOCAL', hex(`${SIGNATURE} 20 00 0000`), undefined],
  ['version 2, LOCAL with addresses', hex(IPV4.replace('21 11', '20 11')), undefined],
  ['version 2, UNSPEC', hex(`${SIGNATURE} 21 00 0003 010203`), undefined],
  ['version 2, Unix sockets', hex(`${SIGNATURE} 21 31 00d8 ${'00'.repeat(216)}`), undefined],
  ['version 2, datagrams', hex(IPV4.replace('21 11', '21 12')), undefined],
  [
    'version 2, with more behind the addresses',
    hex(`${IPV4.replace('000c', '0013')} 02 0004 6c6f6361`),
    '192.0.2.7:49152',
  ],
  [
    'version 2, with as much behind them as it may have',
    hex(`${IPV4.replace('000c', 'ffff')} ${'00'.repeat(65_523)}`),
    '192.0.2.7:49152',
  ],
];

const BAD: [name: string, header: Buffer][] = [
  ['another byte', hex('03')],
  ['a CONNECT', hex('03 16 08 01 1a e3 84 61 6e 6e 61')],
  ['small letters', Buffer.from('proxy ')],
  ['no blank', Buffer.from('PROXYTCP4')],
  ['another protocol', LINE('PROXY UDP4 192.0.2.7 192.0.2.1 1 2')],
  ['no addresses', LINE('PROXY TCP4')],
  ['an address of the other family', LINE('PROXY TCP4 2001:db8::7 192.0.2.1 1 2')],
  ['a wrong address', LINE('PROXY TCP4 192.0.2.256 192.0.2.1 1 2')],
  ['a zone', LINE('PROXY TCP6 fe80::1%eth0 ::1 1 2')],
  ['two blanks', LINE('PROXY TCP4  192.0.2.7 192.0.2.1 1 2')],
  ['a port past the last', LINE('PROXY TCP4 192.0.2.7 192.0.2.1 65536 2')],
  ['a port with a zero before it', LINE('PROXY TCP4 192.0.2.7 192.0.2.1 01 2')],
  ['more at its end', LINE('PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3')],
  ['a line without an end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
  ['a signature that is cut', hex('0d0a0d0a 00ff')],
  ['version 3', hex(IPV4.replace('21 11', '31 11'))],
  ['an unknown command', hex(IPV4.replace('21 11', '22 11'))],
  ['an unknown family', hex(IPV4.replace('21 11', '21 41'))],
  ['an unknown transport', hex(IPV4.replace('21 11', '21 13'))],
  ['less than its addresses', hex(`${SIGNATURE} 21 11 000b ${'00'.repeat(11)}`)],
  ['less than its IPv6 addresses', hex(`${SIGNATURE} 21 21 0023 ${'00'.repeat(35)}`)],
];

describe('The PROXY header', () => {
  for (const [name, header, remoteAddress] of GOOD) {
    it(`is read, and what comes behind it is left: ${name}`, () => {
      assert.deepEqual(readProxyHeader(header), { size: header.length, remoteAddress });
      const more = Buffer.concat([header, hex('03 16 0d 0a')]);
      assert.deepEqual(readProxyHeader(more), { size: header.length, remoteAddress });
    });

    it(`is waited for until it is whole, wherever it is cut: ${name}`, () => {
      const step = header.length > 1_000 ? 997 : 1;
      for (let end = 1; end < header.length; end += step) {
        assert.equal(readProxyHeader(header.subarray(0, end)), undefined, `${end} bytes`);
      }
    });
  }

  for (const [name, header] of BAD) {
    it(`is refused: ${name}`, () => {
      assert.throws(() => readProxyHeader(header), {
        code: 'IOTMP_ERR_PROTOCOL',
        message: /^the PROXY header is not usable: /,
      });
    });
  }
});
