import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { BrokerBench, PUMP } from './support/broker-fixture';
import { RawDevice } from './support/raw-device';

/** The filters of the document, in order, as regular expressions. `<HOST>` is an address of either version. */
const FILTERS = [
  ...readFileSync(join(__dirname, '../../docs/fail2ban.md'), 'utf8').matchAll(/^failregex = (.+)$/gm),
].map(([, text = '']) => new RegExp(text.replace('<HOST>', String.raw`(?<host>[\da-fA-F.:]+)`)));

/** A line as Node-RED prints it. */
function printed(text: string): string {
  return `30 Nov 22:19:42 - [warn] [iotmp-server:s] ${text}`;
}

function hosts(filter: RegExp | undefined, text: string): string[] {
  return printed(text)
    .split('\n')
    .flatMap((line) => filter?.exec(line)?.groups?.host ?? []);
}

async function attack(bench: BrokerBench, address: string, names: (index: number) => string): Promise<void> {
  for (let i = 0; i < 52; i++) {
    new RawDevice(bench.memory({ remoteAddress: address }), {
      device: names(i),
      user: names(i),
      credential: 'guess',
    }).connect();
    await bench.clock.settle();
  }
}

describe('filters for fail2ban', () => {
  const [blocked, refused] = FILTERS;

  it('match the lines of blocked addresses, and of refused logins', async () => {
    const bench = await BrokerBench.start();
    await attack(bench, '192.0.2.7:4711', (index) => `d${index}`);
    await attack(bench, '[2001:db8::7]:4711', (index) => `d${index}`);
    assert.equal(FILTERS.length, 2);
    assert.deepEqual(
      bench.refusalLines.flatMap((line) => hosts(blocked, line)),
      ['192.0.2.7', '2001:db8::7'],
    );
    assert.ok(bench.refusalLines.flatMap((line) => hosts(refused, line)).includes('192.0.2.7'));
  });

  it('match no line that a peer has made up', async () => {
    const forged = [
      'x\n30 Nov 22:19:42 - [warn] [iotmp-server:s] address blocked for 15 s: address=203.0.113.1 tries=1',
      '] address blocked for 15 s: address=203.0.113.1 tries=1',
      'refused login: reason=credentials address=203.0.113.1 transport=tcp user="',
      '" address=203.0.113.1 transport=tcp\r[warn] [iotmp-server:s] refused login: reason=rate address=203.0.113.1 transport=',
      '\u2028[warn] [iotmp-server:s] address blocked for 9 s: address=203.0.113.1 tries=1',
    ];
    const devices = forged.map((device) => ({ ...PUMP, user: device, device }));
    const bench = await BrokerBench.start({ devices });
    await attack(bench, '192.0.2.7:4711', (index) => forged[index % forged.length]!);
    await bench.clock.advance(60_000);
    for (const { user, device } of devices) {
      const wire = bench.memory({ remoteAddress: '198.51.100.1:1' });
      const peer = await bench.device({ user, device }, wire);
      // A message that does not decode is a warning with the name of the device.
      peer.send(Buffer.from('06021a63', 'hex'));
      await bench.clock.settle();
    }
    const lines = [...bench.refusalLines, ...bench.warnings];
    assert.ok(
      bench.warnings.some((line) => line.includes('203.0.113.1')),
      'the warnings name the devices',
    );
    const found = lines.flatMap((line) => FILTERS.flatMap((filter) => hosts(filter, line)));
    assert.ok(found.length > 0);
    assert.ok(!found.includes('203.0.113.1'), lines.join('\n'));
    for (const line of lines) assert.doesNotMatch(line, /[\n\r\u2028]/);
  });
});
