/* OpenSSL's headers, and its macros that Swift cannot import, as functions. */
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/proverr.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline long COpenSSL_set_server_name(SSL *ssl, const char *name) {
  return SSL_set_tlsext_host_name(ssl, name);
}

static inline int COpenSSL_set_versions(SSL_CTX *context, int lowest, int highest) {
  return SSL_CTX_set_min_proto_version(context, lowest) && SSL_CTX_set_max_proto_version(context, highest);
}

static inline int COpenSSL_set_groups(SSL_CTX *context, const char *names) {
  return SSL_CTX_set1_groups_list(context, names);
}

/* The name of the group that keys were agreed with; NULL where there was none, or it has no name. */
static inline const char *COpenSSL_group(SSL *ssl) {
  long group = SSL_get_negotiated_group(ssl);
  return group <= 0 || (group & TLSEXT_nid_unknown) ? NULL : OBJ_nid2sn(group);
}

static inline void COpenSSL_set_mtu(SSL *ssl, long mtu) {
  SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
  SSL_set_mtu(ssl, mtu);
}

/* The time until DTLS wants to send again, in microseconds; -1 when no timer runs. */
static inline long long COpenSSL_dtls_timeout(SSL *ssl) {
  struct timeval left;
  if (DTLSv1_get_timeout(ssl, &left) != 1) return -1;
  return (long long)left.tv_sec * 1000000 + left.tv_usec;
}

static inline long COpenSSL_dtls_handle_timeout(SSL *ssl) { return DTLSv1_handle_timeout(ssl); }

static inline int COpenSSL_set_trust_file(SSL_CTX *context, const char *path) {
  return SSL_CTX_load_verify_locations(context, path, NULL);
}

static inline int COpenSSL_certificate_count(const STACK_OF(X509) * chain) { return sk_X509_num(chain); }

static inline X509 *COpenSSL_certificate(const STACK_OF(X509) * chain, int index) {
  return sk_X509_value(chain, index);
}

static inline STACK_OF(X509) * COpenSSL_certificates_new(void) { return sk_X509_new_null(); }

/* Takes the certificate over. */
static inline int COpenSSL_certificates_add(STACK_OF(X509) * chain, X509 *certificate) {
  return sk_X509_push(chain, certificate);
}

static inline void COpenSSL_certificates_free(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }

static inline int COpenSSL_cipher_count(const STACK_OF(SSL_CIPHER) * ciphers) { return sk_SSL_CIPHER_num(ciphers); }

static inline const SSL_CIPHER *COpenSSL_cipher(const STACK_OF(SSL_CIPHER) * ciphers, int index) {
  return sk_SSL_CIPHER_value(ciphers, index);
}

/* The DNS names and IP addresses of a certificate, one at a time: calls back with 'D' and text, or 'I' and octets. */
static inline void COpenSSL_each_alternative_name(
    X509 *certificate, void *context,
    void (*found)(void *context, char kind, const unsigned char *bytes, int count)) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  for (int index = 0; index < sk_GENERAL_NAME_num(names); index++) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type == GEN_DNS)
      found(context, 'D', ASN1_STRING_get0_data(name->d.dNSName), ASN1_STRING_length(name->d.dNSName));
    else if (name->type == GEN_IPADD)
      found(context, 'I', ASN1_STRING_get0_data(name->d.iPAddress), ASN1_STRING_length(name->d.iPAddress));
  }
  GENERAL_NAMES_free(names);
}

/* Writes a name as RFC 2253 has it into a buffer; gives its length, which may be larger than the buffer. */
static inline int COpenSSL_name_text(const X509_NAME *name, char *buffer, int capacity) {
  BIO *bio = BIO_new(BIO_s_mem());
  if (!bio) return 0;
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char *text = NULL;
  long length = BIO_get_mem_data(bio, &text);
  if (length > 0) memcpy(buffer, text, length < capacity ? length : capacity);
  BIO_free(bio);
  return (int)length;
}
