/* A growing run of bytes. */
#ifndef BENCH_BYTES_H
#define BENCH_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
  uint8_t *data;
  size_t length;
  size_t room;
};

void bytes_append(struct bytes *bytes, const void *data, size_t length);
/* Drops the first `length` bytes. */
void bytes_drop(struct bytes *bytes, size_t length);
void bytes_free(struct bytes *bytes);
/* Replaces the content by what a text of hexadecimal digits means; "-" is nothing. */
void bytes_from_hex(struct bytes *bytes, const char *text);

#endif
