import { parseArgs } from 'node:util';
import { allTargets } from './all-targets';
import { runCampaign } from './campaign';

// npm run fuzz [-- inputs] [--seed n] [--grow]    runs mutated inputs; --grow keeps those that reach new branches
// npm run fuzz -- --input "<target> <hex>"        runs the one input that broke a rule

const USUAL_INPUTS = 1_000_000;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      grow: { type: 'boolean', default: false },
      input: { type: 'string' },
    },
  });
  if (values.input !== undefined) return runOne(values.input);
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  const { corpus, summary } = await runCampaign({
    seed,
    inputs: Number(positionals[0] ?? USUAL_INPUTS),
    branches: values.grow,
    onProgress: print,
  });
  print(summary);
  if (values.grow) corpus.save();
}

async function runOne(line: string): Promise<void> {
  const [name, digits = ''] = line.split(' ');
  const target = allTargets().find((one) => one.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  print(target.run(Buffer.from(digits, 'hex')));
  await target.settle?.();
  await target.close?.();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  throw error;
});
