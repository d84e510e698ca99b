/** A member of a {@link SeniorityQueue}. */
export interface Senior {
  /** Whether the peer has sent anything; once true it stays so. */
  readonly hasSent: boolean;
}

/**
 * Connections in the order of their arrival, to find the one that gives way: the oldest that has sent nothing, then the
 * oldest. Members are looked at when one is wanted, so that the first byte of a connection costs nothing here; each moves
 * once at most.
 */
export class SeniorityQueue<Member extends Senior> {
  readonly #silent = new Set<Member>();
  /** The oldest members, as far as they were found to have sent something. */
  readonly #heard = new Set<Member>();

  get size(): number {
    return this.#silent.size + this.#heard.size;
  }

  /** Adds the youngest member. */
  add(member: Member): void {
    this.#silent.add(member);
  }

  delete(member: Member): void {
    if (!this.#silent.delete(member)) this.#heard.delete(member);
  }

  /** The oldest that has sent nothing. */
  get oldestSilent(): Member | undefined {
    for (const member of this.#silent) {
      if (!member.hasSent) return member;
      this.#silent.delete(member);
      this.#heard.add(member);
    }
    return undefined;
  }

  /** The oldest that has sent something, of those older than {@link oldestSilent}. */
  get oldestHeard(): Member | undefined {
    const [oldest] = this.#heard;
    return oldest;
  }
}
