#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "tls.h"

#define MAX_EVENTS 1024
#define READ_SIZE 262144
#define SEND_BUFFER 65536
#define UPGRADE                                                                                       \
  "GET /iotmp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"          \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"                     \
  "Sec-WebSocket-Protocol: iotmp\r\n\r\n"
#define UPGRADED "HTTP/1.1 101 "
/* Stands for standard input among the indexes of connections. */
#define COMMANDS UINT32_MAX

double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void watch(struct load *load, struct connection *connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(connection - load->connections)};
  epoll_ctl(load->epoll, operation, connection->fd, &event);
}

void connection_open(struct load *load, int index, const struct bytes *first) {
  struct connection *connection = &load->connections[index];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(load->port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  /* Else megabytes wait in each connection, and a slow contender works on them long after a run. */
  int buffer = SEND_BUFFER;
  setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  /* An abort leaves no port waiting: there are fewer ports than connections in all runs. */
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  bytes_append(&connection->first, first->data, first->length);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
    load->failed++;
    connection_close(load, connection);
    return;
  }
  if (load->tls != NULL) connection->tls = tls_new(load->tls, connection->fd);
  watch(load, connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void connection_close(struct load *load, struct connection *connection) {
  (void)load;
  if (connection->fd < 0) return;
  if (connection->tls != NULL) tls_free(connection->tls);
  connection->tls = NULL;
  close(connection->fd);
  connection->fd = -1;
}

void connection_add_turn(struct connection *connection, const uint8_t *capture, size_t length) {
  int count = connection->turn_count;
  /* Room is doubled whenever it is used up, which is at each power of two. */
  if ((count & (count - 1)) == 0) {
    size_t room = count == 0 ? 1 : (size_t)count * 2;
    connection->turns = realloc(connection->turns, room * sizeof *connection->turns);
    if (connection->turns == NULL) abort();
  }
  struct turn *turn = &connection->turns[connection->turn_count++];
  memset(turn, 0, sizeof *turn);
  if (length > 0) memcpy(turn->capture, capture, length);
  turn->capture_length = length;
}

static ssize_t transmit(struct connection *connection, const uint8_t *data, size_t length) {
  if (connection->tls != NULL) return tls_write(connection->tls, data, length);
  return send(connection->fd, data, length, MSG_NOSIGNAL);
}

size_t connection_send(struct load *load, struct connection *connection, const uint8_t *data, size_t length) {
  ssize_t sent = transmit(connection, data, length);
  if (sent == (ssize_t)length) return length;
  if (sent < 0 && errno != EAGAIN) {
    load->failed++;
    connection_close(load, connection);
    return length;
  }
  connection->blocked = true;
  watch(load, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  return sent < 0 ? 0 : (size_t)sent;
}

static void flush(struct load *load, struct connection *connection) {
  if (connection->out.length == 0 || connection->blocked || connection->fd < 0) return;
  size_t sent = connection_send(load, connection, connection->out.data, connection->out.length);
  bytes_drop(&connection->out, sent);
}

void connection_push(struct load *load, struct connection *connection, const struct bytes *frames) {
  frames_copy(&connection->out, load->web_socket, frames);
  flush(load, connection);
}

static void answer(struct load *load, struct connection *connection, const struct frame *frame) {
  enum who other = connection == load->connections ? WHO_REST : WHO_FIRST;
  for (int index = 0; index < load->rule_count; index++) {
    struct rule *rule = &load->rules[index];
    if (rule->who == other || (frame->type & rule->mask) != rule->type) continue;
    size_t length;
    const uint8_t *part = frame_part(frame, rule, &length);
    if (rule->captures && length <= MAX_CAPTURE) connection_add_turn(connection, part, length);
    struct bytes pieces[3] = {rule->head, {.data = (uint8_t *)part, .length = length}, rule->tail};
    frame_write(&connection->out, load->web_socket, rule->answer_type, pieces);
    load->answered++;
    return;
  }
}

static void note_open(struct load *load, struct connection *connection) {
  if (connection->up || connection->stage != STAGE_READY || connection->frames < load->frames_to_open) return;
  connection->up = true;
  load->opened++;
}

static void note_return(struct load *load) {
  double now = seconds_now();
  double gap = (now - load->last_return) * 1e6;
  load->gaps[gap < MAX_GAP ? (int)gap : MAX_GAP]++;
  load->last_return = now;
  load->returned++;
}

static void count(struct load *load, struct connection *connection) {
  if (connection == load->connections) note_return(load);
  else load->received++;
  connection->frames++;
  note_open(load, connection);
}

static void give_up(struct load *load, struct connection *connection) {
  load->failed++;
  connection_close(load, connection);
}

static void be_ready(struct load *load, struct connection *connection) {
  connection->stage = STAGE_READY;
  frames_copy(&connection->out, load->web_socket, &connection->first);
  bytes_free(&connection->first);
  note_open(load, connection);
}

/* Goes on with what comes before the first frame, as far as that does not need an answer of the contender's. */
static void prepare(struct load *load, struct connection *connection) {
  if (connection->tls != NULL && tls_handshake(connection->tls) < 0) {
    connection->stage = STAGE_HANDSHAKE;
    if (errno != EAGAIN) give_up(load, connection);
    return;
  }
  if (load->web_socket) {
    connection->stage = STAGE_UPGRADE;
    bytes_append(&connection->out, UPGRADE, strlen(UPGRADE));
  } else be_ready(load, connection);
}

/* Takes the answer to the WebSocket upgrade, once it is complete. Returns how many of the bytes are used up. */
static size_t take_upgrade(struct load *load, struct connection *connection, const uint8_t *data, size_t length) {
  const uint8_t *end = memmem(data, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  if (memcmp(data, UPGRADED, strlen(UPGRADED)) == 0) be_ready(load, connection);
  else give_up(load, connection);
  return (size_t)(end - data) + 4;
}

/* Returns how many of the bytes are used up. */
static size_t take(struct load *load, struct connection *connection, const uint8_t *data, size_t length) {
  size_t used = 0;
  if (connection->stage == STAGE_UPGRADE) {
    used = take_upgrade(load, connection, data, length);
    if (connection->stage != STAGE_READY) return used;
  }
  struct frame frame;
  while (frame_read(&frame, data + used, length - used, load->web_socket)) {
    used += frame.length;
    count(load, connection);
    answer(load, connection, &frame);
  }
  return used;
}

static bool receive(struct load *load, struct connection *connection) {
  static uint8_t buffer[READ_SIZE];
  ssize_t length = connection->tls == NULL ? recv(connection->fd, buffer, sizeof buffer, 0)
                                           : tls_read(connection->tls, buffer, sizeof buffer);
  if (length < 0 && errno == EAGAIN) return false;
  if (length <= 0) {
    give_up(load, connection);
    return false;
  }
  if (connection->in.length == 0) {
    size_t used = take(load, connection, buffer, (size_t)length);
    bytes_append(&connection->in, buffer + used, (size_t)length - used);
  } else {
    bytes_append(&connection->in, buffer, (size_t)length);
    bytes_drop(&connection->in, take(load, connection, connection->in.data, connection->in.length));
  }
  return connection->fd >= 0;
}

static void handle(struct load *load, struct connection *connection, uint32_t events) {
  if (connection->fd < 0) return;
  if (events & EPOLLOUT) {
    connection->blocked = false;
    watch(load, connection, EPOLL_CTL_MOD, EPOLLIN);
  }
  bool failed = events & (EPOLLHUP | EPOLLERR);
  if (connection->stage <= STAGE_HANDSHAKE && !failed) prepare(load, connection);
  if (connection->fd >= 0 && (failed || (events & EPOLLIN && connection->stage > STAGE_HANDSHAKE))) {
    /* TLS may hold more than one read gives, and epoll does not know of it. */
    while (receive(load, connection) && connection->tls != NULL) continue;
  }
  if (connection->fd >= 0) flush(load, connection);
}

bool load_poll(struct load *load, int timeout_ms) {
  struct epoll_event events[MAX_EVENTS];
  int ready = epoll_wait(load->epoll, events, MAX_EVENTS, timeout_ms);
  bool quiet = true;
  for (int index = 0; index < ready; index++) {
    if (events[index].data.u32 == COMMANDS) quiet = false;
    else handle(load, &load->connections[events[index].data.u32], events[index].events);
  }
  return quiet;
}
