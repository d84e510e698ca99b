/** Measures each contender in turn, as often as there are rounds: A B C, A B C ... */
export async function interleave<T>(
  rounds: number,
  contenders: readonly T[],
  measure: (contender: T) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) await measure(contender);
  }
}
