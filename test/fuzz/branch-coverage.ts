import assert from 'node:assert/strict';
import { Session, type Profiler } from 'node:inspector';

/** What ran between two looks: for each function, its characters that ran are 1. */
export type Coverage = ReadonlyMap<string, Uint8Array>;

/** A place that ran: a function, and the first character of a block in it. */
export interface Branch {
  readonly name: string;
  readonly at: number;
}

/** Which branches of some files have ever run, by V8's own counters. One look takes some milliseconds. */
export class BranchCoverage {
  readonly #session = new Session();
  readonly #files: RegExp;
  readonly #ever = new Map<string, Uint8Array>();

  /** Starts to count. @param files matches the addresses of the files that count */
  constructor(files: RegExp) {
    this.#files = files;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Number of branches that have run, functions as a whole included. */
  get count(): number {
    let count = 0;
    for (const ran of this.#ever.values()) {
      for (let at = 0; at < ran.length; at++) if (ran[at] === 1 && ran[at - 1] !== 1) count++;
    }
    return count;
  }

  /** What ran since the last look. */
  take(): Coverage {
    let taken: Profiler.ScriptCoverage[] | undefined;
    // A session of the own thread answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      assert.equal(error, null);
      taken = answer.result;
    });
    assert.ok(taken !== undefined);
    const coverage = new Map<string, Uint8Array>();
    for (const { url, functions } of taken) {
      if (!this.#files.test(url)) continue;
      for (const one of functions) {
        const [whole] = one.ranges;
        if (whole !== undefined && whole.count > 0) {
          coverage.set(`${url}:${one.functionName}:${whole.startOffset}`, paint(one.ranges));
        }
      }
    }
    return coverage;
  }

  /** A branch that ran then and had never been noted. */
  unknown(coverage: Coverage): Branch | undefined {
    for (const [name, ran] of coverage) {
      const ever = this.#ever.get(name);
      if (ever === undefined) return { name, at: 0 };
      for (let at = 0; at < ran.length; at++) if (ran[at] === 1 && ever[at] !== 1) return { name, at };
    }
    return undefined;
  }

  /** Counts what ran as known. */
  note(coverage: Coverage): void {
    for (const [name, ran] of coverage) {
      const ever = this.#ever.get(name);
      if (ever === undefined) this.#ever.set(name, ran);
      else for (let at = 0; at < ran.length; at++) if (ran[at] === 1) ever[at] = 1;
    }
  }

  stop(): void {
    this.#session.disconnect();
  }
}

/** Whether the branch ran. */
export function covers(coverage: Coverage, { name, at }: Branch): boolean {
  return coverage.get(name)?.[at] === 1;
}

/** Inner blocks come after the outer ones, and stand for themselves. */
function paint(ranges: readonly Profiler.CoverageRange[]): Uint8Array {
  const [whole] = ranges;
  const start = whole?.startOffset ?? 0;
  const ran = new Uint8Array((whole?.endOffset ?? 0) - start);
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset - start, endOffset - start);
  }
  return ran;
}
