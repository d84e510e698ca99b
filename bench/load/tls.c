#include "tls.h"

#ifdef WITH_TLS

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

void *tls_context(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  /* The certificate is one of the benchmark's own. */
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

void *tls_new(void *context, int fd) {
  SSL *tls = SSL_new(context);
  SSL_set_fd(tls, fd);
  SSL_set_connect_state(tls);
  return tls;
}

void tls_free(void *tls) {
  SSL_free(tls);
}

static ssize_t result(SSL *tls, int done) {
  if (done > 0) return done;
  int reason = SSL_get_error(tls, done);
  /* What is left of an error would be taken for one of the next connection. */
  ERR_clear_error();
  if (reason == SSL_ERROR_ZERO_RETURN) return 0;
  errno = reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
  return -1;
}

int tls_handshake(void *tls) {
  return result(tls, SSL_do_handshake(tls)) > 0 ? 1 : -1;
}

ssize_t tls_read(void *tls, void *data, size_t length) {
  return result(tls, SSL_read(tls, data, (int)length));
}

ssize_t tls_write(void *tls, const void *data, size_t length) {
  return result(tls, SSL_write(tls, data, (int)length));
}

#else

void *tls_context(void) {
  return NULL;
}

void *tls_new(void *context, int fd) {
  (void)fd;
  return context;
}

void tls_free(void *tls) {
  (void)tls;
}

int tls_handshake(void *tls) {
  (void)tls;
  return -1;
}

ssize_t tls_read(void *tls, void *data, size_t length) {
  (void)tls;
  (void)data;
  (void)length;
  return -1;
}

ssize_t tls_write(void *tls, const void *data, size_t length) {
  (void)tls;
  (void)data;
  (void)length;
  return -1;
}

#endif
