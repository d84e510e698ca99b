/* One connection to the contender, and what all of them share. */
#ifndef BENCH_CONNECTION_H
#define BENCH_CONNECTION_H

#include "frames.h"

#define MAX_GAP 100000

/* What a connection has behind it. */
enum stage { STAGE_CONNECTING, STAGE_HANDSHAKE, STAGE_UPGRADE, STAGE_READY };

/* What a connection sends in one write: the message, as often as it goes into one, led by a captured part. */
struct turn {
  uint8_t capture[MAX_CAPTURE];
  size_t capture_length;
  struct bytes load;
};

struct connection {
  int fd;
  enum stage stage;
  void *tls;
  bool up;
  bool blocked;
  uint32_t frames;
  struct bytes in;
  /* Goes out when the connection is ready. */
  struct bytes first;
  /* What the system has not taken yet; it goes out before anything else. */
  struct bytes out;
  /* One for each part that was captured, or a single one without. */
  struct turn *turns;
  int turn_count;
  /* The turn that is sent next, and how much of it the system has taken. */
  int turn;
  size_t cursor;
};

struct load {
  int epoll;
  uint16_t port;
  bool web_socket;
  /* An SSL_CTX where the connections are of TLS. */
  void *tls;
  struct rule rules[MAX_RULES];
  int rule_count;
  struct connection *connections;
  int count;
  /* Frames that have to come until a connection is up. */
  uint32_t frames_to_open;
  int opened;
  int failed;
  /* Frames that came on any connection but the first, which publishes. */
  uint64_t received;
  uint64_t answered;
  /* Frames that came on the first connection, and by how many us each came after the one before. */
  uint64_t returned;
  double last_return;
  uint32_t gaps[MAX_GAP + 1];
};

double seconds_now(void);
/* Makes a connection and sends the frames of `first` on it, when it is ready for them. */
void connection_open(struct load *load, int index, const struct bytes *first);
/* Sends frames, after what waits to be sent. */
void connection_push(struct load *load, struct connection *connection, const struct bytes *frames);
void connection_close(struct load *load, struct connection *connection);
/* Adds a turn that is led by these bytes, of which there are at most MAX_CAPTURE. */
void connection_add_turn(struct connection *connection, const uint8_t *capture, size_t length);
/*
 * Sends as much as the system takes. Returns the number of bytes that it took, and marks the connection as blocked
 * when that is not all.
 */
size_t connection_send(struct load *load, struct connection *connection, const uint8_t *data, size_t length);
/* Handles what is ready, waiting up to `timeout_ms` for it. Returns false when a command waits on standard input. */
bool load_poll(struct load *load, int timeout_ms);

#endif
