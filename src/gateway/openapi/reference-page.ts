import { escaped } from '../http/html';
import type { Route } from '../route';
import type { SocketRoute } from '../sockets/socket-route';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #ddd; padding: .4rem .6rem .4rem 0; vertical-align: top; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 600; width: 4.5rem; }
.old { color: #888; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd; } td { border-color: #444; } }
`;

/** A page for people: what is served, by what it is about. It needs no script, and nothing from elsewhere. */
export function referencePage(
  title: string,
  routes: readonly Route[],
  sockets: readonly SocketRoute[],
): string {
  const assets = [...new Set(routes.map(({ asset }) => asset))];
  const sections = assets.map((asset) =>
    section(
      asset,
      routes.filter((route) => route.asset === asset),
    ),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head>
<body><h1>${escaped(title)}</h1>
<p>Send a token as <code>Authorization: Bearer …</code> or <code>?authorization=…</code>.
The same for machines: <a href="openapi.json">openapi.json</a>.</p>
${sections.join('\n')}
<h2>WebSockets</h2>
<table>${sockets.map((socket) => row({ ...socket, method: 'WS' })).join('\n')}</table>
</body></html>
`;
}

function section(asset: string, routes: readonly Route[]): string {
  return `<h2>${escaped(asset)}</h2>\n<table>${routes.map(row).join('\n')}</table>`;
}

function row({
  method,
  path,
  summary,
  action,
  deprecated = false,
}: Pick<Route, 'path' | 'summary' | 'action' | 'deprecated'> & { method: string }): string {
  const style = deprecated ? ' class="old"' : '';
  return `<tr${style}><td class="method">${escaped(method)}</td><td><code>${escaped(path)}</code><br>${escaped(summary)}</td><td>${escaped(action)}</td></tr>`;
}
