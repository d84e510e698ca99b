import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, it } from 'mocha';
import type { Node, NodeAPI, NodeDef, NodeInitializer } from 'node-red';
import registerTls from '@node-red/nodes/core/network/05-tls.js';
import { cleanUp } from '../../support/clean-up';
import {
  CHAIN_CERTIFICATE,
  EXPIRED_CERTIFICATE,
  TEST_ONLY_CERTIFICATE,
  TEST_ONLY_KEY,
} from '../support/certificate';
import { FlowBench } from './support/flow-bench';
import { serverNode, sinkNode } from './support/flows';
import { freePort } from './support/free-port';
import { patiently } from './support/patience';

type Constructor = (this: Node, config: NodeDef) => void;

/** The core node, whose methods are in its prototype: the bench makes its nodes by a function of its own. */
const registerBoundTls: NodeInitializer = (RED) => {
  const registerType = (type: string, construct: Constructor, options: object): void =>
    RED.nodes.registerType(
      type,
      function (this: Node, config: NodeDef) {
        construct.call(this, config);
        Object.assign(this, construct.prototype);
      },
      options,
    );
  void registerTls({ ...RED, nodes: { ...RED.nodes, registerType } } as unknown as NodeAPI);
};

interface Certificates {
  readonly bench: FlowBench;
  readonly write: (certificate: string) => void;
  /** Year in which the certificate ends that is shown to those who connect now. */
  readonly shownYear: () => Promise<string>;
}

async function start(certificate: string): Promise<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), 'iotmp-tls-'));
  cleanUp(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'fullchain.pem'), join(folder, 'privkey.pem')];
  const write = (text: string): void => writeFileSync(cert, text);
  write(certificate);
  writeFileSync(key, TEST_ONLY_KEY);
  const bench = await FlowBench.start({}, [registerBoundTls]);
  const tlsPort = await freePort();
  const tls = { id: 'tls', type: 'tls-config', cert, key, ca: '', servername: '', verifyservercert: false };
  await bench.load(tls, serverNode(bench.port, { tlsPort, tls: 'tls' }), sinkNode());
  await bench.listening('tls');
  const shownYear = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        const [, year = ''] = / (\d{4}) GMT/.exec(socket.getPeerCertificate().valid_to) ?? [];
        socket.destroy();
        resolve(year);
      });
      socket.on('error', reject);
    });
  return { bench, write, shownYear };
}

/** Waits until a condition holds. */
async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  let isOver = false;
  const come = async (): Promise<void> => {
    while (!isOver && !(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  try {
    await patiently(come(), () => what);
  } finally {
    isOver = true;
  }
}

describe('the files of a tls-config', () => {
  it('are read again when they change: the status follows, nobody is disconnected', async () => {
    const { bench, write, shownYear } = await start(EXPIRED_CERTIFICATE);
    await bench.status('server', 'yellow', 'status.certificateExpired');
    assert.match(
      bench.log('warn', 'server').join('\n'),
      /the certificate of the TLS port expired on 2021-01-01/,
    );
    assert.equal(await shownYear(), '2021');
    const device = await bench.device();
    write(TEST_ONLY_CERTIFICATE);
    await until(async () => (await shownYear()) === '2120', 'the renewed certificate');
    await bench.status('server', 'green', 'status.listening');
    await device.barrier();
    assert.ok(bench.log('info', 'server').includes('errors.renewed'));
  });

  it('that cannot be used leave the certificate as it is, with a warning that says why', async () => {
    const { bench, write, shownYear } = await start(TEST_ONLY_CERTIFICATE);
    write(CHAIN_CERTIFICATE);
    await until(() => bench.log('warn', 'server').length > 0, 'a warning');
    assert.match(
      bench.log('warn', 'server')[0] ?? '',
      /^errors\.notRenewed\(reason=.*certificate and private key do not belong together\)$/,
    );
    assert.equal(await shownYear(), '2120');
  }).timeout(20_000);
});
