import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { errorText } from '../../../src/errors';
import { DeviceRights } from '../../../src/rights/device-rights';
import { BrokerBench, PUMP } from '../support/broker-fixture';
import { RawDevice } from '../support/raw-device';
import { Type } from '../support/raw-message';
import { WebSocketWire } from '../support/raw-wire';

/** Texts that a peer could write to forge or hide words of a log. */
const TEXTS = ['a\n30 Nov [warn] forged', '\u001b[31mred', '\u202eturned', '\u{e0041}hidden'];
const LONG = 'x\u202e'.repeat(2500);
const MAX_LENGTH = 1000;

/** Checks that a line is one line, seen as it is written, and short. */
function assertPlain(lines: readonly string[], what: string): void {
  assert.ok(lines.length > 0, `${what}: nothing was said`);
  for (const line of lines) {
    assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u, `${what}: ${JSON.stringify(line)}`);
    assert.ok(line.length <= MAX_LENGTH, `${what}: ${line.length} characters`);
  }
}

/** What the server says of itself: warnings, lines and records of refused logins. */
function linesOf({ warnings, refusalLines, refusedLogins }: BrokerBench): string[] {
  const records = refusedLogins.flatMap(({ user, device, text }) => [user, device, text]);
  return [...warnings, ...refusalLines, ...records];
}

describe('a text of a peer', () => {
  for (const text of [...TEXTS, LONG]) {
    const shown = JSON.stringify(text.slice(0, 12));

    it(`is plain in refused logins, as user and device id: ${shown}`, async () => {
      const bench = await BrokerBench.start();
      const events: unknown[] = [];
      bench.server.events.listen(({ user, device, reason }) => events.push(user, device ?? '', reason));
      new RawDevice(bench.memory(), { user: text, device: text }).connect();
      await bench.clock.settle();
      assertPlain(linesOf(bench), 'refused login');
      assertPlain(events.map(String), 'event');
    });

    it(`is plain in the warning of what a device may not do, whose rule stays JSON: ${shown}`, () => {
      const lines: string[] = [];
      const rights = new DeviceRights({ traitsOf: () => undefined, onRefused: (line) => lines.push(line) });
      const who = { user: text.slice(0, 255), device: text.slice(0, 255) };
      const request = { who, action: 'call', target: text, isDefault: false } as unknown;
      assert.throws(() => rights.check(request as Parameters<DeviceRights['check']>[0]), { statusCode: 403 });
      assertPlain(lines, 'refusal');
      const [, rule] = lines[0]!.split(' This rule allows it: ');
      assert.equal(rule === undefined, text === LONG);
      if (rule !== undefined) {
        const name = `${who.user}/${who.device}`;
        assert.deepEqual(JSON.parse(rule), { effect: 'allow', who: name, action: 'call', target: text });
      }
    });

    it(`is plain in the errors of calls, as the answer of a device and as the name of a resource: ${shown}`, async () => {
      const bench = await BrokerBench.start();
      const device = await bench.device();
      const errors: string[] = [];
      const failed = (answer: Promise<unknown>): Promise<unknown> =>
        answer.catch((error: unknown) => errors.push(errorText(error)));
      device.serves = false;
      const refused = failed(bench.server.call(PUMP, 'relay', { payload: 1 }));
      const asked = await device.next(Type.RUN);
      device.error(asked.id ?? 0, text, 418);
      await refused;
      device.serves = true;
      await failed(bench.server.call(PUMP, text.slice(0, 200), { payload: 1 }));
      await failed(bench.server.call({ user: text, device: text }, text));
      assert.equal(errors.length, 3);
      assertPlain(errors, 'error of a call');
    });

    it(`is plain as the reason of a WebSocket's close: ${shown}`, async () => {
      const bench = await BrokerBench.start();
      const reasons: string[] = [];
      bench.server.on('disconnected', (_device, { message }) => reasons.push(message));
      const wire = bench.track(await WebSocketWire.connect(await bench.listenHttp()));
      await RawDevice.login(wire, {});
      const bytes = Buffer.from(text).subarray(0, 121);
      // A reason has to be whole characters.
      const reason = Buffer.from(bytes.toString().replace(/\ufffd+$/, ''));
      wire.writeFrame(8, Buffer.concat([Buffer.from([0x0f, 0xa0]), reason]));
      await bench.until(() => reasons.length > 0);
      assert.match(reasons[0]!, /4000/);
      assertPlain(reasons, 'close');
    });
  }
});
