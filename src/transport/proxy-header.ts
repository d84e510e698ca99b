import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { IotmpError } from '../errors';
import { remoteName } from './host-and-port';

/** The header of the PROXY protocol before the bytes of a connection. */
export interface ProxyHeader {
  /** Length of the header, in bytes. */
  readonly size: number;
  /** Address and port of the client; `undefined` where the connection is the proxy's own, or is of no kind that has them. */
  readonly remoteAddress: string | undefined;
}

/** The first twelve bytes of version 2. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const NAME = Buffer.from('PROXY ');
/** Longest header of version 1, with its end of line. */
const MAX_LINE = 107;
const HEAD_V2 = 16;
const VERSION_2 = 2;
const LOCAL = 0;
const PROXY = 1;
const STREAM = 1;
/** Highest number of a transport: datagrams. */
const LAST_TRANSPORT = 2;
/** Address families of version 2: none, IPv4, IPv6, and Unix sockets. */
const Family = { NONE: 0, IPV4: 1, IPV6: 2, UNIX: 3 } as const;
/** Bytes of two addresses and two ports. */
const ADDRESS_BYTES = { [Family.IPV4]: 12, [Family.IPV6]: 36 } as const;

/**
 * Reads the header of the PROXY protocol, version 1 or 2.
 * @param bytes the connection from its first byte on
 * @returns `undefined` while the header is not whole
 * @throws IotmpError IOTMP_ERR_PROTOCOL for bytes that are no such header
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (startsAlike(bytes, SIGNATURE)) return bytes.length < HEAD_V2 ? undefined : readBinary(bytes);
  if (!startsAlike(bytes, NAME)) throw malformed('it does not begin with one');
  const end = bytes.subarray(0, MAX_LINE).indexOf('\r\n');
  if (end >= 0) return { size: end + 2, remoteAddress: readLine(bytes.toString('latin1', 0, end)) };
  if (bytes.length >= MAX_LINE) throw malformed('its line has no end');
  return undefined;
}

/** Whether the bytes are the beginning of what is expected, or go on behind it. */
function startsAlike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length);
  return bytes.subarray(0, length).equals(expected.subarray(0, length));
}

/** A line such as `PROXY TCP4 192.0.2.7 192.0.2.1 49152 25204`. */
function readLine(line: string): string | undefined {
  const [, family, source = '', target = '', sourcePort = '', targetPort = '', ...more] = line.split(' ');
  if (family === 'UNKNOWN') return undefined;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) throw malformed('its protocol is unknown');
  const isWhole = isAddress(source) && isAddress(target) && isPort(sourcePort) && isPort(targetPort);
  if (!isWhole || more.length > 0 || source.includes('%')) throw malformed('its addresses are wrong');
  return remoteName(source, Number(sourcePort));
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader | undefined {
  const versionAndCommand = bytes.readUInt8(12);
  const familyAndTransport = bytes.readUInt8(13);
  const length = bytes.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== VERSION_2 || command > PROXY)
    throw malformed('its version or command is unknown');
  const family = familyAndTransport >> 4;
  const transport = familyAndTransport & 0x0f;
  if (family > Family.UNIX || transport > LAST_TRANSPORT) throw malformed('its protocol is unknown');
  const hasAddress = (family === Family.IPV4 || family === Family.IPV6) && transport === STREAM;
  if (command !== LOCAL && hasAddress && length < ADDRESS_BYTES[family]) throw malformed('it is too short');
  const size = HEAD_V2 + length;
  if (bytes.length < size) return undefined;
  if (command === LOCAL || !hasAddress) return { size, remoteAddress: undefined };
  // What follows the addresses, such as the name that TLS was asked for, is skipped.
  const addresses = bytes.subarray(HEAD_V2, size);
  const remoteAddress = family === Family.IPV4 ? ipv4Name(addresses) : ipv6Name(addresses);
  return { size, remoteAddress };
}

function ipv4Name(addresses: Buffer): string {
  return remoteName(addresses.subarray(0, 4).join('.'), addresses.readUInt16BE(8));
}

function ipv6Name(addresses: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, group) => addresses.readUInt16BE(2 * group).toString(16));
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return remoteName(address, addresses.readUInt16BE(32));
}

function malformed(what: string): IotmpError {
  return new IotmpError('IOTMP_ERR_PROTOCOL', `the PROXY header is not usable: ${what}`);
}
