import type { StoredResult } from './results';
import { isMet, type Goal } from './suite';
import { FONT, text } from './svg';

const WIDTH = 900;
const LABELS = 470;
const ROW = 20;
const TOP = 56;
const Color = { met: '#2f7d4f', missed: '#b3402e', text: '#57606a', line: '#8c959f' } as const;

/** A bar of the chart: how far a value is past its target; 1 is the target itself. */
interface Bar {
  readonly label: string;
  readonly margin: number;
  readonly met: boolean;
}

/** Everything that has a target as bars on a logarithmic scale, with the target as a line, in SVG. */
export function drawTargets(results: readonly StoredResult[]): string {
  const bars = results.flatMap(({ suite, ratios, checks = [] }) =>
    [...ratios, ...checks].flatMap((goal) => toBar(suite, goal)),
  );
  const reach = Math.max(2, ...bars.map(({ margin }) => Math.max(margin, 1 / margin)));
  const span = (WIDTH - LABELS - 70) / 2;
  const x = (margin: number): number => LABELS + 10 + span + (Math.log(margin) / Math.log(reach)) * span;
  const height = TOP + bars.length * ROW + 12;
  const zero = x(1).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${FONT}>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(12, 22, 'Results against their targets', 'font-weight="bold" font-size="14" fill="#24292f"'),
    text(12, 40, 'Logarithmic; right of the line is better than the target', `fill="${Color.text}"`),
    ...bars.flatMap((bar, index) => drawBar(bar, TOP + index * ROW, x)),
    `<line x1="${zero}" x2="${zero}" y1="${TOP - 6}" y2="${height - 8}" stroke="${Color.line}"/>`,
    '</svg>',
    '',
  ].join('\n');
}

function toBar(suite: string, goal: Goal): Bar[] {
  const { target, better, value, name } = goal;
  if (target === undefined || !(value > 0)) return [];
  const margin = better === 'more' ? value / target : target / value;
  return [{ label: `${suite}: ${name}`, margin, met: isMet(goal) === true }];
}

function drawBar({ label, margin, met }: Bar, y: number, x: (margin: number) => number): string[] {
  const start = Math.min(x(1), x(margin));
  const width = Math.max(1, Math.abs(x(margin) - x(1)));
  const color = met ? Color.met : Color.missed;
  const end = margin >= 1 ? start + width + 4 : x(1) + 4;
  return [
    text(LABELS, y + 13, label, `text-anchor="end" fill="${Color.text}"`),
    `<rect x="${start.toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="${ROW - 7}" fill="${color}"/>`,
    text(Number(end.toFixed(1)), y + 13, `${margin.toFixed(2)} x`, `fill="${color}"`),
  ];
}
