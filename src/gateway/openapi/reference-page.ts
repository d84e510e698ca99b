import { escaped } from '../http/html';
import type { Route } from '../route';
import type { SocketRoute } from '../sockets/socket-route';

/** The media types of the files that the page loads, by their names below its own path. */
export const PAGE_FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

/** What the page may load: what comes from this server, and nothing else. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; base-uri 'none'; form-action 'none'";

const STYLE = `
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; }
header, noscript, section.sockets { display: block; max-width: 1460px; margin: 0 auto; padding: 1rem 20px; box-sizing: border-box; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8886; padding: .4rem .6rem .4rem 0; vertical-align: top; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
.method { font-weight: 600; width: 4.5rem; }
.old { color: #888; }
.swagger-ui .info { margin: 1rem 0; }
.swagger-ui .opblock .opblock-summary-path { max-width: none; }
@media (max-width: 640px) {
  .sockets tr, .sockets td { display: block; width: auto; border: 0; padding: 0; }
  .sockets tr { border-top: 1px solid #8886; padding: .4rem 0; }
  .swagger-ui .wrapper { padding: 0 8px; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock .opblock-summary-description { flex-basis: 100%; padding: 4px 0 0 4px; }
  .swagger-ui .scheme-container .schemes { flex-wrap: wrap; }
  .swagger-ui table.parameters, .swagger-ui table.parameters > thead, .swagger-ui table.parameters > tbody,
  .swagger-ui table.parameters > tbody > tr, .swagger-ui table.parameters > tbody > tr > td { display: block; width: auto; }
  .swagger-ui table.parameters > thead { display: none; }
  .swagger-ui .parameters-col_description input, .swagger-ui .parameters-col_description select { max-width: 100%; }
  .swagger-ui pre, .swagger-ui .opblock-body pre { overflow-x: auto; }
  .swagger-ui .response-col_status { width: auto; }
}
@media (prefers-color-scheme: dark) { body { background: #1c2022; color: #ddd; } a { color: #8bb8ff; } }
`;

/** Starts the renderer, dark where the rest of the screen is. */
export const PAGE_SCRIPT = `'use strict';
const dark = matchMedia('(prefers-color-scheme: dark)');
const show = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', show);
show();
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  filter: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  validatorUrl: null,
  queryConfigEnabled: false,
});
`;

/**
 * A page for people: contents, parameters, bodies, answers and examples, and "try it" with a token. It loads only what this
 * server has. Without scripts it is a list of what is served.
 */
export function referencePage(
  title: string,
  routes: readonly Route[],
  sockets: readonly SocketRoute[],
): string {
  const shown = routes.filter(({ hidden }) => hidden !== true);
  const assets = [...new Set(shown.map(({ asset }) => asset))];
  const sections = assets.map((asset) =>
    section(
      asset,
      shown.filter((route) => route.asset === asset),
    ),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="openapi/swagger-ui.css"><style>${STYLE}</style></head>
<body>
<header>Send a token as <code>Authorization: Bearer …</code> or <code>?authorization=…</code>; for "Try it", press "Authorize".
The same for machines: <a href="openapi.json">openapi.json</a>. WebSockets are <a href="#sockets">at the end</a>.</header>
<div id="reference"></div>
<noscript>${sections.join('\n')}</noscript>
<section class="sockets" id="sockets"><h2>WebSockets</h2>
<table>${sockets.map((socket) => row({ ...socket, method: 'WS' })).join('\n')}</table></section>
<script src="openapi/swagger-ui-bundle.js"></script><script src="openapi/start.js"></script>
</body></html>
`;
}

function section(asset: string, routes: readonly Route[]): string {
  return `<h2>${escaped(asset)}</h2>\n<table>${routes.map(row).join('\n')}</table>`;
}

type Shown = Pick<Route, 'path' | 'summary' | 'action' | 'method' | 'deprecated'>;

function row({ method, path, summary, action, deprecated = false }: Shown): string {
  const style = deprecated ? ' class="old"' : '';
  return `<tr${style}><td class="method">${escaped(method)}</td><td><code>${escaped(path)}</code><br>${escaped(summary)}</td><td>${escaped(action)}</td></tr>`;
}
