/** A part of the package under attack. */
export interface FuzzTarget {
  readonly name: string;
  /** How many of the inputs it gets, in proportion to the others. */
  readonly weight: number;
  /** Inputs to begin with. */
  readonly seeds: readonly Buffer[];
  /** Inputs are whole messages: most mutations get their size right, and some are followed by another input. */
  readonly framed?: boolean;
  /**
   * Takes an input, which is only lent: the next one may lie in the same bytes.
   * @returns a short word for what came of it, such as a code of an error; there are few of them
   * @throws whatever breaks a rule
   */
  run(input: Buffer): string;
  /**
   * Waits for what the inputs since the last call have begun, and checks it.
   * @throws BadInput for an input that broke a rule, or anything else
   */
  settle?(): Promise<void>;
  /** Inputs that wait for `settle`. */
  readonly waiting?: number;
  close?(): Promise<void>;
}

/** An input that broke a rule. */
export class BadInput extends Error {
  constructor(target: string, input: Buffer, cause: unknown) {
    super(`${target} ${input.toString('hex')}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'BadInput';
  }
}
