import { types } from 'node:util';
import type { IotmpError } from '../../errors';
import type { SessionStream } from '../../session/streams/session-stream';
import type { Value } from '../../types';
import { connectedDevice } from '../devices/resource-access';
import { CloseCode, MAX_CLOSE_GRACE_MS, type ClientSocket } from './client-socket';
import { rawSample, sampleFrame } from './frames';
import { frameWriter } from './frame-writer';
import type { SocketCall, SocketService } from './socket-route';
import { detached, guarded, warnProcess } from '../../util/guard';

/** What a conversation is about. */
export interface ConversationTarget {
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly parameters: Record<string, Value> | undefined;
  /** Whether the frames are plain bytes. */
  readonly isRaw: boolean;
}

/** Bytes of one write of plain bytes, at most: a frame of a program may be larger than a message to a device. */
const PIECE_BYTES = 65_536;
/** What a message holds beside its payload, in bytes, at most. */
const ENVELOPE_BYTES = 64;

/**
 * A stream of a program's own, such as a terminal or a tunnel: nothing is lost in either direction, and nobody else has it.
 * Whoever sends faster than the other end takes it is stopped.
 */
export async function openConversation(
  { context, principal, signal }: SocketCall,
  { user, device, resource, parameters, isRaw }: ConversationTarget,
): Promise<SocketService> {
  let socket: ClientSocket | undefined;
  const connected = connectedDevice({ context, principal, device: { user, device } }, resource);
  const stream: SessionStream = await connected.openStream(
    resource,
    {
      onData: (sample) => {
        if (socket?.pass(isRaw ? rawSample(sample) : sampleFrame(resource, sample)) === false) stream.pause();
      },
      onDrain: () => socket?.resume(),
      onClose: (reason) => {
        if (socket !== undefined && reason !== undefined) tellEnd(socket, reason);
      },
    },
    { parameters, signal, kind: 'conversation', paused: true },
  );
  const stop = guarded('conversation left', warnProcess, () =>
    detached('conversation stop', warnProcess, stream.stop()),
  );
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);
  return (opened) => {
    socket = opened;
    opened.onDrain = () => stream.resume();
    const pieceBytes = Math.min(PIECE_BYTES, connected.maxBodySize - ENVELOPE_BYTES);
    const channel = {
      write(payload: unknown): void {
        for (const piece of isRaw ? piecesOf(payload, pieceBytes) : [payload]) {
          // What comes after the end is let go: the reason follows behind the last bytes.
          if (!stream.closed && !stream.write(piece)) opened.pause();
        }
      },
    };
    opened.listen(frameWriter(opened, resource, channel, isRaw));
    stream.resume();
  };
}

function* piecesOf(payload: unknown, bytes: number): Generator {
  if (!types.isUint8Array(payload) || payload.length <= bytes) yield payload;
  else for (let at = 0; at < payload.length; at += bytes) yield payload.subarray(at, at + bytes);
}

/** The program is told why: the end of the stream, of the device's connection, or a limit. */
function tellEnd(socket: ClientSocket, reason: IotmpError): void {
  const [code, text] = farewell(reason);
  socket.close(code, text.slice(0, 100), MAX_CLOSE_GRACE_MS);
}

function farewell({ code, message }: IotmpError): [code: number, text: string] {
  switch (code) {
    case 'IOTMP_ERR_CLOSED':
      return [CloseCode.NORMAL, 'the stream has ended'];
    case 'IOTMP_ERR_OFFLINE':
      return [CloseCode.BAD_GATEWAY, 'the connection of the device has ended'];
    case 'IOTMP_ERR_BUSY':
      return [CloseCode.BUSY, message];
    default:
      return [CloseCode.FAILED, message];
  }
}
