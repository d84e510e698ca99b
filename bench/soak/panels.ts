import { FONT, text } from '../harness/svg';
import type { Sample } from './sample';

const WIDTH = 900;
const LEFT = 60;
const RIGHT = 20;
const PANEL = 150;
const GAP = 46;
const TOP = 44;
const TEXT = '#57606a';
const GRID = '#d8dee4';
const COLORS = ['#1f6feb', '#b3402e', '#2f7d4f'] as const;
const MIB = 2 ** 20;

interface Line {
  readonly label: string;
  readonly valueOf: (sample: Sample) => number;
  readonly among?: (sample: Sample) => boolean;
}

interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const PANELS: readonly Panel[] = [
  {
    title: 'Memory, MiB',
    lines: [
      { label: 'resident', valueOf: ({ rss }) => rss / MIB },
      {
        label: 'heap and external, after a collection',
        valueOf: ({ heap, external }) => (heap + external) / MIB,
        among: ({ collected }) => collected,
      },
    ],
  },
  {
    title: 'Handles',
    lines: [
      { label: 'handles', valueOf: ({ handles }) => handles },
      { label: 'devices', valueOf: ({ devices }) => devices },
    ],
  },
  {
    title: 'A call of the good device, ms',
    lines: [
      { label: '99th percentile', valueOf: ({ p99Ms }) => p99Ms },
      { label: 'median', valueOf: ({ medianMs }) => medianMs },
    ],
  },
  {
    title: 'Longest stall of the event loop, ms',
    lines: [
      { label: 'stall', valueOf: ({ stallMs }) => stallMs },
      { label: 'CPU of the process itself meanwhile', valueOf: ({ stallCpuMs }) => stallCpuMs },
    ],
  },
];

/** The figures of a soak over its time, one panel below the other, in SVG. */
export function drawPanels(samples: readonly Sample[]): string {
  const height = TOP + PANELS.length * (PANEL + GAP);
  const minutes = Math.max(1, samples.at(-1)?.minute ?? 1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${FONT}>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(12, 22, `Soak of ${minutes.toFixed(0)} minutes`, 'font-weight="bold" font-size="14" fill="#24292f"'),
    ...PANELS.flatMap((panel, index) => drawPanel(panel, TOP + index * (PANEL + GAP), samples, minutes)),
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel(
  { title, lines }: Panel,
  top: number,
  samples: readonly Sample[],
  minutes: number,
): string[] {
  const values = lines.flatMap((line) => samples.filter(line.among ?? all).map(line.valueOf));
  const step = niceStep(Math.max(1, ...values) / 4);
  const steps = Math.ceil(Math.max(1, ...values) / step);
  const bottom = top + 16 + PANEL - 16;
  const x = (minute: number): number => LEFT + (minute / minutes) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => bottom - (value / (step * steps)) * (PANEL - 16);
  return [
    text(12, top + 4, title, 'fill="#24292f"'),
    ...Array.from({ length: steps + 1 }, (_, index) => step * index).flatMap((tick) => [
      `<line x1="${LEFT}" y1="${y(tick).toFixed(1)}" x2="${WIDTH - RIGHT}" y2="${y(tick).toFixed(1)}" stroke="${GRID}"/>`,
      text(LEFT - 8, Math.round(y(tick)) + 4, String(tick), `text-anchor="end" fill="${TEXT}"`),
    ]),
    ...minuteTicks(minutes).map((tick) =>
      text(Math.round(x(tick)), bottom + 16, String(tick), `text-anchor="middle" fill="${TEXT}"`),
    ),
    ...lines.flatMap((line, index) => drawLine(line, index, { x, y, top, samples })),
  ];
}

interface Place {
  readonly x: (minute: number) => number;
  readonly y: (value: number) => number;
  readonly top: number;
  readonly samples: readonly Sample[];
}

function drawLine(
  { label, valueOf, among = all }: Line,
  index: number,
  { x, y, top, samples }: Place,
): string[] {
  const color = COLORS[index % COLORS.length]!;
  const points = samples
    .filter(among)
    .map((sample) => `${x(sample.minute).toFixed(1)},${y(valueOf(sample)).toFixed(1)}`);
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="${color}" stroke-width="1.5"/>`,
    text(LEFT + 250 + 230 * index, top + 4, label, `fill="${color}"`),
  ];
}

function all(): boolean {
  return true;
}

function minuteTicks(minutes: number): number[] {
  const step = niceStep(minutes / 8);
  return Array.from({ length: Math.floor(minutes / step) + 1 }, (_, index) => step * index);
}

/** 1, 2 or 5 times a power of ten, at least `size`. */
function niceStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return ([1, 2, 5].find((factor) => factor * power >= size) ?? 10) * power;
}
