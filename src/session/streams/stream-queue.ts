import type { SessionOptions } from '../base/session-options';
import { ConversationQueue } from '../conversations/conversation-queue';
import { MessageQueue } from '../samples/message-queue';
import type { SampleForm } from '../samples/sample-form';
import { SampleQueue } from '../samples/sample-queue';
import type { StreamKind } from './stream-kind';

/**
 * What waits of a stream of this kind while the peer does not read.
 * @param onRoom the writer of a conversation may go on, or all messages that waited have been sent
 */
export function streamQueue(
  kind: StreamKind,
  form: SampleForm,
  { maxConversationBytes, maxQueuedSamples }: SessionOptions,
  onRoom: () => void,
): SampleQueue {
  if (kind === 'conversation') return new ConversationQueue(form, maxConversationBytes, onRoom);
  if (kind === 'messages') return new MessageQueue(form, onRoom);
  return new SampleQueue(form, { items: maxQueuedSamples, bytes: Infinity, past: 'drop-oldest' });
}
