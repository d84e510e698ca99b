import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { allTargets } from './all-targets';
import { BranchCoverage } from './branch-coverage';
import { Corpus } from './corpus';
import { Fuzzer } from './fuzzer';

/** How long, and what for. */
export interface CampaignOptions {
  readonly seed: number;
  /** Inputs after which it ends. */
  readonly inputs: number;
  /** Time after which it ends, in ms. */
  readonly timeMs?: number;
  /**
   * Whether V8 counts branches: inputs are kept by branches as well as by outcomes, all targets get as many, and the
   * whole takes ten times as long.
   */
  readonly branches?: boolean;
  /** Hears of the progress every ten seconds. */
  readonly onProgress?: (line: string) => void;
}

const BATCH = 20_000;
/** Batches with branches are short at first, as each new branch is searched in its batch. */
const BATCH_WITH_BRANCHES = 5_000;
const PROGRESS_MS = 10_000;
/** Inputs after which the memory is looked at, and how much it may have grown since the first look, in bytes. */
const MEMORY_CHECK = 1_000_000;
const MAX_GROWTH = 64 * 2 ** 20;

/** What came of a campaign. */
export interface CampaignResult {
  readonly corpus: Corpus;
  /** Inputs that it began with. */
  readonly kept: number;
  readonly summary: string;
}

/**
 * Gives inputs to all targets until it is enough.
 * @throws BadInput for an input that broke a rule
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { seed, inputs, timeMs = Infinity, onProgress = () => undefined } = options;
  const corpus = Corpus.load();
  const kept = corpus.size;
  const targets = allTargets();
  const fuzzer = new Fuzzer(targets, corpus, seed, options.branches);
  const coverage = options.branches === true ? new BranchCoverage(/\/src\//) : undefined;
  const faults: string[] = [];
  // Callbacks that threw become warnings of the process.
  const onFault = (warning: Error): void => {
    if (warning.name.startsWith('Iotmp')) faults.push(warning.message);
  };
  process.on('warning', onFault);
  const began = performance.now();
  const elapsed = (): number => performance.now() - began;
  const memory = new MemoryWatch();
  const batch = coverage === undefined ? BATCH : BATCH_WITH_BRANCHES;
  let toldAt = 0;
  try {
    await fuzzer.runCorpus(coverage);
    while (fuzzer.inputs < inputs && elapsed() < timeMs) {
      await fuzzer.run(Math.min(batch, inputs - fuzzer.inputs), coverage);
      assert.deepEqual(faults, []);
      memory.check(fuzzer.inputs);
      if (elapsed() - toldAt < PROGRESS_MS) continue;
      toldAt = elapsed();
      onProgress(describe());
    }
    for (const target of targets) await target.close?.();
    return { corpus, kept, summary: describe() };
  } finally {
    coverage?.stop();
    process.off('warning', onFault);
  }

  function describe(): string {
    const seconds = elapsed() / 1000;
    const counts = [...fuzzer.counts].map(([name, count]) => `${name} ${count}`).join(', ');
    const branches = coverage === undefined ? '' : `, ${coverage.count} branches`;
    return (
      `seed ${seed}: ${fuzzer.inputs} inputs in ${seconds.toFixed(0)} s, ${(fuzzer.inputs / seconds).toFixed(0)}/s; ` +
      `${corpus.size - kept} kept beside ${kept}${branches}; ${counts}; ${memory.text}`
    );
  }
}

/** Looks whether memory stays what it was, after a collection. */
class MemoryWatch {
  readonly #collect: () => void;
  #first: number | undefined;
  #latest = 0;
  #nextAt = 0;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  get text(): string {
    return `memory ${mebibytes(this.#first ?? 0)} -> ${mebibytes(this.#latest)}`;
  }

  check(inputs: number): void {
    if (inputs < this.#nextAt) return;
    this.#nextAt = inputs + MEMORY_CHECK;
    this.#collect();
    const { heapUsed, external } = process.memoryUsage();
    this.#latest = heapUsed + external;
    this.#first ??= this.#latest;
    assert.ok(this.#latest < this.#first + MAX_GROWTH, `memory has grown: ${this.text}`);
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
