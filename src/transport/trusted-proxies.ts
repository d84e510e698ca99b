import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';
import { IotmpError } from '../errors';
import { remoteAddressOf } from './host-and-port';

/** Address of an entry of `X-Forwarded-For`, as some proxies write it: with a port, or in brackets. */
const WITH_PORT = /^(?:\[([^\]]*)\](?::\d+)?|([^:]*):\d+)$/;
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** The proxies that may say whom they speak for, by their addresses. Nobody else is believed. */
export class TrustedProxies {
  readonly entries: readonly string[];
  readonly #list = new BlockList();

  /**
   * @param entries addresses, and networks such as `10.0.0.0/8`
   * @throws IotmpError IOTMP_ERR_CONFIG naming the entry that is neither
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
    this.entries = entries;
  }

  /** Whether a proxy with this address is trusted. */
  has(address: string | undefined): boolean {
    if (this.entries.length === 0 || address === undefined) return false;
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.#list.check(plain, familyOf(plain));
  }

  /**
   * Address and port of the client of an HTTP request: of the last proxy in `X-Forwarded-For` that is not trusted. Where a
   * proxy says it, the port is not known.
   */
  clientOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    let client = remoteAddressOf(socket);
    if (!this.has(socket.remoteAddress)) return client;
    const named = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    for (const entry of named.reverse()) {
      const address = plainAddress(entry.trim());
      // Further left is what a stranger may have written.
      if (isIP(address) === 0) return client;
      client = isIPv6(address) ? `[${address}]` : address;
      if (!this.has(address)) return client;
    }
    return client;
  }

  #add(entry: string): void {
    const [address = '', prefix, ...more] = entry.trim().split('/');
    const bits = isIPv6(address) ? 128 : 32;
    const isUsable = isIP(address) !== 0 && !address.includes('%') && more.length === 0;
    if (!isUsable || !isPrefix(prefix, bits)) {
      throw new IotmpError(
        'IOTMP_ERR_CONFIG',
        `trustedProxies: ${JSON.stringify(entry)} is no address, and no network such as 10.0.0.0/8`,
      );
    }
    const plain = plainAddress(address);
    if (prefix === undefined) this.#list.addAddress(plain, familyOf(plain));
    else this.#list.addSubnet(address, Number(prefix), familyOf(address));
  }
}

function isPrefix(prefix: string | undefined, bits: number): boolean {
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
}

/** An address in its one short form, without a port or a zone; IPv4 in IPv6 is IPv4. Anything else is left as it is. */
function plainAddress(text: string): string {
  const [, bracketed, beforePort] = WITH_PORT.exec(text) ?? [];
  const [address = ''] = (bracketed ?? beforePort ?? text).split('%', 1);
  if (!isIPv6(address)) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address.replace(MAPPED, '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
