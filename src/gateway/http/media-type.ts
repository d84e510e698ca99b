const TYPES: Readonly<Record<string, string>> = {
  bmp: 'image/bmp',
  css: 'text/css',
  csv: 'text/csv',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html',
  html: 'text/html',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  log: 'text/plain',
  md: 'text/markdown',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
  wav: 'audio/wav',
  webp: 'image/webp',
  xml: 'application/xml',
  yaml: 'text/yaml',
  yml: 'text/yaml',
  zip: 'application/zip',
};

const BYTES = 'application/octet-stream';

/** What a file is, by the end of its name: clients read text and JSON as such. */
export function mediaTypeOf(path: string): string {
  const [, ending = ''] = /\.(\w{1,8})$/.exec(path.toLowerCase()) ?? [];
  const type = Object.hasOwn(TYPES, ending) ? (TYPES[ending] ?? BYTES) : BYTES;
  return type.startsWith('text/') || type === 'application/json' ? `${type}; charset=utf-8` : type;
}
