import { randomUUID } from 'node:crypto';
import { IotmpError } from '../errors';
import type { Clock, Timer } from '../util/clock';
import { guarded, warnProcess, type Guarded } from '../util/guard';

/** How a lock is wanted. */
export interface LockWish {
  /** Stands for who wants it: when it aborts, everything that it holds or waits for is given up. */
  readonly owner: AbortSignal;
  /** Name of this claim among those of its owner; one is made without it. */
  readonly id: string | undefined;
  /** How many may hold the lock at once, this one included. */
  readonly slots: number;
  /** How long to wait for it, in ms; 0 = not at all. */
  readonly waitMs: number;
}

/** A wish that is granted, or waits. */
interface Claim {
  readonly lock: Lock;
  readonly owner: AbortSignal;
  readonly id: string;
  readonly slots: number;
  waiting: LockWait | undefined;
}

interface LockWait {
  readonly resolve: (id: string) => void;
  readonly reject: (error: IotmpError) => void;
  readonly timer: Timer;
}

interface Lock {
  readonly name: string;
  readonly holders: Set<Claim>;
  /** In the order in which they came. */
  readonly waiters: Set<Claim>;
}

/** What one owner holds and waits for. */
interface Estate {
  readonly claims: Set<Claim>;
  readonly onAbort: Guarded<[]>;
}

/** Claims of one owner, held or waiting. Far fewer than the calls that a session works on at once. */
const MAX_CLAIMS = 64;
const MAX_WAITERS = 1024;

/**
 * Locks by name, each with slots. Who comes first is served first: one that wants fewer slots than others is not
 * overtaken by them. What an owner holds is free again when the owner is gone.
 */
export class LockTable {
  readonly #clock: Clock;
  readonly #locks = new Map<string, Lock>();
  readonly #estates = new Map<AbortSignal, Estate>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of locks that somebody holds. */
  get size(): number {
    return this.#locks.size;
  }

  /**
   * Takes a lock, at once or when it is free. Gives the id of the claim. Who holds it under this id already keeps it.
   * @throws IotmpError IOTMP_ERR_LOCKED when it is not free in time, IOTMP_ERR_CONFLICT when the same claim waits
   *   already, IOTMP_ERR_BUSY when too many wait or the owner has too many claims, IOTMP_ERR_ABORTED, IOTMP_ERR_CLOSED;
   *   where the answer is late, as a rejection
   */
  acquire(name: string, wish: LockWish): string | Promise<string> {
    const { owner, id = randomUUID(), slots, waitMs } = wish;
    const earlier = this.#find(name, owner, id);
    if (earlier?.waiting !== undefined) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', 'the same claim waits for this lock already');
    }
    if (earlier !== undefined) return id;
    const lock = this.#locks.get(name) ?? { name, holders: new Set(), waiters: new Set() };
    const isFree = lock.waiters.size === 0 && hasRoom(lock, slots);
    if (!isFree && waitMs === 0) throw lockedError();
    if (lock.waiters.size >= MAX_WAITERS)
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many wait for this lock');
    const claim: Claim = { lock, owner, id, slots, waiting: undefined };
    this.#addToEstate(claim);
    this.#locks.set(name, lock);
    if (!isFree) return this.#wait(claim, waitMs);
    lock.holders.add(claim);
    return id;
  }

  /**
   * Gives a lock back, or waits for it no longer. Without an id it is what the owner holds or waits for longest.
   * @throws IotmpError IOTMP_ERR_CONFLICT when only others hold it, IOTMP_ERR_NOT_FOUND when nobody does
   */
  release(name: string, owner: AbortSignal, id: string | undefined): void {
    const claim = this.#find(name, owner, id);
    if (claim !== undefined) {
      this.#drop(claim, new IotmpError('IOTMP_ERR_ABORTED', 'the claim was given up'));
      return;
    }
    const holders = [...(this.#locks.get(name)?.holders ?? [])];
    if (holders.some((holder) => id === undefined || holder.id === id)) {
      throw new IotmpError('IOTMP_ERR_CONFLICT', 'the lock is held by another');
    }
    throw new IotmpError('IOTMP_ERR_NOT_FOUND', 'the lock is not held');
  }

  /** Ends all claims; those that wait are rejected. */
  close(): void {
    const reason = new IotmpError('IOTMP_ERR_CLOSED', 'locks are no longer offered');
    // Nobody is to get what is freed here.
    for (const { waiters } of [...this.#locks.values()]) {
      for (const claim of [...waiters].reverse()) this.#drop(claim, reason);
    }
    for (const owner of [...this.#estates.keys()]) this.#dropAll(owner, reason);
  }

  #find(name: string, owner: AbortSignal, id: string | undefined): Claim | undefined {
    for (const claim of this.#estates.get(owner)?.claims ?? []) {
      if (claim.lock.name === name && (id === undefined || claim.id === id)) return claim;
    }
    return undefined;
  }

  #wait(claim: Claim, waitMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(waitMs, () => this.#drop(claim, lockedError()));
      claim.waiting = { resolve, reject, timer };
      claim.lock.waiters.add(claim);
    });
  }

  /** Ends a claim; one that waits is rejected. */
  #drop(claim: Claim, reason: IotmpError): void {
    const { lock, waiting } = claim;
    lock.holders.delete(claim);
    lock.waiters.delete(claim);
    waiting?.timer.cancel();
    waiting?.reject(reason);
    this.#takeFromEstate(claim);
    this.#serveNext(lock);
  }

  #dropAll(owner: AbortSignal, reason: IotmpError): void {
    for (const claim of [...(this.#estates.get(owner)?.claims ?? [])]) this.#drop(claim, reason);
  }

  #serveNext(lock: Lock): void {
    for (const claim of lock.waiters) {
      if (!hasRoom(lock, claim.slots)) break;
      lock.waiters.delete(claim);
      lock.holders.add(claim);
      claim.waiting?.timer.cancel();
      claim.waiting?.resolve(claim.id);
      claim.waiting = undefined;
    }
    if (lock.holders.size === 0 && lock.waiters.size === 0) this.#locks.delete(lock.name);
  }

  /** An owner has one listener for all its claims. */
  #addToEstate(claim: Claim): void {
    const { owner } = claim;
    let estate = this.#estates.get(owner);
    if (estate === undefined) {
      const onAbort = guarded('lock owner gone', warnProcess, () =>
        this.#dropAll(owner, new IotmpError('IOTMP_ERR_ABORTED', 'the owner of the claim is gone')),
      );
      estate = { claims: new Set(), onAbort };
      owner.addEventListener('abort', onAbort);
      this.#estates.set(owner, estate);
    }
    if (estate.claims.size >= MAX_CLAIMS)
      throw new IotmpError('IOTMP_ERR_BUSY', 'too many locks of one device');
    estate.claims.add(claim);
  }

  #takeFromEstate(claim: Claim): void {
    const { owner } = claim;
    const estate = this.#estates.get(owner);
    estate?.claims.delete(claim);
    if (estate === undefined || estate.claims.size > 0) return;
    owner.removeEventListener('abort', estate.onAbort);
    this.#estates.delete(owner);
  }
}

/** Whether one more may hold the lock: both for the newcomer, and for each of those who hold it. */
function hasRoom({ holders }: Lock, slots: number): boolean {
  if (holders.size >= slots) return false;
  for (const holder of holders) {
    if (holders.size >= holder.slots) return false;
  }
  return true;
}

function lockedError(): IotmpError {
  return new IotmpError('IOTMP_ERR_LOCKED', 'the lock is held by others');
}
