import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawTargets } from './chart';
import { writeFormatted } from './formatted-file';
import { DOCS } from './places';
import { drawPlot } from './plot';
import type { StoredResult } from './results';
import { formatResult } from './table';

const BEGIN = '<!-- results: written by `npm run bench` -->';
const END = '<!-- end of results -->';

/** Puts the results into the report, between its marks, and draws the charts beside it. */
export async function writeReport(results: readonly StoredResult[]): Promise<void> {
  mkdirSync(DOCS, { recursive: true });
  writeFileSync(join(DOCS, 'performance.svg'), drawTargets(results));
  for (const plot of results.flatMap(({ plots = [] }) => plots)) {
    writeFileSync(join(DOCS, plot.file), drawPlot(plot));
  }
  const path = join(DOCS, 'performance.md');
  const known = existsSync(path) ? readFileSync(path, 'utf8') : `# Performance\n\n${BEGIN}\n${END}\n`;
  const [before = '', rest = ''] = known.split(BEGIN);
  const [, after = ''] = rest.split(END);
  const sections = results.map(sectionOf).join('\n\n');
  await writeFormatted(path, `${before}${BEGIN}\n\n${sections}\n\n${END}${after}`);
}

function sectionOf(result: StoredResult): string {
  const { title, suite, date, node, cores, processor, plots = [] } = result;
  const machine = `Measured ${date} with Node.js ${node} on ${cores} cores (${processor}).`;
  const pictures = plots.map((plot) => `![${plot.title}](${plot.file})`);
  return [`### ${title} (\`${suite}\`)`, machine, formatResult(result), ...pictures].join('\n\n');
}
