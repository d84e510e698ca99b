import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, it } from 'mocha';
import { RefusalLog } from '../../../src/broker/refusals/refusal-log';
import { refusalLine } from '../../../src/broker/refusals/refusal-line';
import type { RefusedLogin } from '../../../src/broker/refusals/refused-login';
import { RefusedLogins } from '../../../src/broker/refusals/refused-logins';
import { cleanUp } from '../../support/clean-up';
import { BrokerBench } from '../support/broker-fixture';
import { FakeClock } from '../support/fake-clock';
import { knock } from '../support/login';
import { hex } from '../support/raw-message';

const LOGIN: RefusedLogin = {
  time: 0,
  reason: 'credentials',
  text: 'wrong user, device or credential',
  user: 'anna',
  device: 'pump',
  address: '192.0.2.7:49152',
  transport: 'tcp',
};

const LINE = 'refused login: reason=credentials address=192.0.2.7 transport=tcp user="anna" device="pump"';

describe('the record of refused logins', () => {
  it('tells who, from where, over what, when and why, and never the credential', async () => {
    const bench = await BrokerBench.start();
    await knock(bench, { credential: 'not-the-secret' });
    const [login] = bench.server.refusedLogins;
    const { time, ...rest } = login!;
    assert.ok(Math.abs(Date.now() - time) < 10_000);
    assert.deepEqual(rest, {
      reason: 'credentials',
      text: 'wrong user, device or credential',
      user: 'anna',
      device: 'pump',
      address: 'memory',
      transport: 'memory',
    });
    assert.doesNotMatch(
      JSON.stringify([...bench.server.refusedLogins, bench.refusalLines]),
      /not-the-secret/,
    );
  });

  it('keeps the last 1000, the newest first, and counts all by their reasons', () => {
    const logins = new RefusedLogins();
    assert.deepEqual([[...logins], logins.last, logins.total], [[], undefined, 0]);
    for (let time = 1; time <= 2500; time++) {
      logins.add({ ...LOGIN, time, reason: time % 5 === 0 ? 'timeout' : 'credentials' });
    }
    assert.deepEqual(
      [...logins].map(({ time }) => time),
      Array.from({ length: 1000 }, (_, age) => 2500 - age),
    );
    assert.equal(logins.last?.time, 2500);
    assert.equal(logins.total, 2500);
    assert.deepEqual(Object.fromEntries(logins.counts), { credentials: 2000, timeout: 500 });
  });

  it('names what speaks TLS, HTTP, MQTT and SSH on the plain port, at once', async () => {
    const bench = await BrokerBench.start({ host: '127.0.0.1', tcpPort: 0 });
    for (const [name, bytes, text] of [
      ['tls', hex('16 03 01 02 00 01 00 01 fc'), 'the other end speaks TLS, and this port is without TLS'],
      ['http', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'the other end speaks HTTP, not IoTMP'],
      ['mqtt', hex('10 0c 00 04 4d515454 04 02 003c 0000'), 'the other end speaks MQTT, not IoTMP'],
      ['ssh', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n'), 'the other end speaks SSH, not IoTMP'],
    ] as const) {
      const socket = net.connect(bench.port(), '127.0.0.1');
      cleanUp(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.write(bytes);
      await bench.until(() => bench.server.refusedLogins.last?.reason === name);
      assert.equal(bench.server.refusedLogins.last?.text, text);
      assert.equal(
        bench.refusalLines.at(-1),
        `refused login: reason=${name} address=127.0.0.1 transport=tcp user="" device="" left_out=0`,
      );
    }
    assert.equal(bench.server.refusedLogins.total, 4);
    assert.deepEqual(bench.warnings, []);
  });
});

describe('the line of a refused login', () => {
  it('has fixed parts', () => {
    assert.equal(refusalLine(LOGIN, 3), `${LINE} left_out=3`);
    const over6 = { ...LOGIN, address: '[2001:db8::7]:49152', transport: 'ws' } as const;
    assert.match(refusalLine(over6, 0), / address=2001:db8::7 transport=ws /);
  });

  it('escapes what the peer wrote, and cuts it: no line is forged, nothing is hidden', () => {
    const user = 'a" device="b"\n30 Nov [error] forged \u202e\u2028\x1b[31m\ud83d';
    const line = refusalLine({ ...LOGIN, user, device: 'x'.repeat(255) }, 0);
    assert.match(line, /^[\x20-\x7e]+$/);
    assert.ok(
      line.includes(String.raw`user="a\" device=\"b\"\n30 Nov [error] forged \u202e\u2028\u001b[31m\ud83d"`),
    );
    assert.ok(line.includes(`device="${'x'.repeat(64)}..." left_out=0`), line);
  });
});

describe('the log of refused logins', () => {
  function start(): { clock: FakeClock; lines: string[]; log: RefusalLog } {
    const clock = new FakeClock();
    const lines: string[] = [];
    const log = new RefusalLog(clock, (line) => lines.push(line));
    cleanUp(() => {
      log.close();
      assert.equal(clock.pending, 0);
    });
    return { clock, lines, log };
  }

  it('has one line a minute for a device, an address and a reason, with the number left out', async () => {
    const { clock, lines, log } = start();
    for (let second = 0; second < 150; second++) {
      log.note({ ...LOGIN, address: `192.0.2.7:${second}` });
      await clock.advance(1000);
    }
    assert.deepEqual(lines, [
      `${LINE} left_out=0`,
      // Soon, so that it is seen that there are many.
      `${LINE} left_out=2`,
      `${LINE} left_out=59`,
      `${LINE} left_out=59`,
    ]);
    await clock.advance(120_000);
    assert.equal(lines.at(-1), `${LINE} left_out=25`);
    assert.equal(lines.length, 5);
    assert.equal(clock.pending, 0, 'nothing is watched in the end');
    log.note(LOGIN);
    assert.equal(lines.at(-1), `${LINE} left_out=0`);
  });

  it('has lines of their own for other devices, addresses and reasons', () => {
    const { lines, log } = start();
    const others = [
      {},
      { device: 'lamp' },
      { user: 'bob' },
      { address: '192.0.2.8:1' },
      { reason: 'timeout' },
    ];
    for (const other of others) log.note({ ...LOGIN, ...other } as RefusedLogin);
    assert.equal(new Set(lines).size, others.length);
  });

  it('stays small when a peer makes up names, and counts what it leaves out', async () => {
    const { clock, lines, log } = start();
    for (let i = 0; i < 5000; i++) {
      log.note({ ...LOGIN, device: `made-up-${i}` });
      if (i % 1000 === 999) await clock.advance(1000);
    }
    assert.ok(lines.length <= 15, `${lines.length} lines in 5 s`);
    await clock.advance(300_000);
    const told = lines.map((line) => Number(/^refused logins: (\d+) more/.exec(line)?.[1] ?? 1));
    assert.equal(
      told.reduce((sum, count) => sum + count, 0),
      5000,
    );
    assert.ok(lines.length <= 25, `${lines.length} lines`);
  });

  it('tells the rest when the server closes', () => {
    const { lines, log } = start();
    for (let i = 0; i < 3; i++) log.note(LOGIN);
    log.close();
    assert.deepEqual(lines, [`${LINE} left_out=0`, `${LINE} left_out=1`]);
  });
});
