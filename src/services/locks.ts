import { randomUUID } from 'node:crypto';
import type { IotmpServer } from '../broker/broker';
import { ServiceCode } from '../codec/constants';
import { sharedRequest } from '../rights/device-request';
import type { DeviceRights } from '../rights/device-rights';
import { isMap, type Value } from '../types';
import { systemClock, type Clock } from '../util/clock';
import { userKey } from '../util/device-key';
import { LockTable } from './lock-table';
import type { Service, ServiceCall, ServiceOffer } from './service';
import { badRequest, serviceName } from './service-name';

/** Options of {@link Locks}. */
export interface LocksOptions {
  /** Time that a device waits if its request has no timeout, in ms. 5000 by default. */
  readonly waitMs?: number;
  readonly clock?: Clock;
}

/** Below the 10 s after which devices stop waiting for an answer. A device would not know of a lock granted later. */
const DEFAULT_WAIT_MS = 5_000;
/** Devices hold slots and timeout in 16 bits. */
const MAX_NUMBER = 65_535;
/** The longest time of a timer, in ms: a waiting claim has its own timeout. */
const AS_LONG_AS_THE_WISH = 2 ** 31 - 1;

/**
 * Services 6 and 7: locks (`protocol.md` section 7). Each user has separate locks. A device asks for a lock with
 * `{lock?, slots?, timeout?}`: `lock` names the claim, `slots` is the maximum number of holders at once (1), `timeout` is
 * the time to wait, in s (5; 0 = no waiting). The answer is `{lock}`, which unlocks. Devices are served in the order of
 * their requests. A lock is free again when its device unlocks it or disconnects. It does not expire. When rules take the
 * right from a device, it waits no longer; what it holds already stays its own, since it cannot be told, and it may unlock it.
 *
 * Refused are: a malformed request (400), a lock that is not free in time (423), the same claim again while it waits
 * (409), too many claims (503), and to unlock a lock that another device holds (409) or that is free (404).
 */
export class Locks implements Service {
  readonly offers: readonly ServiceOffer[] = [
    {
      code: ServiceCode.LOCK,
      name: 'lock',
      action: 'Lock',
      timeoutMs: AS_LONG_AS_THE_WISH,
      run: (call) => this.#lock(call),
    },
    { code: ServiceCode.UNLOCK, name: 'unlock', run: (call) => this.#unlock(call) },
  ];
  readonly #table: LockTable;
  readonly #rights: DeviceRights;
  readonly #waitMs: number;

  constructor(
    server: Pick<IotmpServer, 'limits'>,
    rights: DeviceRights,
    { waitMs = DEFAULT_WAIT_MS, clock = systemClock }: LocksOptions = {},
  ) {
    this.#waitMs = waitMs;
    this.#rights = rights;
    this.#table = new LockTable(clock, () => server.limits);
  }

  /** Number of locks that are held. */
  get size(): number {
    return this.#table.size;
  }

  close(): void {
    this.#table.close();
  }

  #lock(call: ServiceCall): unknown {
    const name = lockName(call);
    const { lock, slots, timeout } = mapOf(call.payload);
    const waitMs = timeout === undefined || timeout === null ? this.#waitMs : seconds(timeout) * 1000;
    const id = claimId(lock) ?? randomUUID();
    const granted = this.#table.acquire(name, { owner: call.signal, id, slots: slotCount(slots), waitMs });
    return typeof granted === 'string' ? { lock: granted } : this.#wait(call, id, granted);
  }

  async #wait(call: ServiceCall, id: string, granted: Promise<string>): Promise<unknown> {
    const request = sharedRequest(call.caller, 'Lock', serviceName(call.parameters));
    const release = this.#rights.hold(request, (reason) =>
      this.#table.release(lockName(call), call.signal, id, reason),
    );
    try {
      return { lock: await granted };
    } finally {
      release();
    }
  }

  #unlock(call: ServiceCall): void {
    const name = lockName(call);
    if (!this.#table.isClaimed(name, call.signal))
      this.#rights.checkShared(call.caller, 'Lock', serviceName(call.parameters));
    this.#table.release(name, call.signal, claimId(mapOf(call.payload).lock));
  }
}

/** The key of a lock. Users do not share locks. */
function lockName({ caller, parameters }: ServiceCall): string {
  return userKey(caller.user, serviceName(parameters));
}

function mapOf(payload: Value | undefined): Record<string, Value> {
  if (payload === undefined || payload === null) return {};
  if (!isMap(payload)) throw badRequest('{lock, slots, timeout} expected');
  return payload;
}

/** The name of a claim. Devices send an empty text if they give no name. */
function claimId(lock: Value | undefined): string | undefined {
  return lock === undefined || lock === null || lock === '' ? undefined : serviceName(lock);
}

function slotCount(slots: Value | undefined): number {
  if (slots === undefined || slots === null) return 1;
  if (typeof slots === 'number' && Number.isInteger(slots) && slots >= 1 && slots <= MAX_NUMBER) return slots;
  throw badRequest(`slots must be a whole number from 1 to ${MAX_NUMBER}`);
}

function seconds(timeout: Value): number {
  if (typeof timeout === 'number' && timeout >= 0 && timeout <= MAX_NUMBER) return timeout;
  throw badRequest(`timeout must be 0 to ${MAX_NUMBER} s`);
}
