import assert from 'node:assert/strict';
import { once } from 'node:events';
import tls from 'node:tls';
import { describe, it } from 'mocha';
import type { ServerOptions } from '../../../src/broker/broker-options';
import type { DeviceDirectory } from '../../../src/broker/directory-authenticator';
import { IotmpClient } from '../../../src/client/client';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import {
  CLIENT_AUTHORITY,
  CLIENT_CERTIFICATES,
  CLIENT_KEY,
  INTERMEDIATE,
  OTHER_AUTHORITY,
} from '../support/client-certificates';
import { BrokerBench, LAMP, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { tlsWire, type RawWire } from '../support/raw-wire';
import { cleanUp } from '../../support/clean-up';

type Special = keyof typeof CLIENT_CERTIFICATES;

const VALVE = { user: 'anna', device: 'valve', credential: '' } as const;
const SERVER_TLS = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE, ca: CLIENT_AUTHORITY };

const clientTls = (name: Special): tls.ConnectionOptions => ({
  key: CLIENT_KEY,
  cert: CLIENT_CERTIFICATES[name],
});

class TlsBench {
  readonly bench: BrokerBench;

  constructor(bench: BrokerBench) {
    this.bench = bench;
  }

  static async start(options: ServerOptions): Promise<TlsBench> {
    const listening = { host: '127.0.0.1', tcpPort: 0, tlsPort: 0, tls: SERVER_TLS };
    return new TlsBench(await BrokerBench.start({ ...listening, ...options }));
  }

  async wire(options: tls.ConnectionOptions): Promise<RawWire> {
    return this.bench.track(await tlsWire(this.bench.port('tls'), options));
  }

  /** Logs in over TLS with a certificate, or with other options. */
  async login(shown: Special | tls.ConnectionOptions, id: object): Promise<RawDevice> {
    const options = typeof shown === 'string' ? clientTls(shown) : shown;
    return this.bench.device(id, await this.wire(options));
  }

  /** Connects, and expects to be refused before the login: the words of the one record. */
  async refusal(options: tls.ConnectionOptions, id: object = PUMP): Promise<string> {
    const { bench } = this;
    const before = bench.refusedLogins.length;
    // With TLS 1.2 the client hears of it in the handshake, with TLS 1.3 after its side of it.
    const wire = await this.wire(options).catch(() => undefined);
    if (wire !== undefined) {
      const device = new RawDevice(wire, id);
      device.connect();
      await device.closed;
      assert.equal(device.chunks.length, 0);
    }
    await bench.until(() => bench.refusedLogins.length > before);
    await bench.clock.settle();
    assert.equal(bench.refusedLogins.length, before + 1);
    const { reason, text, transport, user } = bench.refusedLogins.at(-1)!;
    assert.deepEqual({ reason, transport, user }, { reason: 'certificate', transport: 'tls', user: '' });
    return text;
  }
}

const AUTHORITY = 'the other end has a certificate of an authority that is not trusted here';

describe('client certificates that are required', () => {
  const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
  for (const version of VERSIONS) {
    it(`are checked in the handshake, each refusal recorded once in words, with ${version}`, async () => {
      const bench = await TlsBench.start({ clientCertificate: 'required' });
      const options = { minVersion: version, maxVersion: version };
      const shown = (name: Special) => ({ ...clientTls(name), ...options });
      assert.equal(await bench.refusal(options), 'the other end has sent no certificate, and has to');
      assert.equal(await bench.refusal(shown('byOther')), AUTHORITY);
      assert.equal(await bench.refusal(shown('byIntermediate')), AUTHORITY);
      const expired = 'the other end has a certificate that has expired';
      assert.equal(await bench.refusal(shown('expired')), expired);
      const early = 'the other end has a certificate that is not valid yet: compare the clocks';
      assert.equal(await bench.refusal(shown('future')), early);
      const purpose = 'the other end has a certificate that is not made for this use';
      assert.equal(await bench.refusal(shown('forServers')), purpose);
      const own = { ...options, key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
      const selfSigned = 'the other end has a self-signed certificate that is not trusted here';
      assert.equal(await bench.refusal(own), selfSigned);
      assert.equal(bench.bench.server.refusedLogins.counts.get('certificate'), 7);
      assert.equal(bench.bench.server.deviceCount, 0);
      await bench.login(shown('common'), PUMP);
    });
  }

  it('come with a line that names the reason and nothing of OpenSSL', async () => {
    const bench = await TlsBench.start({ clientCertificate: 'required' });
    await bench.refusal({});
    assert.match(
      bench.bench.refusalLines.join('\n'),
      /^refused login: reason=certificate address=127\.0\.0\.1 /,
    );
  });

  it('let the credential decide, whatever device they name', async () => {
    const bench = await TlsBench.start({ clientCertificate: 'required' });
    await bench.login('nameless', PUMP);
    await bench.login('common', LAMP);
    await assert.rejects(bench.login('common', { ...PUMP, credential: 'wrong' }), /not let in/);
  });

  it('may come with the chain to the authority', async () => {
    const bench = await TlsBench.start({ clientCertificate: 'required' });
    const chain = CLIENT_CERTIFICATES.byIntermediate + INTERMEDIATE;
    await bench.login({ key: CLIENT_KEY, cert: chain }, PUMP);
  });

  for (const [name, ca] of [
    ['no authority', undefined],
    ['an empty authority', ''],
    ['an empty list of authorities', []],
    ['an authority that is no certificate', 'nonsense'],
  ] as const) {
    it(`are not asked for with ${name}: the port stays closed and says so`, async () => {
      const tlsOptions = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE, ...(ca !== undefined && { ca }) };
      const { bench } = await TlsBench.start({
        clientCertificate: 'required',
        tls: tlsOptions as tls.TlsOptions,
      });
      const status = bench.server.listenerStatus.get('tls');
      assert.equal(status?.kind, 'error');
      assert.match(
        status.error.message,
        /client certificates need the certificate of their authority \(CA\)/,
      );
      await bench.device(PUMP, await bench.tcp());
    });
  }

  it('are not asked for by default, also where there is an authority', async () => {
    const bench = await TlsBench.start({});
    await bench.login({}, PUMP);
    await bench.login('byOther', LAMP);
  });
});

