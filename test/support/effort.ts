/** Factor of `npm run test:long`; 1 in other runs. */
const EFFORT = Number(process.env.TEST_EFFORT ?? 1);

/** The number of repetitions: the usual one, or a multiple of it in `npm run test:long`. */
export function times(usual: number): number {
  return usual * EFFORT;
}
