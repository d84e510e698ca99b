import type { Line, Plot } from './suite';
import { FONT, text } from './svg';
import { formatNumber } from './table';

const WIDTH = 900;
const HEIGHT = 420;
const LEFT = 60;
const RIGHT = 20;
const TOP = 56;
const BOTTOM = 50;
const LEGEND_ROW = 18;
const COLORS = ['#1f6feb', '#2f7d4f', '#b3402e', '#8250df', '#9a6700', '#57606a'] as const;
const TEXT = '#57606a';
const GRID = '#d8dee4';

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}

/** Lines over a logarithmic axis, with the range of the rounds at each point, in SVG. */
export function drawPlot(plot: Plot): string {
  const scales = scalesOf(plot.lines);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ${FONT}>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(12, 22, plot.title, 'font-weight="bold" font-size="14" fill="#24292f"'),
    text(12, 42, plot.y, `fill="${TEXT}"`),
    text((LEFT + WIDTH) / 2, HEIGHT - 12, plot.x, `text-anchor="middle" fill="${TEXT}"`),
    ...drawGrid(scales),
    ...plot.lines.flatMap((line, index) => drawLine(line, colorOf(index), scales)),
    ...plot.lines.flatMap((line, index) => drawLegend(line, colorOf(index), plot.lines.length - index)),
    '</svg>',
    '',
  ].join('\n');
}

function scalesOf(lines: readonly Line[]): Scales {
  const points = lines.flatMap((line) => line.points);
  const exponents = points.map(({ x }) => Math.log10(x));
  const first = Math.floor(Math.min(...exponents));
  const last = Math.max(first + 1, Math.ceil(Math.max(...exponents)));
  const step = niceStep(Math.max(...points.map(({ y }) => y.max)) / 5);
  const steps = Math.ceil(Math.max(...points.map(({ y }) => y.max)) / step);
  const width = WIDTH - LEFT - RIGHT;
  const height = HEIGHT - TOP - BOTTOM;
  return {
    x: (value) => LEFT + ((Math.log10(value) - first) / (last - first)) * width,
    y: (value) => HEIGHT - BOTTOM - (value / (step * steps)) * height,
    xTicks: Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)),
    yTicks: Array.from({ length: steps + 1 }, (_, index) => step * index),
  };
}

/** 1, 2 or 5 times a power of ten, at least `size`. */
function niceStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  return ([1, 2, 5].find((factor) => factor * power >= size) ?? 10) * power;
}

function drawGrid({ x, y, xTicks, yTicks }: Scales): string[] {
  const line = (x1: number, y1: number, x2: number, y2: number): string =>
    `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${GRID}"/>`;
  return [
    ...yTicks.flatMap((tick) => [
      line(LEFT, y(tick), WIDTH - RIGHT, y(tick)),
      text(LEFT - 8, Math.round(y(tick)) + 4, formatNumber(tick), `text-anchor="end" fill="${TEXT}"`),
    ]),
    ...xTicks.flatMap((tick) => [
      line(x(tick), TOP, x(tick), HEIGHT - BOTTOM),
      text(
        Math.round(x(tick)),
        HEIGHT - BOTTOM + 16,
        tick.toLocaleString('en'),
        `text-anchor="middle" fill="${TEXT}"`,
      ),
    ]),
  ];
}

function drawLine({ points }: Line, color: string, { x, y }: Scales): string[] {
  const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y.median).toFixed(1)}`).join(' ');
  return [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...points.flatMap(({ x: at, y: { median, min, max } }) => {
      const left = x(at).toFixed(1);
      return [
        `<line x1="${left}" x2="${left}" y1="${y(min).toFixed(1)}" y2="${y(max).toFixed(1)}" stroke="${color}"/>`,
        `<circle cx="${left}" cy="${y(median).toFixed(1)}" r="3" fill="${color}"/>`,
      ];
    }),
  ];
}

/** The names of the lines stand above the axis, where a line that begins with 0 leaves room. */
function drawLegend({ label }: Line, color: string, fromBelow: number): string[] {
  const y = HEIGHT - BOTTOM - fromBelow * LEGEND_ROW;
  return [
    `<rect x="${LEFT + 14}" y="${y}" width="14" height="4" fill="${color}"/>`,
    text(LEFT + 34, y + 6, label, `fill="${color}"`),
  ];
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? TEXT;
}
