import assert from 'node:assert/strict';
import { isIP, Socket } from 'node:net';
import { IotmpError } from '../../../src/errors';
import { hostOf } from '../../../src/transport/host-and-port';
import { readProxyHeader } from '../../../src/transport/proxy-header';
import { TrustedProxies } from '../../../src/transport/trusted-proxies';
import type { FuzzTarget } from '../target';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const LINES = [
  'PROXY TCP4 192.0.2.7 192.0.2.1 49152 25204\r\n',
  'PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n\u0003\u0000',
  'PROXY UNKNOWN\r\n',
  'PROXY TCP4 255.255.255.255 0.0.0.0 0 0\r\n',
];
const BINARY = [
  `${SIGNATURE}2111000cc0000207c0000201c0006274`,
  `${SIGNATURE}21210024${'20010db8'.repeat(8)}c0006274`,
  `${SIGNATURE}20000000`,
  `${SIGNATURE}21110013c0000207c0000201c00062740100046162636400`,
  `${SIGNATURE}213100d8${'00'.repeat(216)}`,
];

/** The header of the PROXY protocol: however it arrives, it says the same. */
export class ProxyHeaders implements FuzzTarget {
  readonly name = 'proxy-header';
  readonly weight = 15;
  readonly seeds = [
    ...LINES.map((line) => Buffer.from(line, 'latin1')),
    ...BINARY.map((digits) => Buffer.from(digits, 'hex')),
  ];

  run(input: Buffer): string {
    const whole = read(input);
    for (let length = 0; length < input.length; length++) {
      const part = read(input.subarray(0, length));
      if (part !== 'incomplete') assert.equal(part, whole, `its first ${length} bytes say something else`);
    }
    return whole.startsWith('from') ? 'read' : whole;
  }
}

function read(bytes: Buffer): string {
  try {
    const header = readProxyHeader(bytes);
    if (header === undefined) return 'incomplete';
    const { size, remoteAddress } = header;
    assert.ok(size > 0 && size <= bytes.length);
    assert.ok(remoteAddress === undefined || isIP(hostOf(remoteAddress)) > 0, `an address: ${remoteAddress}`);
    return `from ${remoteAddress ?? 'the proxy'}, ${size} bytes`;
  } catch (error) {
    if (error instanceof IotmpError) return error.message;
    throw error;
  }
}

/** What proxies add to requests over HTTP. */
export class ForwardedFor implements FuzzTarget {
  readonly name = 'forwarded-for';
  readonly weight = 5;
  readonly seeds = [
    '192.0.2.7',
    '2001:db8::7, 127.0.0.1',
    '[2001:db8::7]:80',
    '192.0.2.7:80',
    '::ffff:127.0.0.1',
  ].map((text) => Buffer.from(text));
  readonly #proxies = new TrustedProxies(['127.0.0.0/8']);
  readonly #socket = Object.defineProperties(new Socket(), {
    remoteAddress: { value: '127.0.0.1' },
    remotePort: { value: 49_152 },
  });

  run(input: Buffer): string {
    const headers = { 'x-forwarded-for': input.toString('latin1') };
    const client = this.#proxies.clientOf({ socket: this.#socket, headers });
    assert.ok(isIP(hostOf(client)) > 0, `an address: ${client}`);
    return 'read';
  }
}
