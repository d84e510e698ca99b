import type { AddressBlock } from './address-blocks';

/**
 * The line of the log for a blocked address, for people and for programs such as fail2ban:
 *
 *     address blocked for 30 s: address=192.0.2.7 tries=213
 *
 * Nothing in it was written by a peer.
 * @param host the address whose try was the last; `address` of the block may be its network
 */
export function blockLine({ since, until, tries }: AddressBlock, host: string): string {
  return `address blocked for ${Math.round((until - since) / 1000)} s: address=${host} tries=${tries}`;
}
