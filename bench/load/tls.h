/* TLS, where the machine has the OpenSSL headers; else the generator is built without it. */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include <stddef.h>
#include <sys/types.h>

/* NULL where there is no TLS. */
void *tls_context(void);
void *tls_new(void *context, int fd);
void tls_free(void *tls);
/* Goes on with the handshake: 1 when it is done, else -1, with errno as below. */
int tls_handshake(void *tls);
/* As recv and send; errno is EAGAIN when it has to be called again. */
ssize_t tls_read(void *tls, void *data, size_t length);
ssize_t tls_write(void *tls, const void *data, size_t length);

#endif
