import { escaped } from '../http/html';

/** Headers of the page: it needs no script, nothing from elsewhere, and nobody shows it in a frame. */
export const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
} as const;

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 3rem auto; padding: 0 1rem; color: #222; }
label { display: block; margin-top: 1rem; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .4rem; }
button { font: inherit; margin: 1.5rem .5rem 0 0; padding: .4rem 1rem; }
.told { font-weight: 600; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd; } }
`;

/** The page on which a person lets a program in by the code that it shows. */
export function verificationPage(userCode: string): string {
  return page(`<p>A program asks to act in your name. Let it in only if you have started it yourself, and it shows this code.</p>
<form method="post" action="verification">
<label>Code <input name="user_code" value="${escaped(userCode)}" autocomplete="off" required></label>
<label>User <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button name="decision" value="approve">Let it in</button>
<button name="decision" value="deny">Refuse</button>
</form>`);
}

/** The page that tells what has come of it. */
export function verificationResult(text: string): string {
  return page(`<p class="told">${escaped(text)}</p>`);
}

function page(body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Let a program in</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head>
<body><h1>Let a program in</h1>
${body}
</body></html>
`;
}
