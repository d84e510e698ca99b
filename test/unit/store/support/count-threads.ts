import { cleanUp } from '../../../support/clean-up';

/** The number of threads that are started until the end of the test. */
export function countThreads(): () => number {
  let count = 0;
  const onWorker = (): number => count++;
  process.on('worker', onWorker);
  cleanUp(() => process.off('worker', onWorker));
  return () => count;
}
