import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { describe, it } from 'mocha';
import { clientState } from '../../../nodes/lib/flow/client-state';
import { IotmpError, type ErrorCode, type IotmpClient } from '../../../src';

const RED = { _: (key: string) => key.replace(/^.*:/, '') } as unknown as NodeAPI;

/** The state of a client in words: kind and text. */
function shown(state: IotmpClient['state'], code?: ErrorCode, systemCode?: string): string {
  const cause = systemCode === undefined ? undefined : Object.assign(new Error('x'), { code: systemCode });
  const lastError = code === undefined ? undefined : new IotmpError(code, 'it failed', { cause });
  const { kind, text } = clientState(RED, { state, lastError });
  return `${kind} ${text}`;
}

describe('the status of a client', () => {
  for (const [what, code, systemCode, text] of [
    ['a refused login', 'IOTMP_ERR_AUTH', undefined, 'error status.refused'],
    ['a refused keep-alive', 'IOTMP_ERR_CONFIG', undefined, 'error status.refused'],
    ['an expired certificate', 'IOTMP_ERR_CONNECT', 'CERT_HAS_EXPIRED', 'error status.certificateExpired'],
    ['another name', 'IOTMP_ERR_CONNECT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'error status.certificateName'],
    [
      'a private CA',
      'IOTMP_ERR_CONNECT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'error status.certificateUntrusted',
    ],
    ['a revoked certificate', 'IOTMP_ERR_CONNECT', 'CERT_REVOKED', 'error status.certificate'],
    ['a closed port', 'IOTMP_ERR_CONNECT', 'ECONNREFUSED', 'waiting status.nothingListens'],
    ['a wrong name', 'IOTMP_ERR_CONNECT', 'ENOTFOUND', 'waiting status.hostUnknown'],
    ['a host that is off', 'IOTMP_ERR_CONNECT', 'EHOSTUNREACH', 'waiting status.hostUnreachable'],
    ['a port without TLS', 'IOTMP_ERR_CONNECT', 'ERR_SSL_WRONG_VERSION_NUMBER', 'waiting status.noTls'],
    ['silence', 'IOTMP_ERR_TIMEOUT', undefined, 'waiting status.connecting'],
  ] as const) {
    it(`is one for ${what}, however often it tries`, () => {
      assert.equal(shown('waiting', code, systemCode), text);
      assert.equal(shown('connecting', code, systemCode), text);
    });
  }

  it('is that of its connection otherwise', () => {
    assert.equal(shown('open'), 'up status.connected');
    assert.equal(shown('refused', 'IOTMP_ERR_AUTH'), 'error status.refused');
    assert.equal(shown('idle'), 'off status.disconnected');
    assert.equal(shown('connecting'), 'waiting status.connecting');
  });

  it('is that of the last address that was tried, where a name has several', () => {
    const errors = ['ECONNREFUSED', 'CERT_HAS_EXPIRED'].map((code) =>
      Object.assign(new Error('x'), { code }),
    );
    const lastError = new IotmpError('IOTMP_ERR_CONNECT', 'x', { cause: new AggregateError(errors) });
    const { text } = clientState(RED, { state: 'waiting', lastError });
    assert.equal(text, 'status.certificateExpired');
  });
});
