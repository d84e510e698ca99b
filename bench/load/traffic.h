/* The kinds of load. Each runs for a given time and returns the number of messages that it sent. */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include "connection.h"

/* All connections send as fast as the contender takes it. */
uint64_t traffic_flood(struct load *load, double seconds, uint64_t per_write);
/* The connections send in turn, one message a write, evenly in time. */
uint64_t traffic_pace(struct load *load, double seconds, double rate);
/* The first connection sends `batch` messages in one write, and again when all others have received each of them. */
uint64_t traffic_fan(struct load *load, double seconds, uint64_t batch);
/* Nothing but answers to answers. Returns how many frames came on the first connection; `gaps` begins anew. */
uint64_t traffic_relay(struct load *load, double seconds);

#endif
