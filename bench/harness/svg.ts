/** The font of all charts. */
export const FONT = 'font-family="system-ui, sans-serif" font-size="12"';

/** Text at a place of a chart. */
export function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
