import type { IncomingHttpHeaders } from 'node:http';
import type { NodeAPI } from 'node-red';
import { errorText, detached, guarded, type Guarded } from '../../../src';

/** A request of the editor, as far as its routes look at it. */
export interface AdminRequest {
  readonly params: Readonly<Record<string, string | string[]>>;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
}

/** The answer to a request of the editor. */
export interface AdminResponse {
  readonly headersSent: boolean;
  set(name: string, value: string): unknown;
  status(code: number): AdminResponse;
  type(name: string): AdminResponse;
  json(body: unknown): unknown;
  send(body: string): unknown;
  sendStatus(code: number): unknown;
  destroy(): unknown;
}

/**
 * A handler for a route of Node-RED's admin API, which is answered whatever happens: what the handler throws or rejects
 * with is a line in the log, and status 500 where nothing has been sent.
 * @param place names the route in reports
 */
export function adminRoute(
  RED: NodeAPI,
  place: string,
  handle: (request: AdminRequest, response: AdminResponse) => Promise<void> | void,
): Guarded<[request: AdminRequest, response: AdminResponse]> {
  const onFault = (error: unknown): void => RED.log.error(`[iotmp] ${place}: ${errorText(error)}`);
  return guarded(place, onFault, (request: AdminRequest, response: AdminResponse) => {
    const answer = async (): Promise<void> => handle(request, response);
    const onRejected = (error: unknown): void => {
      if (response.headersSent) response.destroy();
      else response.sendStatus(500);
      onFault(error);
    };
    detached(`${place} answer`, onRejected, answer());
  });
}
