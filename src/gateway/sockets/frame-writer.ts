import { z } from 'zod';
import { errorText, IotmpError } from '../../errors';
import { toJson } from '../http/json-text';
import { CloseCode, type ClientSocket, type FrameListener } from './client-socket';
import { frameValue, readFrame } from './frames';

const input = z.object({ resource: z.string().optional(), payload: z.unknown() });

/** Something that is written into. */
interface Channel {
  write(payload: unknown): void;
}

/** Writes what the client sends into the resource: binary frames as bytes, text frames as what their `payload` says. */
export function frameWriter(
  socket: ClientSocket,
  resource: string,
  channel: Channel,
  isRaw: boolean,
): FrameListener {
  return (data, isBinary) => {
    try {
      channel.write(isRaw || isBinary ? data : frameValue(readFrame(data, input).payload));
    } catch (error) {
      if (!(error instanceof IotmpError)) throw error;
      if (isRaw) socket.close(CloseCode.BAD_DATA, errorText(error).slice(0, 100));
      else socket.send(errorFrame(resource, error));
    }
  };
}

/** The frame that tells of an error. */
export function errorFrame(resource: string, error: IotmpError): string {
  return toJson({ resource, signal: 'error', payload: { message: errorText(error), code: error.code } });
}
