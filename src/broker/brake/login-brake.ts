import { hostOf } from '../../transport/host-and-port';
import { networkOf } from '../../transport/network';
import type { Transport } from '../../transport/transport';
import type { DeviceId } from '../../types';
import type { Clock } from '../../util/clock';
import { AddressBlocks, type AddressBlock } from './address-blocks';
import { HeldRefusals } from './held-refusals';
import { LoginBuckets } from './login-buckets';
import { LoginTry } from './login-try';
import { LoginTurns } from './login-turns';

/**
 * What becomes of a try that is not checked.
 *
 * - `held`: its refusal is held back.
 * - `blocked`: its connection is cut.
 */
export type NotChecked = 'held' | 'blocked';

/** Where a try comes from. */
type Origin = Pick<Transport, 'kind' | 'remoteAddress'>;

/** What a brake tells its server. */
export interface BrakeHooks {
  /** An address is blocked from now on; its last try came from `origin`. */
  onBlocked(block: AddressBlock, origin: Origin): void;
  /** A try or a connection of a blocked address was turned away. */
  onTurnedAway(): void;
}

/**
 * Slows down those who guess credentials. Each try is charged before it is checked, to its address and to its device at
 * that address; a login that succeeds gives the charge back, so that any number of devices with the right credentials get
 * in at once. A try that finds its bucket empty is not checked. An address from which nobody was let in before is then
 * blocked: for 15 s at first, and up to 15 minutes.
 */
export class LoginBrake {
  readonly #buckets: LoginBuckets;
  readonly #turns = new LoginTurns();
  readonly #held: HeldRefusals;
  readonly #blocks: AddressBlocks;
  readonly #hooks: BrakeHooks;

  constructor(clock: Clock, hooks: BrakeHooks) {
    this.#buckets = new LoginBuckets(clock);
    this.#held = new HeldRefusals(clock);
    this.#blocks = new AddressBlocks(clock);
    this.#hooks = hooks;
  }

  /** The addresses that are blocked, the oldest block first. */
  get blocks(): readonly AddressBlock[] {
    return this.#blocks.list;
  }

  /** Ends the block of an address, as {@link blocks} has it. Returns false where there is none. */
  lift(address: string): boolean {
    this.#buckets.refill(address);
    return this.#blocks.lift(address);
  }

  /** Whether a connection from this address is to be cut unread. It is counted then. */
  turnsAway(address: string): boolean {
    return this.#turnsAway(networkOf(hostOf(address)));
  }

  /**
   * Charges a try, perhaps after a wait for others of its address that are being checked.
   * @param signal gives what ends the waiting; it is called only for a try that waits
   */
  charge(
    origin: Origin,
    id: DeviceId,
    signal: () => AbortSignal,
  ): LoginTry | NotChecked | Promise<LoginTry | NotChecked> {
    const network = networkOf(hostOf(origin.remoteAddress));
    if (this.#turnsAway(network)) return 'blocked';
    const charged = this.#buckets.charge(network, id);
    if (typeof charged === 'object') return new LoginTry(charged, this.#buckets, this.#turns);
    if (charged === 'device') return 'held';
    if (!this.#turns.isOpen(network)) return this.#refuse(network, origin);
    return this.#turns
      .wait(network, () => this.#takeTurn(network, id), signal())
      .then((turn) => (turn === 'empty' ? this.#refuse(network, origin) : (turn ?? 'held')));
  }

  /**
   * Holds back the refusal of a try.
   * @returns `undefined` where too many of its address are held back
   */
  hold(address: string, signal: AbortSignal): Promise<void> | undefined {
    return this.#held.hold(networkOf(hostOf(address)), signal);
  }

  /** What becomes of a try at its turn; `undefined` when it has to wait on. */
  #takeTurn(network: string, id: DeviceId): LoginTry | NotChecked | 'empty' | undefined {
    const charged = this.#buckets.charge(network, id);
    if (charged === 'device') return 'held';
    if (charged === 'address') return this.#turns.isOpen(network) ? undefined : 'empty';
    const turn = new LoginTry(charged, this.#buckets, this.#turns);
    // From now on, as others look at the address before it is checked.
    turn.begin();
    return turn;
  }

  #refuse(network: string, origin: Origin): NotChecked {
    if (this.#turnsAway(network)) return 'blocked';
    if (this.#buckets.hasLetIn(network)) return 'held';
    this.#hooks.onBlocked(this.#blocks.add(network), origin);
    return 'blocked';
  }

  #turnsAway(network: string): boolean {
    if (!this.#blocks.turnsAway(network)) return false;
    this.#hooks.onTurnedAway();
    return true;
  }
}
