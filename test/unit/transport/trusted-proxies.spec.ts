import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'mocha';
import { TrustedProxies } from '../../../src/transport/trusted-proxies';

/** A request that came from there, with these entries of `X-Forwarded-For`. */
function request(address: string, forwarded?: string): Pick<IncomingMessage, 'socket' | 'headers'> {
  const socket = new Socket();
  Object.defineProperties(socket, { remoteAddress: { value: address }, remotePort: { value: 4711 } });
  return { socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
}

describe('Trusted proxies', () => {
  it('are addresses and networks, of IPv4 and IPv6', () => {
    const proxies = new TrustedProxies([
      '192.0.2.1',
      ' 10.0.0.0/8 ',
      '2001:db8::/32',
      '::1',
      '198.51.100.7/32',
    ]);
    for (const inside of [
      '192.0.2.1',
      '::ffff:192.0.2.1',
      '10.255.0.1',
      '::ffff:10.1.2.3',
      '2001:db8:9::1',
      '::1',
    ]) {
      assert.ok(proxies.has(inside), inside);
    }
    for (const outside of [
      '192.0.2.2',
      '11.0.0.1',
      '2001:db9::1',
      '::2',
      '198.51.100.8',
      'unknown',
      '',
      undefined,
    ]) {
      assert.ok(!proxies.has(outside), outside);
    }
  });

  it('are nobody without an entry', () => {
    const proxies = new TrustedProxies([]);
    assert.ok(!proxies.has('127.0.0.1'));
    assert.equal(proxies.clientOf(request('127.0.0.1', '203.0.113.7')), '127.0.0.1:4711');
  });

  it('are refused by name when an entry is neither', () => {
    const wrong = [
      '',
      'proxy.local',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      '10.0.0/8',
      'fe80::1%eth0',
      '1.2.3.4:80',
    ];
    for (const entry of wrong) {
      assert.throws(() => new TrustedProxies(['10.0.0.1', entry]), {
        code: 'IOTMP_ERR_CONFIG',
        message: `trustedProxies: ${JSON.stringify(entry)} is no address, and no network such as 10.0.0.0/8`,
      });
    }
  });

  describe('say whom they speak for', () => {
    const proxies = new TrustedProxies(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
    for (const [what, from, forwarded, client] of [
      ['one client', '127.0.0.1', '203.0.113.7', '203.0.113.7'],
      ['no header', '127.0.0.1', undefined, '127.0.0.1:4711'],
      ['an empty header', '127.0.0.1', '', '127.0.0.1:4711'],
      [
        'what the client wrote itself stands further left',
        '127.0.0.1',
        '1.1.1.1, 203.0.113.7',
        '203.0.113.7',
      ],
      ['several trusted ones', '127.0.0.1', '1.1.1.1, 203.0.113.7, 10.1.1.1,10.2.2.2', '203.0.113.7'],
      ['all are trusted', '127.0.0.1', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
      ['something that is no address', '127.0.0.1', '203.0.113.7, unknown, 10.2.2.2', '10.2.2.2'],
      ['nothing but that', '127.0.0.1', 'unknown', '127.0.0.1:4711'],
      ['a port', '127.0.0.1', '203.0.113.7:50000', '203.0.113.7'],
      ['IPv6', 'fd00::1', '2001:db8:0:0::7', '[2001:db8::7]'],
      ['IPv6 with a port', '127.0.0.1', '[2001:db8::7]:50000', '[2001:db8::7]'],
      ['IPv4 in IPv6', '::ffff:127.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
      ['a zone', '127.0.0.1', 'fe80::1%eth0', '[fe80::1]'],
      ['a stranger forges it', '192.0.2.1', '203.0.113.7', '192.0.2.1:4711'],
    ] as const) {
      it(what, () => assert.equal(proxies.clientOf(request(from, forwarded)), client));
    }
  });
});
