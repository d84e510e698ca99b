import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../../util/clock';
import { busy } from '../http/request-error';

/** Who lets a program in. */
export interface Approval {
  readonly user: string;
  /** Whether he may still do so: between his word and the program's next question he may lose the right to. */
  readonly counts: () => boolean;
}

/** The codes of a program that asks to be let in. */
export interface DeviceCodes {
  /** For the program: who has it gets the tokens. */
  readonly deviceCode: string;
  /** For a person to read and type in. */
  readonly userCode: string;
}

/** What a program is told when it asks how things stand (RFC 8628 section 3.5), or who has let it in. */
export type PollResult =
  'authorization_pending' | 'slow_down' | 'access_denied' | 'expired_token' | 'invalid_grant' | Approval;

interface Grant {
  readonly deviceKey: string;
  readonly userKey: string;
  readonly clientId: string;
  readonly address: string;
  /** On the scale of the clock, as the next. */
  readonly expiresAt: number;
  polledAt: number;
  decision: Approval | 'access_denied' | undefined;
}

/** Time for a person to decide, in s. */
export const GRANT_LIFETIME_S = 600;
/** Time between two questions of a program, in s. */
export const POLL_INTERVAL_S = 5;
/** What a program may be early, in ms: the way of a question takes longer at one time than at another. */
const POLL_SLACK_MS = 500;
/** Programs that wait at once, and those of one address. */
const MAX_GRANTS = 1000;
const MAX_OF_ADDRESS = 100;
/** Without vowels there are no words, and nothing looks like something else. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const CODE_LENGTH = 8;

/**
 * Programs without a keyboard or a browser ask to be let in, and somebody lets them in elsewhere by the code that they show
 * (OAuth 2.0 device grant, RFC 8628). Codes are held, and looked for, by their hashes: how long that takes tells nothing
 * of them. Nothing is kept over a restart: it is for ten minutes.
 */
export class DeviceGrants {
  readonly #clock: Clock;
  readonly #byDevice = new Map<string, Grant>();
  readonly #byUser = new Map<string, Grant>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of programs that wait. */
  get size(): number {
    return this.#byDevice.size;
  }

  /**
   * Takes up a program.
   * @param address where it asks from
   * @throws IotmpError IOTMP_ERR_BUSY when too many wait
   */
  open(clientId: string, address: string): DeviceCodes {
    this.#forgetExpired();
    const ofAddress = [...this.#byDevice.values()].filter((grant) => grant.address === address);
    if (this.size >= MAX_GRANTS || ofAddress.length >= MAX_OF_ADDRESS) throw busy('too many programs wait');
    const deviceCode = randomBytes(32).toString('base64url');
    const userCode = newUserCode();
    const grant: Grant = {
      deviceKey: keyOf(deviceCode),
      userKey: keyOf(normal(userCode)),
      clientId,
      address,
      expiresAt: this.#clock.now() + GRANT_LIFETIME_S * 1000,
      polledAt: -Infinity,
      decision: undefined,
    };
    this.#byDevice.set(grant.deviceKey, grant);
    this.#byUser.set(grant.userKey, grant);
    return { deviceCode, userCode };
  }

  /** Decides about the program that shows a code, once. Returns what it calls itself; `undefined` when there is none. */
  decide(userCode: string, decision: Approval | 'access_denied'): string | undefined {
    const grant = this.#byUser.get(keyOf(normal(userCode)));
    if (grant === undefined || this.#hasExpired(grant)) return undefined;
    grant.decision = decision;
    this.#byUser.delete(grant.userKey);
    return grant.clientId;
  }

  /** How things stand for a program. Once it is let in, or not, its code is good for nothing more. */
  poll(deviceCode: string, clientId: string): PollResult {
    const grant = this.#byDevice.get(keyOf(deviceCode));
    if (grant?.clientId !== clientId) return 'invalid_grant';
    if (this.#hasExpired(grant)) {
      this.#forget(grant);
      return 'expired_token';
    }
    const now = this.#clock.now();
    const isEarly = now - grant.polledAt < POLL_INTERVAL_S * 1000 - POLL_SLACK_MS;
    grant.polledAt = now;
    if (isEarly) return 'slow_down';
    const { decision } = grant;
    if (decision === undefined) return 'authorization_pending';
    this.#forget(grant);
    return decision !== 'access_denied' && decision.counts() ? decision : 'access_denied';
  }

  #hasExpired({ expiresAt }: Grant): boolean {
    return expiresAt <= this.#clock.now();
  }

  /** They are in the order in which they expire. */
  #forgetExpired(): void {
    for (const grant of this.#byDevice.values()) {
      if (!this.#hasExpired(grant)) return;
      this.#forget(grant);
    }
  }

  #forget({ deviceKey, userKey }: Grant): void {
    this.#byDevice.delete(deviceKey);
    this.#byUser.delete(userKey);
  }
}

function newUserCode(): string {
  const letters = Array.from({ length: CODE_LENGTH }, () => LETTERS.charAt(randomInt(LETTERS.length)));
  return `${letters.slice(0, CODE_LENGTH / 2).join('')}-${letters.slice(CODE_LENGTH / 2).join('')}`;
}

/** People leave out the dash, and write small letters. */
function normal(userCode: string): string {
  return userCode.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

function keyOf(code: string): string {
  return createHash('sha256').update(code).digest('base64');
}
