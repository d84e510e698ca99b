#include "traffic.h"

#include <string.h>

/* How often what the contender sends is looked at while there is always something to send. */
#define WRITES_PER_POLL 64

static const struct bytes *current_load(const struct connection *connection) {
  return &connection->turns[connection->turn].load;
}

/* Sends the rest of the connection's current turn. Returns true when all of it has gone; then it is the next one's. */
static bool send_load(struct load *load, struct connection *connection) {
  const struct bytes *bytes = current_load(connection);
  size_t left = bytes->length - connection->cursor;
  connection->cursor += connection_send(load, connection, bytes->data + connection->cursor, left);
  if (connection->cursor < bytes->length) return false;
  connection->cursor = 0;
  connection->turn = (connection->turn + 1) % connection->turn_count;
  return true;
}

static bool is_ready(const struct connection *connection) {
  return connection->fd >= 0 && !connection->blocked && connection->out.length == 0;
}

/* A message that is cut in the middle would spoil whatever follows. */
static void finish(struct load *load) {
  for (int index = 0; index < load->count; index++) {
    struct connection *connection = &load->connections[index];
    if (connection->fd < 0 || connection->cursor == 0) continue;
    const struct bytes *bytes = current_load(connection);
    bytes_append(&connection->out, bytes->data + connection->cursor, bytes->length - connection->cursor);
    connection->cursor = 0;
  }
}

uint64_t traffic_flood(struct load *load, double seconds, uint64_t per_write) {
  double end = seconds_now() + seconds;
  uint64_t sent = 0;
  int writes = 0;
  while (seconds_now() < end) {
    bool moved = false;
    for (int index = 0; index < load->count; index++) {
      struct connection *connection = &load->connections[index];
      if (!is_ready(connection)) continue;
      moved = true;
      if (send_load(load, connection)) sent += per_write;
      if (++writes % WRITES_PER_POLL == 0) load_poll(load, 0);
    }
    load_poll(load, moved ? 0 : 1);
  }
  finish(load);
  return sent;
}

uint64_t traffic_pace(struct load *load, double seconds, double rate) {
  double start = seconds_now();
  double now = start;
  uint64_t sent = 0;
  int index = 0;
  while (now < start + seconds) {
    if ((double)sent <= (now - start) * rate) {
      struct connection *connection = &load->connections[index];
      index = (index + 1) % load->count;
      bool moved = is_ready(connection) && send_load(load, connection);
      if (moved) sent++;
      if (!moved || sent % WRITES_PER_POLL == 0) load_poll(load, 0);
    } else {
      /* Sleeps where the next message is due later than in a millisecond. */
      load_poll(load, (int)(((double)sent / rate - (now - start)) * 1000));
    }
    now = seconds_now();
  }
  finish(load);
  return sent;
}

uint64_t traffic_fan(struct load *load, double seconds, uint64_t batch) {
  double end = seconds_now() + seconds;
  uint64_t sent = 0;
  uint64_t expected = load->received;
  while (seconds_now() < end) {
    if (load->received >= expected && is_ready(&load->connections[0])) {
      send_load(load, &load->connections[0]);
      sent += batch;
      expected = load->received + batch * (uint64_t)(load->count - 1);
    }
    load_poll(load, 100);
  }
  finish(load);
  return sent;
}

uint64_t traffic_relay(struct load *load, double seconds) {
  double end = seconds_now() + seconds;
  uint64_t before = load->returned;
  memset(load->gaps, 0, sizeof load->gaps);
  while (seconds_now() < end) load_poll(load, 10);
  return load->returned - before;
}
