// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

namespace bedplate {
namespace {

constexpr std::size_t kRecordSizeMax = 16 << 10;
constexpr std::size_t kWireSize = kRecordSizeMax + 512;

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason ? reason : "unknown reason";
}

std::unexpected<Error> settings_wrong(const std::string& what) {
  return fail(Category::invalid, "tls_settings", what + ": " + openssl_reason() + ".");
}

std::unexpected<Error> tls_failed(const std::string& why) {
  return fail(Category::unavailable, "tls_failed", "The encrypted connection failed: " + why + ".");
}

bool is_ip_address(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

std::shared_ptr<void> make_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  if (context == nullptr) return nullptr;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return {context, [](void* owned) { SSL_CTX_free(static_cast<SSL_CTX*>(owned)); }};
}

Result<void> use_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return settings_wrong("Cannot use the certificate " + certificate);
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return settings_wrong("Cannot use the key " + key);
  return {};
}

}  // namespace

struct TlsStream::State {
  std::unique_ptr<SSL, SslDeleter> ssl;
  BIO* incoming = nullptr;  ///< owned by `ssl`, both
  BIO* outgoing = nullptr;
  bool verify = true;
  bool flushing = false;
  std::array<char, kWireSize> in;
  std::array<char, kWireSize> out;
};

// ---- TlsContext

Result<TlsContext> TlsContext::for_clients(const TlsClientOptions& options) {
  ERR_clear_error();
  std::shared_ptr<void> owned = make_context(TLS_client_method());
  if (!owned) return settings_wrong("Cannot use TLS");
  auto* context = static_cast<SSL_CTX*>(owned.get());
  if (options.authorities_file.empty())
    SSL_CTX_set_default_verify_paths(context);
  else if (SSL_CTX_load_verify_locations(context, options.authorities_file.c_str(), nullptr) != 1)
    return settings_wrong("Cannot use the certificate authorities of " + options.authorities_file);
  if (!options.certificate_file.empty())
    if (auto used = use_certificate(context, options.certificate_file, options.key_file); !used)
      return std::unexpected(std::move(used.error()));
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return TlsContext(std::move(owned), options.verify);
}

Result<TlsContext> TlsContext::for_servers(const TlsServerOptions& options) {
  ERR_clear_error();
  std::shared_ptr<void> owned = make_context(TLS_server_method());
  if (!owned) return settings_wrong("Cannot use TLS");
  auto used = use_certificate(static_cast<SSL_CTX*>(owned.get()), options.certificate_file, options.key_file);
  if (!used) return std::unexpected(std::move(used.error()));
  return TlsContext(std::move(owned), false);
}

// ---- TlsStream

TlsStream::TlsStream(Stream stream, const TlsContext& context)
    : stream_(std::move(stream)), state_(std::make_unique<State>()) {
  state_->ssl.reset(SSL_new(static_cast<SSL_CTX*>(context.context_.get())));
  state_->incoming = BIO_new(BIO_s_mem());
  state_->outgoing = BIO_new(BIO_s_mem());
  state_->verify = context.verify_;
  SSL_set_bio(state_->ssl.get(), state_->incoming, state_->outgoing);
}

TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;
TlsStream::~TlsStream() = default;

Async<void> TlsStream::connect(std::string host) {
  SSL* ssl = state_->ssl.get();
  SSL_set_connect_state(ssl);
  const bool address = is_ip_address(host);
  // What the macro SSL_set_tlsext_host_name() does, without its cast.
  if (!address) SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data());
  if (state_->verify) {
    X509_VERIFY_PARAM* checks = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str())
                            : X509_VERIFY_PARAM_set1_host(checks, host.data(), host.size());
    if (set != 1) co_await tls_failed("the host name cannot be checked");
  }
  co_await ok(shake_hands());
}

Async<void> TlsStream::accept() {
  SSL_set_accept_state(state_->ssl.get());
  return shake_hands();
}

Async<void> TlsStream::shake_hands() {
  SSL* ssl = state_->ssl.get();
  for (;;) {
    ERR_clear_error();
    const int status = SSL_do_handshake(ssl);
    const int error = SSL_get_error(ssl, status);
    std::string why;
    if (status != 1 && error != SSL_ERROR_WANT_READ) {
      const long verified = SSL_get_verify_result(ssl);
      why = verified == X509_V_OK ? openssl_reason() : X509_verify_cert_error_string(verified);
    }
    // Also when it failed: the alert tells the other side why.
    Result<void> sent = co_await flush();
    if (!why.empty()) co_await tls_failed(why);
    if (!sent) co_await std::unexpected(std::move(sent.error()));
    if (status == 1) co_return;
    co_await ok(fill());
  }
}

Async<std::size_t> TlsStream::read(std::span<char> buffer) {
  if (buffer.empty()) co_return std::size_t{0};
  SSL* ssl = state_->ssl.get();
  for (;;) {
    ERR_clear_error();
    std::size_t size = 0;
    const int status = SSL_read_ex(ssl, buffer.data(), buffer.size(), &size);
    if (status == 1) co_return size;
    const int error = SSL_get_error(ssl, status);
    if (error == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
    if (error != SSL_ERROR_WANT_READ) co_return tls_failed(openssl_reason());
    co_await ok(flush());
    co_await ok(fill());
  }
}

Async<void> TlsStream::write_all(std::string_view data) {
  SSL* ssl = state_->ssl.get();
  while (!data.empty()) {
    // A record at a time, so that what is encrypted and not sent stays small.
    const std::string_view piece = data.substr(0, kRecordSizeMax);
    ERR_clear_error();
    std::size_t size = 0;
    if (SSL_write_ex(ssl, piece.data(), piece.size(), &size) != 1) co_await tls_failed(openssl_reason());
    data.remove_prefix(size);
    co_await ok(flush());
  }
}

Async<void> TlsStream::fill() {
  std::size_t size = co_await ok(stream_.read(state_->in));
  if (size == 0) co_await fail(Category::cancelled, "connection_closed", "The connection was closed.");
  BIO_write(state_->incoming, state_->in.data(), static_cast<int>(size));
}

Async<void> TlsStream::flush() {
  if (state_->flushing) co_return;
  state_->flushing = true;
  Result<void> sent;
  while (sent && BIO_pending(state_->outgoing) > 0) {
    const int size = BIO_read(state_->outgoing, state_->out.data(), static_cast<int>(state_->out.size()));
    sent = co_await stream_.write_all(
        std::string_view(state_->out.data(), static_cast<std::size_t>(std::max(size, 0))));
  }
  state_->flushing = false;
  if (!sent) co_await std::unexpected(std::move(sent.error()));
}

}  // namespace bedplate
