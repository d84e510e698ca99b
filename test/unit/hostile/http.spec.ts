import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { setTimeout as pause } from 'node:timers/promises';
import { Arena } from './support/arena';

const BUCKETS = '/v1/users/anna/buckets';

/** Requests by what is wrong with them; `TOKEN` stands for the header with a token. */
const VIOLATIONS: Readonly<Record<string, string>> = {
  'a chunk size that is none': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  'a chunk size past all bounds': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
  'a chunk that is longer than it says': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`,
  'two lengths': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  'a length and chunks': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a negative length': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Length: -1\r\n\r\n`,
  'a length of 2^64': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Length: 18446744073709551616\r\n\r\n`,
  'a coding of transfer that is unknown': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nTransfer-Encoding: zip\r\n\r\n{}`,
  'two thousand headers': `GET /v1/server/version HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(2_000)}\r\n`,
  'a header of 100 kB': `GET /v1/server/version HTTP/1.1\r\nHost: x\r\na: ${'b'.repeat(100_000)}\r\n\r\n`,
  'a path of 100 kB': `GET /v1/${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'a path of many parts': `GET /v1${'/a'.repeat(3_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'a path that decodes to nothing': `GET ${BUCKETS}/%ff%fe HTTP/1.1\r\nHost: x\r\nTOKEN\r\n\r\n`,
  'a path with a zero byte': `GET ${BUCKETS}/a\0b HTTP/1.1\r\nHost: x\r\nTOKEN\r\n\r\n`,
  'a path that climbs': `GET /v1/users/anna/storages/../../../../etc/passwd HTTP/1.1\r\nHost: x\r\nTOKEN\r\n\r\n`,
  'a header with a zero byte': `GET ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\na: \0\r\n\r\n`,
  'a header without a name': `GET ${BUCKETS} HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n`,
  'a line of a header that is folded': `GET ${BUCKETS} HTTP/1.1\r\nHost: x\r\na: b\r\n c\r\n\r\n`,
  'bare ends of lines': `GET ${BUCKETS} HTTP/1.1\nHost: x\n\n`,
  'a method that is none': `get! ${BUCKETS} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'version 9.9': `GET ${BUCKETS} HTTP/9.9\r\nHost: x\r\n\r\n`,
  'the preface of version 2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'the method CONNECT': 'CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n\r\n',
  'OPTIONS for everything': 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'an upgrade to something else': `GET ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
  'JSON of many levels': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Type: application/json\r\nContent-Length: 50000\r\n\r\n${'['.repeat(50_000)}`,
  'JSON that is not UTF-8': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n"\xff\xfe"`,
  'a body of a megabyte without a token': `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`,
  'an expectation that nobody meets': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nExpect: a miracle\r\nContent-Length: 2\r\n\r\n{}`,
  IoTMP: '\x03\x17\x1a\xe3\x84anna\x84pump\x86secret\x08\xe7\x8a\x01',
  'a handshake of TLS': `\x16\x03\x01\x02\x00\x01${'\0'.repeat(500)}`,
};

/** Requests that never end. */
const HALVES: Readonly<Record<string, string>> = {
  'a line': 'GET /v1/us',
  'a line of version 0.9': `GET ${BUCKETS}\r\n`,
  'some headers': `GET ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\n`,
  'a part of a body': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"bucket":`,
  'a part of a chunk': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{`,
  'an expectation': `POST ${BUCKETS} HTTP/1.1\r\nHost: x\r\nTOKEN\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n`,
};

describe('a request that breaks the rules of HTTP', () => {
  const arena = Arena.ofSuite();

  function filledIn(request: string): string {
    return request.replace('TOKEN', `Authorization: Bearer ${arena.token}`);
  }

  for (const [name, request] of Object.entries(VIOLATIONS)) {
    it(`is answered without a fault of the server, or ends: ${name}`, () =>
      arena.survives(async () => {
        const socket = await arena.socket(arena.httpPort);
        socket.write(filledIn(request));
        await arena.until(() => socket.ended || socket.text.startsWith('HTTP/1.1 '), name);
        assert.doesNotMatch(socket.text, /^HTTP\/1\.1 5/);
        assert.doesNotMatch(socket.text, / at .*\.[jt]s:/, 'no stack is shown');
      }));
  }

  for (const [name, request] of Object.entries(HALVES)) {
    it(`leaves nothing where it is cut after ${name}`, () =>
      arena.survives(async () => {
        const ended = await arena.socket(arena.httpPort);
        ended.write(filledIn(request));
        ended.end();
        await arena.until(() => ended.ended);
        for (let round = 0; round < 5; round++) {
          const socket = await arena.socket(arena.httpPort);
          socket.write(filledIn(request));
          await pause(10);
          socket.cut();
        }
      }));
  }

  it('is answered in its turn where many come at once', () =>
    arena.survives(async () => {
      const socket = await arena.socket(arena.httpPort);
      const request = filledIn('GET /v1/users/anna/devices HTTP/1.1\r\nHost: x\r\nTOKEN\r\n\r\n');
      socket.write(request.repeat(50));
      await arena.until(() => socket.text.split('HTTP/1.1 200').length === 51);
    }));

  it('may end before its answers are read', () =>
    arena.survives(async () => {
      for (let round = 0; round < 5; round++) {
        const socket = await arena.socket(arena.httpPort);
        socket.socket.pause();
        socket.write(filledIn('GET /v1/users/anna/devices HTTP/1.1\r\nHost: x\r\nTOKEN\r\n\r\n').repeat(50));
        await pause(20);
        socket.cut();
      }
    }));
});
