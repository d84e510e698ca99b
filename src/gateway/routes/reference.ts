import { openApiDocument } from '../openapi/openapi-document';
import { readPageFile } from '../openapi/page-files';
import { PAGE_FILES, PAGE_POLICY, PAGE_SCRIPT, referencePage } from '../openapi/reference-page';
import { text } from '../http/answer';
import { notFound } from '../http/request-error';
import { PLAIN, route, type Route } from '../route';
import type { SocketRoute } from '../sockets/socket-route';
import { publicPath } from './host';
import { API_VERSION } from './server';

const ABOUT = {
  ...PLAIN,
  method: 'GET',
  asset: 'Server',
  access: 'public',
  action: 'ReadReference',
} as const;
const TITLE = 'IoTMP server';
const DESCRIPTION = 'Devices and their resources over HTTP and WebSocket.';
const PAGE_HEADERS = { 'Content-Security-Policy': PAGE_POLICY };
const KEPT = { 'Cache-Control': 'public, max-age=3600' };

/**
 * The document with the address of the server, which depends on how it was asked for. Without a path it is relative to the
 * document: a proxy may have taken a prefix away without a word.
 */
function withServer(document: string, path: string): string {
  const servers = JSON.stringify([{ url: path === '' ? './' : path }]);
  return `{"servers":${servers},${document.slice(1)}`;
}

/** What the page loads. */
const PAGE_ROUTES: readonly Route[] = [
  ...Object.entries(PAGE_FILES).map(([name, type]) =>
    route({
      ...ABOUT,
      path: `/openapi/${name}`,
      summary: 'The renderer of the page',
      hidden: true,
      produces: type,
      async handle() {
        const content = await readPageFile(name);
        if (content === undefined) throw notFound('the renderer of the page is not there');
        return { status: 200, type: `${type}; charset=utf-8`, body: content, headers: KEPT };
      },
    }),
  ),
  route({
    ...ABOUT,
    path: '/openapi/start.js',
    summary: 'Starts the renderer',
    hidden: true,
    produces: 'text/javascript',
    handle: () => text('text/javascript', PAGE_SCRIPT, KEPT),
  }),
];

/** What describes the other routes, and itself. */
export function referenceRoutes(routes: readonly Route[], sockets: readonly SocketRoute[]): readonly Route[] {
  const made = new Map<string, string>();
  const once = (key: string, make: () => string): string => {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known;
  };
  const own: Route[] = [
    route({
      ...ABOUT,
      path: '/openapi.json',
      summary: 'Read the OpenAPI 3.1 document of all this',
      produces: 'application/json',
      handle: ({ context: { basePath }, request }) => {
        const info = { title: TITLE, version: API_VERSION, description: DESCRIPTION };
        const document = once('document', () =>
          JSON.stringify(openApiDocument(info, [...routes, ...own], sockets)),
        );
        return text('application/json', withServer(document, publicPath(request, basePath)));
      },
    }),
    route({
      ...ABOUT,
      path: '/openapi.html',
      summary: 'Read the same as a page',
      produces: 'text/html',
      handle: () => {
        const page = once('page', () => referencePage(TITLE, [...routes, ...own], sockets));
        return text('text/html', page, PAGE_HEADERS);
      },
    }),
  ];
  return [...own, ...PAGE_ROUTES];
}