describe('a client certificate that is the identity', () => {
  const start = (options: ServerOptions = {}): Promise<TlsBench> =>
    TlsBench.start({ clientCertificate: 'identity', ...options });

  it('lets in the device that it names, whose credential is not looked at', async () => {
    const bench = await start();
    await bench.login('common', { ...PUMP, credential: 'wrong' });
    await bench.login('uri', { ...PUMP, credential: '' });
    await bench.login('encoded', { user: 'anna b', device: 'pump/1', credential: '' });
    await bench.login('umlaut', { user: 'anna', device: 'pümpe', credential: '' });
    await bench.login('capital', { user: 'anna', device: 'Pump', credential: '' });
    const names = [...bench.bench.server.devices].map(({ user, device }) => `${user}/${device}`);
    assert.deepEqual(names, ['anna/pump', 'anna b/pump/1', 'anna/pümpe', 'anna/Pump']);
  });

  it('lets in a device that is registered nowhere: the authority knows it', async () => {
    const bench = await start();
    await bench.login('unregistered', VALVE);
    assert.ok(bench.bench.server.device(VALVE));
  });

  it('refuses every other name, with the right credential, too', async () => {
    const bench = await start({ anonymous: true });
    await assert.rejects(bench.login('common', LAMP), /not let in/);
    await assert.rejects(bench.login('capital', PUMP), /not let in/);
    await assert.rejects(bench.login('common', { ...PUMP, user: 'Anna' }), /not let in/);
    const texts = bench.bench.refusedLogins.map(({ reason, text }) => `${reason}: ${text}`);
    assert.deepEqual(texts, Array(3).fill('credentials: the client certificate is that of another device'));
  });

  const ILL_NAMED: readonly [Special, RegExp][] = [
    ['two', /names several devices/],
    ['slashes', /names no device/],
    ['uriSlashes', /names no device/],
    ['malformed', /names no device/],
    ['query', /names no device/],
    ['nul', /names no device/],
    ['injected', /names no device/],
    ['commonTwice', /names no device/],
    ['nameless', /names no device/],
    ['anonymous', /names the user anonymous/],
  ];
  for (const [name, words] of ILL_NAMED) {
    it(`names one device, and is refused otherwise: ${name}`, async () => {
      const bench = await start({ anonymous: true });
      const user = name === 'anonymous' ? 'anonymous' : 'anna';
      await assert.rejects(bench.login(name, { ...PUMP, user }), /not let in/);
      assert.equal(bench.bench.refusedLogins.length, 1);
      assert.match(bench.bench.refusedLogins[0]!.text, words);
    });
  }

  it('does not let in who is locked out, and nobody while that is not known', async () => {
    const bench = await start();
    let isRead = false;
    let isLockedOut = true;
    const directory: DeviceDirectory = {
      isRead: () => isRead,
      has: () => false,
      admits: () => false,
      locksOut: () => isLockedOut,
    };
    bench.bench.server.addDirectory(directory);
    await assert.rejects(bench.login('unregistered', VALVE), /not let in/);
    await assert.rejects(bench.login('common', { ...PUMP, credential: '' }), /not let in/);
    assert.deepEqual(
      bench.bench.refusedLogins.map(({ reason }) => reason),
      ['failed', 'credentials'],
    );
    // The credential of the options counts.
    await bench.login('common', PUMP);
    isRead = true;
    await assert.rejects(bench.login('unregistered', VALVE), /not let in/);
    isLockedOut = false;
    await bench.login('unregistered', VALVE);
  });

  it('does not open the plain port: a device needs its credential there', async () => {
    const bench = await start({ anonymous: true });
    const plain = async (id: object): Promise<RawDevice> => bench.bench.device(id, await bench.bench.tcp());
    await assert.rejects(plain({ ...PUMP, credential: '' }), /not let in/);
    await plain(PUMP);
    const webSocket = await bench.bench.webSocket();
    await assert.rejects(bench.bench.device({ ...LAMP, credential: '' }, webSocket), /not let in/);
    // It is nobody that the server knows, and gets no other device's name.
    await plain(VALVE);
    assert.equal(bench.bench.server.device(VALVE), undefined);
    assert.ok(bench.bench.server.device({ user: 'anonymous', device: 'valve' }));
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`stays the identity when a session of ${version} is resumed, until its authority is another one`, async () => {
      const bench = await start();
      const options = { ...clientTls('common'), minVersion: version, maxVersion: version };
      const first = tls.connect({
        ...options,
        port: bench.bench.port('tls'),
        host: '127.0.0.1',
        rejectUnauthorized: false,
      });
      cleanUp(() => first.destroy());
      const [session] = (await once(first, 'session')) as [Buffer];
      const resumed = { minVersion: version, maxVersion: version, session };
      const device = await bench.login(resumed, { ...PUMP, credential: '' });
      await assert.rejects(bench.login(resumed, LAMP), /not let in/);
      bench.bench.server.renewTls({ ...SERVER_TLS, ca: OTHER_AUTHORITY });
      await bench.bench.until(() => device.ended);
      const refused = await bench.refusal(resumed);
      assert.equal(refused, 'the other end has sent no certificate, and has to');
      assert.equal(await bench.refusal(clientTls('common')), AUTHORITY);
      await bench.login('byOther', PUMP);
    });
  }

  it('keeps its devices when the server shows another certificate, and when options change that are not theirs', async () => {
    const bench = await start();
    const valve = await bench.login('unregistered', VALVE);
    bench.bench.server.renewTls({ ...SERVER_TLS });
    const options = { host: '127.0.0.1', tcpPort: 0, tlsPort: 0, tls: SERVER_TLS } as const;
    await bench.bench.server.configure(
      bench.bench.options({ ...options, clientCertificate: 'identity', devices: [] }),
    );
    await bench.bench.clock.settle();
    assert.equal(valve.ended, false);
    await bench.bench.server.configure(bench.bench.options({ ...options, clientCertificate: 'required' }));
    await bench.bench.until(() => valve.ended);
  });

  it('ends the connections that were made without one, logged in or not', async () => {
    const bench = await TlsBench.start({});
    const lamp = await bench.login({}, LAMP);
    const waiting = await bench.wire({});
    const onClose = new Promise<void>((resolve) =>
      waiting.start({ onChunk: () => undefined, onEnd: () => undefined, onClose: resolve }),
    );
    await bench.bench.until(() => bench.bench.server.deviceCount === 1);
    const options = { host: '127.0.0.1', tcpPort: 0, tlsPort: 0, tls: SERVER_TLS } as const;
    await bench.bench.server.configure(bench.bench.options({ ...options, clientCertificate: 'identity' }));
    await bench.bench.until(() => lamp.ended);
    waiting.end();
    await onClose;
  });

  it('cannot be used beside an authenticator, which would have to judge a credential', () => {
    const authenticator = { authenticate: () => undefined };
    const started = start({ authenticator });
    return assert.rejects(started, { code: 'IOTMP_ERR_CONFIG' });
  });
});

describe('a client with a certificate', () => {
  it('is let in by it', async () => {
    const { bench } = await TlsBench.start({ clientCertificate: 'identity' });
    const client = new IotmpClient({
      transport: 'tls',
      host: 'localhost',
      port: bench.port('tls'),
      tls: { ...clientTls('common'), ca: TEST_ONLY_CERTIFICATE },
      user: 'anna',
      device: 'pump',
      credential: '',
    });
    cleanUp(() => client.close());
    client.connect();
    await bench.until(() => client.state === 'open');
    assert.ok(bench.server.device(PUMP));
  });
});
