#include "frames.h"

#include <string.h>

static size_t varint_write(uint8_t *target, size_t value) {
  size_t length = 0;
  for (; value > 0x7f; value >>= 7) target[length++] = (uint8_t)(value | 0x80);
  target[length++] = (uint8_t)value;
  return length;
}

/* Bytes that the header of a WebSocket message takes and the size of its payload; 0 while it is not complete. */
static size_t web_socket_header(const uint8_t *data, size_t length, size_t *size) {
  if (length < 2) return 0;
  *size = data[1] & 0x7f;
  if (*size < 126) return 2;
  if (*size > 126 || length < 4) return 0;
  *size = (size_t)data[2] << 8 | data[3];
  return 4;
}

bool frame_read(struct frame *frame, const uint8_t *data, size_t length, bool web_socket) {
  size_t header = 0;
  if (web_socket) {
    size_t payload = 0;
    header = web_socket_header(data, length, &payload);
    if (header == 0 || length < header + payload) return false;
  }
  const uint8_t *start = data + header;
  size_t rest = length - header;
  size_t size = 0;
  size_t at = 1;
  for (int shift = 0;; shift += 7) {
    if (at >= rest) return false;
    uint8_t byte = start[at++];
    size |= (size_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (at + size > rest) return false;
  frame->type = start[0];
  frame->body = start + at;
  frame->size = size;
  frame->length = header + at + size;
  return true;
}

const uint8_t *frame_part(const struct frame *frame, const struct rule *rule, size_t *length) {
  *length = 0;
  if (rule->part == PART_LAST && frame->size >= rule->part_length) {
    *length = rule->part_length;
    return frame->body + frame->size - rule->part_length;
  }
  if (rule->part == PART_FIELD) {
    size_t end = 1;
    while (end < frame->size && frame->body[end] > 0x7f) end++;
    if (end < frame->size) *length = end + 1;
  }
  return frame->body;
}

/* Of no secrecy, but as other as a real one from frame to frame: a mask of zeros would spare the receiver its work. */
static const uint8_t *next_mask(void) {
  static uint32_t state = 1;
  static uint8_t mask[4];
  state = state * 1664525u + 1013904223u;
  for (int index = 0; index < 4; index++) mask[index] = (uint8_t)(state >> (8 * index));
  return mask;
}

void frame_write(struct bytes *out, bool web_socket, uint8_t type, const struct bytes *pieces) {
  uint8_t header[10] = {type};
  size_t size = pieces[0].length + pieces[1].length + pieces[2].length;
  size_t length = 1 + varint_write(header + 1, size);
  if (web_socket) {
    size_t payload = length + size;
    uint8_t envelope[4] = {0x82, payload < 126 ? (uint8_t)(0x80 | payload) : 0xfe};
    envelope[2] = (uint8_t)(payload >> 8);
    envelope[3] = (uint8_t)payload;
    bytes_append(out, envelope, payload < 126 ? 2 : 4);
  }
  const uint8_t *mask = web_socket ? next_mask() : NULL;
  if (mask != NULL) bytes_append(out, mask, 4);
  size_t start = out->length;
  bytes_append(out, header, length);
  for (int index = 0; index < 3; index++) bytes_append(out, pieces[index].data, pieces[index].length);
  for (size_t at = start; mask != NULL && at < out->length; at++) out->data[at] ^= mask[(at - start) % 4];
}

void frames_copy(struct bytes *out, bool web_socket, const struct bytes *plain) {
  struct frame frame;
  size_t at = 0;
  for (; frame_read(&frame, plain->data + at, plain->length - at, false); at += frame.length) {
    struct bytes pieces[3] = {{.data = (uint8_t *)frame.body, .length = frame.size}};
    frame_write(out, web_socket, frame.type, pieces);
  }
}
