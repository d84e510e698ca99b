import { covers, type Branch, type BranchCoverage, type Coverage } from './branch-coverage';
import type { Corpus } from './corpus';
import { Mutator } from './mutator';
import { Random } from './random';
import { BadInput, type FuzzTarget } from './target';

/** Inputs that wait in a target before they are checked. */
const ROUND = 128;

/** One input of a run. */
interface Shot {
  readonly target: FuzzTarget;
  readonly input: Buffer;
}

/**
 * Gives mutated inputs to targets. Every input follows from the seed, its number and the corpus at that time, so that a
 * range of inputs can be run again to find the one that reached a branch.
 */
export class Fuzzer {
  /** Number of inputs so far, of all and of each target. */
  inputs = 0;
  readonly counts = new Map<string, number>();
  readonly #targets: readonly FuzzTarget[];
  readonly #corpus: Corpus;
  readonly #random: Random;
  readonly #mutator: Mutator;
  readonly #byChance: readonly FuzzTarget[];

  /** @param evenly gives each target as many inputs as any other */
  constructor(targets: readonly FuzzTarget[], corpus: Corpus, seed: number, evenly = false) {
    this.#targets = targets;
    this.#corpus = corpus;
    this.#random = new Random(seed);
    this.#mutator = new Mutator(this.#random);
    this.#byChance = targets.flatMap((target) => Array<FuzzTarget>(evenly ? 1 : target.weight).fill(target));
  }

  /**
   * Runs the next inputs. Those that reach something new are kept in the corpus.
   * @throws BadInput for an input that broke a rule
   */
  async run(count: number, coverage?: BranchCoverage): Promise<void> {
    const [from, to] = [this.inputs, this.inputs + count];
    const fresh: Shot[] = [];
    await this.#range(from, to, (shot, outcome) => {
      this.counts.set(shot.target.name, (this.counts.get(shot.target.name) ?? 0) + 1);
      if (this.#corpus.noteOutcome(shot.target.name, outcome))
        fresh.push({ target: shot.target, input: Buffer.from(shot.input) });
    });
    this.inputs = to;
    const kept = coverage === undefined ? [] : await this.#newBranches(from, to, coverage);
    for (const { target, input } of [...fresh, ...kept]) this.#corpus.add(target.name, input);
  }

  /** Runs what the corpus holds, and the seeds of the targets. What they reach is not new. */
  async runCorpus(coverage?: BranchCoverage): Promise<void> {
    for (const target of this.#targets) {
      for (const input of this.#corpus.of(target)) {
        this.#corpus.noteOutcome(target.name, fire({ target, input }));
        if ((target.waiting ?? 0) >= ROUND) await target.settle?.();
      }
      await target.settle?.();
    }
    coverage?.note(coverage.take());
  }

  async #range(from: number, to: number, hear?: (shot: Shot, outcome: string) => void): Promise<void> {
    for (let number = from; number < to; number++) {
      const shot = this.#shot(number);
      const outcome = fire(shot);
      hear?.(shot, outcome);
      if ((shot.target.waiting ?? 0) >= ROUND) await shot.target.settle?.();
    }
    for (const target of this.#targets) await target.settle?.();
  }

  #shot(number: number): Shot {
    const random = this.#random;
    random.moveTo(number);
    const target = random.pick(this.#byChance);
    const inputs = this.#corpus.of(target);
    const mutator = this.#mutator;
    mutator.mutate(random.pick(inputs), random.pick(inputs));
    if (target.framed === true && random.below(4) > 0) mutator.frame();
    if (target.framed === true && random.below(3) === 0) mutator.append(random.pick(inputs));
    return { target, input: mutator.result };
  }

  async #newBranches(from: number, to: number, coverage: BranchCoverage): Promise<Shot[]> {
    const reached = coverage.take();
    const found: Shot[] = [];
    for (;;) {
      const branch = coverage.unknown(reached);
      if (branch === undefined) return found;
      const shot = await this.#find(branch, from, to, coverage);
      if (shot === undefined) {
        // What was reached once and not again depends on more than the input.
        coverage.note(reached);
        return found;
      }
      const smaller = await this.#minimised(shot, branch, coverage);
      coverage.note(await this.#coverageOf(smaller, coverage));
      found.push(smaller);
    }
  }

  async #find(branch: Branch, from: number, to: number, coverage: BranchCoverage): Promise<Shot | undefined> {
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      await this.#range(low, middle);
      if (covers(coverage.take(), branch)) high = middle;
      else low = middle;
    }
    const { target, input } = this.#shot(low);
    const shot = { target, input: Buffer.from(input) };
    return covers(await this.#coverageOf(shot, coverage), branch) ? shot : undefined;
  }

  /** Takes away what the branch does not need, half of the rest at first, and in the end byte by byte. */
  async #minimised(shot: Shot, branch: Branch, coverage: BranchCoverage): Promise<Shot> {
    let smallest = shot;
    for (let size = shot.input.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at + size <= smallest.input.length;) {
        const { input, target } = smallest;
        const smaller = { target, input: Buffer.concat([input.subarray(0, at), input.subarray(at + size)]) };
        if (covers(await this.#coverageOf(smaller, coverage), branch)) smallest = smaller;
        else at += size;
      }
    }
    return smallest;
  }

  async #coverageOf(shot: Shot, coverage: BranchCoverage): Promise<Coverage> {
    fire(shot);
    await shot.target.settle?.();
    return coverage.take();
  }
}

function fire({ target, input }: Shot): string {
  const { stackTraceLimit } = Error;
  // Nearly every input ends in an error, and stacks would take most of the time.
  Error.stackTraceLimit = 0;
  try {
    return target.run(input);
  } catch (error) {
    throw new BadInput(target.name, input, error);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
