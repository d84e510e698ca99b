import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { describe, it } from 'mocha';
import { certificateFault, certificateLife, lifeWarning } from '../../../src/transport/certificate';
import {
  CHAIN_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  TEST_ONLY_CERTIFICATE,
  TEST_ONLY_KEY,
} from '../support/certificate';

const CERT = TEST_ONLY_CERTIFICATE;
const KEY = TEST_ONLY_KEY;

const encrypted = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' },
}).privateKey;
const other = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey;

describe('what is wrong with a certificate', () => {
  const faults: readonly (readonly [what: string, tls: TlsOptions, words: string | undefined])[] = [
    ['nothing', { cert: CERT, key: KEY }, undefined],
    [
      'nothing, with Buffers and a chain',
      { cert: Buffer.from(CERT + CHAIN_CERTIFICATE), key: Buffer.from(KEY) },
      undefined,
    ],
    ['another key', { cert: CERT, key: other }, 'certificate and private key do not belong together'],
    [
      'the chain first',
      { cert: CHAIN_CERTIFICATE + CERT, key: KEY },
      'the certificates are in the wrong order: the own certificate of the server has to come first, then its chain',
    ],
    [
      'no certificate',
      { cert: 'not a certificate', key: 'x' },
      'the certificate is no certificate in PEM form',
    ],
    [
      'half a certificate',
      { cert: CERT.replace(/\n.{20}/, '\n'), key: KEY },
      'the certificate cannot be read',
    ],
    ['no key', { cert: CERT, key: 'x' }, 'the private key is no key in PEM form'],
    ['a key without its passphrase', { cert: CERT, key: encrypted }, 'the private key needs a passphrase'],
    [
      'a wrong passphrase',
      { cert: CERT, key: encrypted, passphrase: 'wrong' },
      'the passphrase of the private key is wrong',
    ],
    [
      'a broken PFX',
      { pfx: Buffer.from('x') },
      'the PFX file cannot be read: it is none, or the passphrase is wrong',
    ],
  ];
  for (const [what, tls, words] of faults) {
    it(`is said in words: ${what}`, () => assert.equal(certificateFault(tls), words));
  }
});

describe('the life of a certificate', () => {
  const DAY = 86_400_000;
  const at = (text: string): number => Date.parse(text);

  it('is that of the first certificate', () => {
    const life = { from: at('2020-01-01'), to: at('2120-01-01') };
    assert.deepEqual(certificateLife({ cert: CERT, key: KEY }), life);
    assert.deepEqual(certificateLife({ cert: CERT + EXPIRED_CERTIFICATE }), life);
    assert.equal(certificateLife({ cert: EXPIRED_CERTIFICATE })?.to, at('2021-01-01'));
    for (const tls of [{}, { cert: 'x' }, { pfx: Buffer.from('x') }])
      assert.equal(certificateLife(tls), undefined);
  });

  it('needs no word while it lasts, one from two weeks before its end, and another after it', () => {
    const life = { from: at('2026-01-01'), to: at('2026-04-01') };
    const said = (day: string): string | undefined => lifeWarning(life, at(day));
    assert.equal(said('2026-03-17'), undefined);
    assert.equal(said('2026-03-19'), 'the certificate of the TLS port expires on 2026-04-01: renew it');
    assert.equal(said('2026-03-31'), said('2026-03-19'), 'the same text, so that it is told once');
    assert.equal(
      said('2026-04-01'),
      'the certificate of the TLS port expired on 2026-04-01: renew it, as clients refuse it',
    );
    assert.equal(
      said('2025-12-31'),
      'the certificate of the TLS port is not valid before 2026-01-01: compare the clock',
    );
  });

  it('is soon over in its last third where it is short', () => {
    const life = { from: 0, to: 6 * DAY };
    assert.equal(lifeWarning(life, 3.9 * DAY), undefined);
    assert.match(lifeWarning(life, 4.1 * DAY) ?? '', /expires on 1970-01-07/);
  });
});
