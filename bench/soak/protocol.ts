import type { ServerSample } from './sample';

/** What the parent asks the process of the server. */
export type Order = { readonly kind: 'sample'; readonly collect: boolean } | { readonly kind: 'end' };

/** What the process of the server tells. */
export type Report =
  | { readonly kind: 'ready'; readonly tcpPort: number; readonly httpPort: number; readonly token: string }
  | { readonly kind: 'sample'; readonly sample: ServerSample };

/** The user of all devices, the good device, and the devices that come and go. */
export const USER = 'soak';
export const CREDENTIAL = 'soak-secret';
export const GOOD = 'good';
export const CHURNING = Array.from({ length: 24 }, (_, index) => `device-${index + 1}`);
