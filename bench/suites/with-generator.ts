import { buildGenerator, NO_GENERATOR, type GeneratorProgram } from '../harness/build-generator';
import type { Suite, SuiteResult, Thoroughness } from '../harness/suite';
import { skipped } from './skipped';

/** A suite whose load comes from the generator: where that cannot be built, it says so in place of a result. */
export function withGenerator(
  suite: Omit<Suite, 'run'>,
  measure: (program: GeneratorProgram, how: Thoroughness) => Promise<SuiteResult>,
): Suite {
  return {
    ...suite,
    async run(how) {
      const program = buildGenerator();
      return program === undefined ? skipped(suite.name, suite.title, NO_GENERATOR) : measure(program, how);
    },
  };
}
