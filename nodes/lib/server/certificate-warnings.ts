import type { Node, NodeAPI } from 'node-red';
import type { ServerOptions } from '../../../src';
import { translate } from '../red/translate';

/**
 * Warns of settings that look as if clients had to show certificates while they have not: everywhere, or at other ports
 * than that of TLS.
 * @param path of WebSockets; empty is off
 */
export function warnOfCertificates(RED: NodeAPI, node: Node, options: ServerOptions, path: string): void {
  const { clientCertificate = 'off', tlsPort, tcpPort, tls } = options;
  if (clientCertificate === 'off') {
    const looksChecked = tls?.ca !== undefined && tls.rejectUnauthorized !== false;
    if (looksChecked) node.warn(translate(RED, 'errors.certificateNotAsked'));
  } else if (tlsPort === undefined) node.warn(translate(RED, 'errors.certificateWithoutTls'));
  else if (tcpPort !== undefined || path !== '') node.warn(translate(RED, 'errors.certificatePlain'));
}
