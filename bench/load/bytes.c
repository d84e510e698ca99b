#include "bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_append(struct bytes *bytes, const void *data, size_t length) {
  if (length == 0) return;
  if (bytes->length + length > bytes->room) {
    size_t room = bytes->room * 2 > 256 ? bytes->room * 2 : 256;
    if (room < bytes->length + length) room = bytes->length + length;
    bytes->data = realloc(bytes->data, room);
    if (bytes->data == NULL) abort();
    bytes->room = room;
  }
  memcpy(bytes->data + bytes->length, data, length);
  bytes->length += length;
}

void bytes_drop(struct bytes *bytes, size_t length) {
  bytes->length -= length;
  memmove(bytes->data, bytes->data + length, bytes->length);
}

void bytes_free(struct bytes *bytes) {
  free(bytes->data);
  memset(bytes, 0, sizeof *bytes);
}

void bytes_from_hex(struct bytes *bytes, const char *text) {
  bytes->length = 0;
  if (strcmp(text, "-") == 0) return;
  for (; text[0] != 0 && text[1] != 0; text += 2) {
    unsigned value = 0;
    if (sscanf(text, "%2x", &value) != 1) return;
    uint8_t byte = (uint8_t)value;
    bytes_append(bytes, &byte, 1);
  }
}
