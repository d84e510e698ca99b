import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Node, NodeInitializer } from 'node-red';
import { RawDevice } from '../support/raw-device';
import { tlsWire } from '../support/raw-wire';
import { TEST_ONLY_CERTIFICATE, TEST_ONLY_KEY } from '../support/certificate';
import { CLIENT_AUTHORITY, CLIENT_CERTIFICATES, CLIENT_KEY } from '../support/client-certificates';
import { FlowBench } from './support/flow-bench';
import { callNode, clientNode, serverNode, sinkNode } from './support/flows';
import { freePort } from './support/free-port';

/** What the core node `tls-config` has for other nodes. */
const registerTls: NodeInitializer = (RED) =>
  RED.nodes.registerType('tls-config', function (this: Node, config) {
    RED.nodes.createNode(this, config);
    const { options } = config as unknown as { options: object };
    Object.assign(this, { addTLSOptions: (given: object) => Object.assign(given, options) });
  });

const tls = (options: object, id = 'tls'): { id: string; type: string; options: object } => ({
  id,
  type: 'tls-config',
  options,
});

describe('TLS of iotmp-server and iotmp-client', () => {
  it('listens with the certificate of a tls-config, and clients check it', async () => {
    const bench = await FlowBench.start({}, [registerTls]);
    const tlsPort = await freePort();
    const overTls = { transport: 'tls', host: 'localhost' };
    await bench.load(
      tls({ key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE }),
      tls({ ca: TEST_ONLY_CERTIFICATE }, 'trust'),
      serverNode(bench.port, { tlsPort, tls: 'tls', host: '' }),
      clientNode(tlsPort, { ...overTls, tls: 'trust' }),
      clientNode(tlsPort, { ...overTls, id: 'distrustful', device: 'lamp' }),
      callNode({ via: 'client', client: 'client', server: '' }),
      callNode({ id: 'other', via: 'client', client: 'distrustful', server: '' }),
      sinkNode(),
    );
    await bench.listening('tls');
    await bench.connected();
    await bench.status('distrustful', 'red', 'status.certificateUntrusted');
    await bench.status('other', 'red', 'status.certificateUntrusted');
    // The first failure of a connection is no news: it may pass.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const [warning = ''] = bench.log('warn', 'distrustful');
    const reason = 'the server has a self-signed certificate that is not trusted here';
    assert.equal(
      warning,
      `cannot connect to tls://localhost:${tlsPort}: ${reason} (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    );
    const wire = bench.track(await tlsWire(tlsPort));
    await RawDevice.login(wire, { device: 'lamp', credential: 'light' });
  });

  for (const [name, options] of [
    ['no certificate', {}],
    ['a certificate that is none', { key: 'no key', cert: 'no certificate' }],
  ] as const) {
    it(`has ${name}: red, and the TCP port works`, async () => {
      const bench = await FlowBench.start({}, [registerTls]);
      const tlsPort = await freePort();
      await bench.load(tls(options), serverNode(bench.port, { tlsPort, tls: 'tls' }), sinkNode());
      await bench.status('server', 'red', 'status.certificateUnusable');
      assert.equal(bench.log('error', 'server').length, 1);
      await bench.device();
    });
  }

  it('lets in a client node by its certificate, while the server node takes that as the identity', async () => {
    const bench = await FlowBench.start({}, [registerTls]);
    const tlsPort = await freePort();
    const own = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE, ca: CLIENT_AUTHORITY };
    const shown = { key: CLIENT_KEY, cert: CLIENT_CERTIFICATES.unregistered, ca: TEST_ONLY_CERTIFICATE };
    await bench.load(
      tls(own),
      tls(shown, 'shown'),
      serverNode(bench.port, { tlsPort, tls: 'tls', host: '', clientCertificate: 'identity' }),
      clientNode(tlsPort, {
        transport: 'tls',
        host: 'localhost',
        tls: 'shown',
        user: 'anna',
        device: 'valve',
      }),
      callNode({ via: 'client', client: 'client', server: '' }),
      sinkNode(),
    );
    await bench.listening('tls');
    await bench.connected();
    assert.deepEqual(bench.log('warn', 'server'), ['errors.certificatePlain']);
  });

  it('warns of an authority that nobody looks at', async () => {
    const bench = await FlowBench.start({}, [registerTls]);
    const tlsPort = await freePort();
    const own = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE, ca: CLIENT_AUTHORITY };
    const verifying = { ...own, rejectUnauthorized: true };
    await bench.load(tls(verifying), serverNode(bench.port, { tlsPort, tls: 'tls' }), sinkNode());
    await bench.listening('tls');
    assert.deepEqual(bench.log('warn', 'server'), ['errors.certificateNotAsked']);
  });

  it('has no authority for the certificates that it is to ask for: red, and the TCP port works', async () => {
    const bench = await FlowBench.start({}, [registerTls]);
    const tlsPort = await freePort();
    const own = { key: TEST_ONLY_KEY, cert: TEST_ONLY_CERTIFICATE };
    const node = serverNode(bench.port, { tlsPort, tls: 'tls', clientCertificate: 'required' });
    await bench.load(tls(own), node, sinkNode());
    await bench.status('server', 'red', 'status.certificateUnusable');
    assert.match(bench.log('error', 'server').join('\n'), /certificate of their authority \(CA\)/);
    await bench.device();
  });

  it('has a tls-config that is another node, or missing: red', async () => {
    const bench = await FlowBench.start({}, [registerTls]);
    const tlsPort = await freePort();
    await bench.load(
      serverNode(bench.port, { tlsPort, tls: 'out' }),
      clientNode(tlsPort, { transport: 'tls', tls: 'gone' }),
      sinkNode(),
    );
    await bench.status('server', 'red', 'errors.tlsMissing');
    await bench.status('client', 'red', 'errors.tlsMissing');
  });
});
