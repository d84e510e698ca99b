import { isMet, type Goal, type SuiteResult } from './suite';
import type { Summary } from './statistics';

const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A number with three digits that mean something. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  for (const [size, unit] of UNITS) {
    if (Math.abs(value) >= size) return `${digits(value / size)} ${unit}`;
  }
  return digits(value);
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function formatSummary({ median, min, max }: Summary): string {
  if (!Number.isFinite(median)) return '-';
  return min === max
    ? formatNumber(median)
    : `${formatNumber(median)} (${formatNumber(min)}-${formatNumber(max)})`;
}

function formatVerdict(goal: Goal, format: (target: number) => string): string {
  const met = isMet(goal);
  if (goal.target === undefined || met === undefined) return '';
  const sign = goal.better === 'more' ? '>=' : '<=';
  return `${sign} ${format(goal.target)} ${met ? 'met' : 'MISSED'}`;
}

/** The rows of a Markdown table, aligned so that it can be read on a terminal, too. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}

/** Medians and ranges of a suite, one table for each set of metrics. */
export function formatRows({ rows }: SuiteResult): string {
  const bySet = Map.groupBy(rows, ({ metrics }) => Object.keys(metrics).join('|'));
  const tables = [...bySet.values()].map((set) => {
    const metrics = Object.keys(set[0]?.metrics ?? {});
    const cells = set.map(({ scenario, contender, metrics: values }) => [
      scenario,
      contender,
      ...metrics.map((metric) => {
        const summary = values[metric];
        return summary === undefined ? '-' : formatSummary(summary);
      }),
    ]);
    return table(['scenario', 'contender', ...metrics], cells);
  });
  return tables.join('\n\n');
}

/** The ratios of a suite and whether they reach their targets. */
export function formatRatios({ ratios }: SuiteResult): string {
  if (ratios.length === 0) return '';
  const cells = ratios.map((ratio) => [ratio.name, ratio.value.toFixed(2), formatVerdict(ratio, String)]);
  return table(['ratio', 'value', 'target'], cells);
}

/** The figures of a suite that have targets of their own, and whether they reach them. */
export function formatChecks({ checks = [] }: SuiteResult): string {
  if (checks.length === 0) return '';
  const cells = checks.map((check) => {
    const format = (value: number): string => `${formatNumber(value)} ${check.unit}`;
    return [check.name, format(check.value), formatVerdict(check, format)];
  });
  return table(['figure', 'value', 'target'], cells);
}

/** All that a suite has to say. */
export function formatResult(result: SuiteResult): string {
  const parts = [result.notes.join('\n'), formatRows(result), formatRatios(result), formatChecks(result)];
  return parts.filter((part) => part !== '').join('\n\n');
}
