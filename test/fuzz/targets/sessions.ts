import assert from 'node:assert/strict';
import { MessageType } from '../../../src/codec/constants';
import { encodeMessage } from '../../../src/codec/writing/message-encoder';
import { IotmpError } from '../../../src/errors';
import { IdSequence } from '../../../src/session/requests/id-sequence';
import { PeerSession } from '../../../src/session/peer-session';
import { FakeClock } from '../../unit/support/fake-clock';
import { CONNECT } from '../../unit/support/session-pair';
import { vectors } from '../../unit/support/vectors';
import { BadInput, type FuzzTarget } from '../target';
import { answersIn, requestsIn } from './expected-answers';
import { hostedResources } from './hosted-resources';
import { WireEnd } from './wire-end';

/** `open`: after the login. `login`: from the first byte on. `client`: the session of a client, from its CONNECT on. */
type Mode = 'open' | 'login' | 'client';

interface Run {
  readonly input: Buffer;
  readonly wire: WireEnd;
  readonly session: PeerSession;
  readonly reasons: IotmpError[];
  /** Everything that has to settle, with IotmpErrors only. */
  readonly pending: Promise<unknown>[];
}

const CONNECT_BYTES = encodeMessage(CONNECT);
const WEIGHTS: Readonly<Record<Mode, number>> = { open: 10, login: 8, client: 10 };
/** Time that passes at the end of each round, in ms: periodic streams send some samples. */
const PASSING_MS = 20;
const LISTENER = { onData: () => undefined, onClose: () => undefined };

/** A session with resources whose peer says what it likes. */
export class Sessions implements FuzzTarget {
  readonly name: string;
  readonly weight: number;
  readonly framed = true;
  readonly seeds: readonly Buffer[];
  readonly #mode: Mode;
  readonly #host = hostedResources();
  readonly #clock = new FakeClock(1_000_000);
  #runs: Run[] = [];

  constructor(mode: Mode) {
    this.#mode = mode;
    this.name = `session-${mode}`;
    this.weight = WEIGHTS[mode];
    this.seeds = seedsOf(mode);
  }

  get waiting(): number {
    return this.#runs.length;
  }

  run(input: Buffer): string {
    const run = this.#start(Buffer.from(input));
    this.#runs.push(run);
    const { wire, session } = run;
    if (this.#mode === 'open') {
      wire.arrive(CONNECT_BYTES);
      assert.equal(session.state, 'open');
      if (run.input.length % 2 === 1) beginRequests(run);
      wire.sent.length = 0;
    }
    const middle = run.input.length >> 1;
    wire.arrive(run.input.subarray(0, middle));
    wire.arrive(run.input.subarray(middle));
    return run.reasons[0]?.code ?? session.state;
  }

  async settle(): Promise<void> {
    const runs = this.#runs;
    this.#runs = [];
    await this.#clock.settle();
    for (const { wire } of runs) wire.flush();
    await this.#clock.advance(PASSING_MS);
    for (const run of runs) {
      try {
        run.wire.flush();
        if (this.#mode === 'open' && run.session.state === 'open') checkAnswers(run);
        end(run);
      } catch (error) {
        throw new BadInput(this.name, run.input, error);
      }
    }
    await this.#clock.settle();
    for (const run of runs) {
      try {
        await checkEnd(run);
      } catch (error) {
        throw new BadInput(this.name, run.input, error);
      }
    }
    assert.equal(this.#clock.pending, 0, 'timers are left behind');
  }

  #start(input: Buffer): Run {
    const wire = new WireEnd();
    const reasons: IotmpError[] = [];
    const pending: Promise<unknown>[] = [];
    const isServer = this.#mode !== 'client';
    const session = new PeerSession(
      wire,
      this.#host,
      { ...(isServer && { onConnect: () => undefined }), onClose: (reason) => reasons.push(reason) },
      { clock: this.#clock, maxConcurrentCalls: 8, maxStreams: 8, maxBodySize: 4096 },
    );
    session.ids = new IdSequence();
    if (isServer) session.expectConnect(10_000);
    else pending.push(settled(session.connect(['u', 'd', 'c'], undefined, 10_000)));
    return { input, wire, session, reasons, pending };
  }
}

function seedsOf(mode: Mode): Buffer[] {
  const messages = vectors.filter(({ direction }) => direction !== 'value');
  if (mode === 'open') return messages.map(({ bytes }) => bytes);
  const first = messages.filter(({ type }) => {
    return mode === 'login'
      ? type === MessageType.CONNECT
      : type === MessageType.OK || type === MessageType.ERROR;
  });
  return first.map(({ bytes }) => bytes);
}

/** Requests under the ids 1 to 4, which the peer may answer. */
function beginRequests({ session, pending }: Run): void {
  pending.push(
    settled(session.call('r', { payload: 1 })),
    settled(session.describe()),
    settled(session.openStream('r', LISTENER, { parameters: { interval: 1000 } })),
    settled(session.openStream('$terminal/1', LISTENER)),
  );
}

/** Resolves for all that a caller may hear of. */
function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => {
    assert.ok(error instanceof IotmpError, `rejected with ${String(error)}`);
  });
}

/** Each request of the peer got one answer. A STOP_STREAM for a stream of ours wants none. */
function checkAnswers({ input, wire, pending }: Run): void {
  const answers = answersIn(wire.sent);
  const requests = requestsIn(input);
  for (let ours = 1; ours <= pending.length; ours++) for (const ids of [answers, requests]) ids.delete(ours);
  assert.deepEqual([...answers].sort(byId), [...requests].sort(byId), 'ids and numbers of answers');
}

function byId([one]: readonly [number, number], [other]: readonly [number, number]): number {
  return one - other;
}

function end({ session, wire }: Run): void {
  session.destroy(new IotmpError('IOTMP_ERR_CLOSED', 'enough'));
  wire.flush();
}

async function checkEnd({ session, reasons, wire, pending }: Run): Promise<void> {
  assert.equal(session.state, 'closed');
  assert.equal(wire.ended, true);
  assert.equal(reasons.length, 1, 'the owner hears of the end once');
  assert.ok(reasons[0] instanceof IotmpError);
  await Promise.all(pending);
  assert.deepEqual([session.requestCount, session.streamCount, session.callCount], [0, 0, 0]);
  assert.ok(wire.sent.every((message) => message[0]! <= MessageType.STREAM_DATA));
}
