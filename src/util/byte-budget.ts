/** Bounds of a {@link ByteBudget}, in bytes. */
export interface ByteBudgetLimits {
  readonly perOwner: number;
  readonly total: number;
}

/**
 * Bytes that several owners hold of one budget: each owner has a bound, and all together have one. For bytes without an
 * owner, only the bound of all counts.
 */
export class ByteBudget {
  readonly #limits: () => ByteBudgetLimits;
  readonly #owners = new Map<string, number>();
  #bytes = 0;

  constructor(limits: () => ByteBudgetLimits) {
    this.#limits = limits;
  }

  /** Bytes that all owners hold. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that an owner holds. */
  bytesOf(owner: string | undefined): number {
    return owner === undefined ? 0 : (this.#owners.get(owner) ?? 0);
  }

  /** Bytes that an owner may still take. */
  room(owner: string | undefined): number {
    const { perOwner, total } = this.#limits();
    const own = owner === undefined ? Infinity : perOwner - this.bytesOf(owner);
    return Math.max(0, Math.min(own, total - this.#bytes));
  }

  /** Takes bytes. Returns false, and takes none, where there is no room for them. */
  take(owner: string | undefined, bytes: number): boolean {
    if (bytes > this.room(owner)) return false;
    this.change(owner, bytes);
    return true;
  }

  /** Notes that an owner holds more bytes, or fewer. */
  change(owner: string | undefined, bytes: number): void {
    const own = this.bytesOf(owner) + bytes;
    this.#bytes += bytes;
    if (owner === undefined) return;
    if (own > 0) this.#owners.set(owner, own);
    else this.#owners.delete(owner);
  }
}
