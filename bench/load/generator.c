/*
 * Makes load from raw sockets, and answers frames by rules. It reads commands from standard input, one on a line, and
 * writes one line of JSON for each that takes time:
 *
 *   port N                        where the contender listens, on this machine
 *   websocket | tls               what the connections are, beside TCP
 *   rule TYPE MASK PART ANSWER HEAD TAIL CAPTURES WHO
 *                                 types, head and tail in hexadecimal, PART is "-", "field" or the number of last bytes,
 *                                 WHO answers: the "first" connection, the "rest" or "all"
 *   open COUNT WINDOW FRAMES FILE connects, WINDOW at a time; each sends its bytes of FILE, and is up after FRAMES frames
 *   message TYPE FILE PER_WRITE   what each connection sends: a captured part and its bytes of FILE; parts take turns
 *   flood SECONDS | pace SECONDS RATE | fan SECONDS
 *   send FILE                     the first connection sends what is first in FILE
 *   relay SECONDS                 counts and times what comes back to the first connection
 *   received                      how many frames came
 *
 * Between the commands it goes on to answer. FILE holds, for each connection, a 32-bit length and as many bytes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tls.h"
#include "traffic.h"

#define LINE_SIZE 131072
#define OPEN_TIMEOUT 60.0

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void fail(const char *text) {
  fprintf(stderr, "load generator: %s\n", text);
  exit(1);
}

static void next_blob(FILE *file, struct bytes *blob) {
  uint32_t length;
  if (fread(&length, sizeof length, 1, file) != 1) fail("the file is too short");
  blob->length = 0;
  uint8_t chunk[4096];
  while (length > 0) {
    size_t part = length < sizeof chunk ? length : sizeof chunk;
    if (fread(chunk, part, 1, file) != 1) fail("the file is too short");
    bytes_append(blob, chunk, part);
    length -= (uint32_t)part;
  }
}

static FILE *open_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("the file cannot be read");
  return file;
}

static void command_rule(struct load *load, char *arguments) {
  unsigned type, mask, answer_type, captures;
  static char part[16], head[LINE_SIZE / 4], tail[LINE_SIZE / 4], who[8];
  if (load->rule_count == MAX_RULES) fail("too many rules");
  if (sscanf(arguments, "%x %x %15s %x %32767s %32767s %u %7s", &type, &mask, part, &answer_type, head, tail,
             &captures, who) != 8) {
    fail("rule: eight arguments expected");
  }
  struct rule *rule = &load->rules[load->rule_count++];
  rule->type = (uint8_t)type;
  rule->mask = (uint8_t)mask;
  rule->answer_type = (uint8_t)answer_type;
  rule->captures = captures != 0;
  rule->who = who[0] == 'f' ? WHO_FIRST : who[0] == 'r' ? WHO_REST : WHO_ALL;
  rule->part_length = strtoul(part, NULL, 10);
  rule->part = part[0] == '-' ? PART_NONE : part[0] == 'f' ? PART_FIELD : PART_LAST;
  bytes_from_hex(&rule->head, head);
  bytes_from_hex(&rule->tail, tail);
}

static void command_open(struct load *load, char *arguments) {
  int count, window;
  static char path[LINE_SIZE];
  if (sscanf(arguments, "%d %d %u %65535s", &count, &window, &load->frames_to_open, path) != 4) {
    fail("open: four arguments expected");
  }
  load->connections = calloc((size_t)count, sizeof *load->connections);
  load->count = count;
  FILE *file = open_file(path);
  struct bytes first = {0};
  double start = seconds_now();
  int begun = 0;
  while (load->opened + load->failed < count && seconds_now() < start + OPEN_TIMEOUT) {
    while (begun < count && begun - load->opened - load->failed < window) {
      next_blob(file, &first);
      connection_open(load, begun++, &first);
    }
    load_poll(load, 100);
  }
  double seconds = seconds_now() - start;
  fclose(file);
  bytes_free(&first);
  printf("{\"seconds\":%.6f,\"opened\":%d,\"failed\":%d}\n", seconds, load->opened, load->failed);
}

static void fill_turns(struct load *load, struct connection *connection, uint8_t type, struct bytes blob,
                       unsigned long per_write) {
  if (connection->turn_count == 0) connection_add_turn(connection, NULL, 0);
  connection->cursor = 0;
  for (int index = 0; index < connection->turn_count; index++) {
    struct turn *turn = &connection->turns[index];
    struct bytes pieces[3] = {{.data = turn->capture, .length = turn->capture_length}, blob, {0}};
    turn->load.length = 0;
    for (unsigned long copy = 0; copy < per_write; copy++) {
      frame_write(&turn->load, load->web_socket, type, pieces);
    }
  }
}

static uint64_t command_message(struct load *load, char *arguments) {
  unsigned type;
  unsigned long per_write;
  static char path[LINE_SIZE];
  if (sscanf(arguments, "%x %65535s %lu", &type, path, &per_write) != 3) fail("message: three arguments expected");
  FILE *file = open_file(path);
  struct bytes blob = {0};
  for (int index = 0; index < load->count; index++) {
    next_blob(file, &blob);
    fill_turns(load, &load->connections[index], (uint8_t)type, blob, per_write);
  }
  fclose(file);
  bytes_free(&blob);
  return per_write;
}

static void command_traffic(struct load *load, const char *name, const char *arguments, uint64_t per_write) {
  double seconds = 0, number = 0;
  if (sscanf(arguments, "%lf %lf", &seconds, &number) < 1) fail("a time is expected");
  double start = seconds_now();
  double cpu = cpu_seconds();
  uint64_t received = load->received;
  uint64_t answered = load->answered;
  uint64_t sent = 0;
  if (strcmp(name, "flood") == 0) sent = traffic_flood(load, seconds, per_write);
  else if (strcmp(name, "pace") == 0) sent = traffic_pace(load, seconds, number);
  else sent = traffic_fan(load, seconds, per_write);
  printf("{\"seconds\":%.6f,\"cpu\":%.6f,\"sent\":%lu,\"received\":%lu,\"answered\":%lu,\"failed\":%d}\n",
         seconds_now() - start, cpu_seconds() - cpu, sent, load->received - received, load->answered - answered,
         load->failed);
}

static void command_send(struct load *load, const char *arguments) {
  static char path[LINE_SIZE];
  if (sscanf(arguments, "%65535s", path) != 1) fail("send: a file is expected");
  FILE *file = open_file(path);
  struct bytes frames = {0};
  next_blob(file, &frames);
  connection_push(load, &load->connections[0], &frames);
  fclose(file);
  bytes_free(&frames);
}

static int gap_quantile(const struct load *load, uint64_t total, double share) {
  uint64_t seen = 0;
  for (int gap = 0; gap < MAX_GAP; gap++) {
    seen += load->gaps[gap];
    if ((double)seen >= (double)total * share) return gap;
  }
  return MAX_GAP;
}

static void command_relay(struct load *load, const char *arguments) {
  double start = seconds_now();
  double cpu = cpu_seconds();
  uint64_t unanswered = load->received + load->returned - load->answered;
  uint64_t returned = traffic_relay(load, strtod(arguments, NULL));
  unanswered = load->received + load->returned - load->answered - unanswered;
  printf("{\"seconds\":%.6f,\"cpu\":%.6f,\"returned\":%lu,\"unanswered\":%lu,\"median\":%d,\"p99\":%d}\n",
         seconds_now() - start, cpu_seconds() - cpu, returned, unanswered, gap_quantile(load, returned, 0.5),
         gap_quantile(load, returned, 0.99));
}

static void run_command(struct load *load, char *line) {
  static uint64_t per_write = 1;
  char name[16] = "";
  int length = 0;
  if (sscanf(line, "%15s%n", name, &length) != 1) return;
  char *arguments = line + length;
  if (strcmp(name, "port") == 0) load->port = (uint16_t)strtoul(arguments, NULL, 10);
  else if (strcmp(name, "websocket") == 0) load->web_socket = true;
  else if (strcmp(name, "tls") == 0) {
    load->tls = tls_context();
    if (load->tls == NULL) fail("built without TLS");
  } else if (strcmp(name, "rule") == 0) command_rule(load, arguments);
  else if (strcmp(name, "open") == 0) command_open(load, arguments);
  else if (strcmp(name, "message") == 0) per_write = command_message(load, arguments);
  else if (strcmp(name, "send") == 0) command_send(load, arguments);
  else if (strcmp(name, "relay") == 0) command_relay(load, arguments);
  else if (strcmp(name, "received") == 0) printf("{\"received\":%lu}\n", load->received);
  else command_traffic(load, name, arguments, per_write);
  fflush(stdout);
}

/* As many connections as the system allows. */
static void raise_file_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void) {
  raise_file_limit();
  /* OpenSSL writes to connections that the contender has cut, and cannot be told to do so in silence. */
  signal(SIGPIPE, SIG_IGN);
  static struct load load;
  load.epoll = epoll_create1(0);
  struct epoll_event commands = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
  epoll_ctl(load.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands);
  static char input[LINE_SIZE];
  size_t length = 0;
  for (;;) {
    if (load_poll(&load, -1)) continue;
    ssize_t taken = read(STDIN_FILENO, input + length, sizeof input - 1 - length);
    if (taken <= 0) return 0;
    length += (size_t)taken;
    input[length] = 0;
    char *end;
    while ((end = strchr(input, '\n')) != NULL) {
      *end = 0;
      run_command(&load, input);
      length -= (size_t)(end + 1 - input);
      memmove(input, end + 1, length + 1);
    }
  }
}
