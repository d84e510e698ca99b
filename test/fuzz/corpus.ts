import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzTarget } from './target';

const FILE = join(__dirname, 'corpus.txt');

/** Inputs that reached something new, for each target; the file has one a line: the target, and the bytes in hex. */
export class Corpus {
  readonly #kept = new Map<string, Buffer[]>();
  /** Kept inputs and the seeds of the target. */
  readonly #all = new Map<string, Buffer[]>();
  readonly #outcomes = new Map<string, Set<string>>();

  static load(): Corpus {
    const corpus = new Corpus();
    for (const line of readFileSync(FILE, 'utf8').split('\n')) {
      const [target, digits] = line.split(' ');
      if (target !== undefined && digits !== undefined) corpus.add(target, Buffer.from(digits, 'hex'));
    }
    return corpus;
  }

  /** Number of kept inputs. */
  get size(): number {
    let size = 0;
    for (const inputs of this.#kept.values()) size += inputs.length;
    return size;
  }

  add(target: string, input: Buffer): void {
    this.#keptOf(target).push(input);
    this.#all.get(target)?.push(input);
  }

  /** The kept inputs of the target, and its seeds. */
  of({ name, seeds }: FuzzTarget): readonly Buffer[] {
    let inputs = this.#all.get(name);
    if (inputs === undefined) this.#all.set(name, (inputs = [...seeds, ...this.#keptOf(name)]));
    return inputs;
  }

  /** Whether an outcome of the target is a new one. */
  noteOutcome(target: string, outcome: string): boolean {
    let outcomes = this.#outcomes.get(target);
    if (outcomes === undefined) this.#outcomes.set(target, (outcomes = new Set()));
    if (outcomes.has(outcome)) return false;
    outcomes.add(outcome);
    return true;
  }

  save(): void {
    const lines = [...this.#kept].flatMap(([target, inputs]) =>
      inputs.map((input) => `${target} ${input.toString('hex')}\n`),
    );
    writeFileSync(FILE, [...new Set(lines)].sort().join(''));
  }

  #keptOf(target: string): Buffer[] {
    let inputs = this.#kept.get(target);
    if (inputs === undefined) this.#kept.set(target, (inputs = []));
    return inputs;
  }
}
