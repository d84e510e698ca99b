import type { Sample } from './sample';

/** Part of the run at its beginning that is left out: caches fill, and code is compiled. */
const WARM_UP = 0.25;
const MIB = 2 ** 20;

/** A figure that must not grow: an allowance for noise, and one for each hour. */
interface Limit {
  readonly name: string;
  readonly unit: string;
  readonly valueOf: (sample: Sample) => number;
  readonly among: (sample: Sample) => boolean;
  readonly noise: number;
  readonly perHour: number;
}

const LIMITS: readonly Limit[] = [
  {
    name: 'heap and external memory after a collection',
    unit: 'MiB',
    valueOf: ({ heap, external }) => (heap + external) / MIB,
    among: ({ collected }) => collected,
    noise: 4,
    perHour: 4,
  },
  {
    name: 'handles',
    unit: 'handles',
    valueOf: ({ handles }) => handles,
    among: () => true,
    noise: 10,
    perHour: 5,
  },
];

/** How a figure moved, by the straight line that fits it best. */
export interface Trend {
  readonly name: string;
  readonly unit: string;
  /** What it was on average. */
  readonly mean: number;
  /** How much it grew in the measured part. */
  readonly growth: number;
  readonly allowed: number;
  readonly met: boolean;
}

/** The trends of everything that must not grow. Without enough samples there is none. */
export function trendsOf(samples: readonly Sample[]): Trend[] {
  const end = samples.at(-1)?.minute ?? 0;
  const measured = samples.filter(({ minute }) => minute >= WARM_UP * end);
  return LIMITS.flatMap((limit) => {
    const points = measured
      .filter(limit.among)
      .map((sample) => ({ x: sample.minute, y: limit.valueOf(sample) }));
    return points.length < 3 ? [] : [trendOf(limit, points)];
  });
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function trendOf({ name, unit, noise, perHour }: Limit, points: readonly Point[]): Trend {
  const minutes = points.at(-1)!.x - points[0]!.x;
  const growth = slopeOf(points) * minutes;
  const allowed = noise + (perHour * minutes) / 60;
  return { name, unit, mean: meanOf(points.map(({ y }) => y)), growth, allowed, met: growth <= allowed };
}

/** By least squares. */
function slopeOf(points: readonly Point[]): number {
  const x = meanOf(points.map((point) => point.x));
  const y = meanOf(points.map((point) => point.y));
  const spread = points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) / spread;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
