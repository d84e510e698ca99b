import { generateKeyPairSync, sign } from 'node:crypto';

/** What a TLS server needs, in PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Tags of DER, in which certificates are encoded (X.690). */
const Tag = { INTEGER: 0x02, BIT_STRING: 0x03, UTF8: 0x0c, TIME: 0x17, SEQUENCE: 0x30, SET: 0x31 } as const;

const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');

/** Makes a key on P-256 and a self-signed certificate of it (RFC 5280, version 1) that nobody is meant to check. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(ECDSA_WITH_SHA256);
  const name = sequence(node(Tag.SET, sequence(COMMON_NAME, node(Tag.UTF8, text('localhost')))));
  const validity = sequence(node(Tag.TIME, text('200101000000Z')), node(Tag.TIME, text('491231235959Z')));
  const serial = node(Tag.INTEGER, Buffer.from([1]));
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' });
  const body = sequence(serial, algorithm, name, validity, name, publicInfo);
  const signature = node(Tag.BIT_STRING, Buffer.from([0]), sign('sha256', body, privateKey));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(sequence(body, algorithm, signature)),
  };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return node(Tag.SEQUENCE, ...parts);
}

function node(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

/** Of up to 65535 bytes, in the shortest form. */
function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
