/*
 * Frames of the form type, size, body. IoTMP and MQTT share it: a byte for the type, and the size as a varint. Over
 * WebSocket each frame is the payload of one binary message, and masked as clients have to.
 *
 * The generator knows no protocol beyond that: rules say which frames are answered, and how.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include "bytes.h"

#define MAX_CAPTURE 16
#define MAX_RULES 8

/* Which part of a frame's body goes into the answer. */
enum part { PART_NONE, PART_FIELD, PART_LAST };

/* Which connections answer by a rule. */
enum who { WHO_ALL, WHO_FIRST, WHO_REST };

/* Answers frames whose type, masked, is `type`, with: answer type, size, head, the part, tail. */
struct rule {
  enum who who;
  uint8_t mask;
  uint8_t type;
  enum part part;
  size_t part_length;
  uint8_t answer_type;
  struct bytes head;
  struct bytes tail;
  /* The part is kept, and leads the body of messages that the connection sends later; several such parts take turns. */
  bool captures;
};

struct frame {
  uint8_t type;
  const uint8_t *body;
  size_t size;
  /* Of everything, headers included. */
  size_t length;
};

/* Returns false while the frame is not complete. */
bool frame_read(struct frame *frame, const uint8_t *data, size_t length, bool web_socket);
/* Where the part begins; `*length` gets its length, 0 without one. */
const uint8_t *frame_part(const struct frame *frame, const struct rule *rule, size_t *length);
/* Appends a frame whose body is made of three pieces. */
void frame_write(struct bytes *out, bool web_socket, uint8_t type, const struct bytes *pieces);
/* Appends the frames that stand one behind the other in `plain`, which knows nothing of WebSocket. */
void frames_copy(struct bytes *out, bool web_socket, const struct bytes *plain);

#endif
