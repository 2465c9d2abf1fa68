// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/token.h"

#include <fmt/core.h>
#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "bedplate/auth/key_ring.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/describe.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::auth {
namespace {

constexpr std::string_view kAlgorithm = "EdDSA";
constexpr std::string_view kType = "at+jwt";
constexpr std::size_t kSignatureSize = crypto_sign_BYTES;
constexpr std::size_t kSignatureTextSize = 86;
constexpr std::size_t kHeaderTextSizeMax = 256;

/// An unknown field of the header changes what the signature means (`crit`): refused. An unknown claim under
/// a good signature is one that a newer replica has begun to write: ignored, as RFC 7519 section 4 asks.
constexpr JsonLimits kHeaderLimits{.depth_max = 2};
constexpr JsonLimits kPayloadLimits{.depth_max = 8, .ignore_unknown_fields = true};

static_assert(crypto_sign_SEEDBYTES == SigningKey::kSeedSize);
static_assert(crypto_sign_PUBLICKEYBYTES == sizeof(PublicKey));

/// The JOSE header (RFC 7515 section 4).
struct Header {
  std::string alg;
  std::string typ;
  std::string kid;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Header>("The header of an access token", {
                                                               field<&Header::alg>("Always EdDSA"),
                                                               field<&Header::typ>("Always at+jwt"),
                                                               field<&Header::kid>("Which key signed it"),
                                                           });
  }
};

struct Payload {
  std::string iss;
  std::string aud;
  UserId sub;
  SessionId sid;
  Uuid jti;
  std::optional<Uuid> tid;
  std::int64_t iat = 0;
  std::int64_t nbf = 0;
  std::int64_t exp = 0;
  std::string scope;
  std::vector<std::string> roles;
  std::int64_t gen = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Payload>(
        "The claims of an access token",
        {
            field<&Payload::iss>("Who issued it"),
            field<&Payload::aud>("For whom"),
            field<&Payload::sub>("The user"),
            field<&Payload::sid>("The session"),
            field<&Payload::jti>("This token"),
            field<&Payload::tid>(omit_null, "The tenant, if there is one"),
            field<&Payload::iat>(range{0, kSecondsMax}, "Issued at"),
            field<&Payload::nbf>(range{0, kSecondsMax}, "Not before"),
            field<&Payload::exp>(range{0, kSecondsMax}, "Refused from here on"),
            field<&Payload::scope>("Scopes, joined by spaces"),
            field<&Payload::roles>("The user's roles"),
            field<&Payload::gen>(range{0, kSecondsMax}, "The generation of the user's rights"),
        });
  }

  static constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the end of the year 9999
};

Time from_seconds(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

std::int64_t to_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string_view bytes_of(const auto& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

const unsigned char* unsigned_data(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void init_sodium() {
  static const int ready = sodium_init();
  if (ready < 0) std::abort();  // no random numbers, no safety
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

/// Nothing when two spaces meet or one stands at an end: sign_token() writes no such thing.
std::optional<std::vector<std::string>> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    std::size_t space = text.find(' ');
    if (space == 0 || space + 1 == text.size()) return std::nullopt;
    words.emplace_back(text.substr(0, space));
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
  }
  return words;
}

template <class T>
std::string encode_part(const T& value) {
  std::string json;
  to_json(json, value);
  return to_base64url(json);
}

template <class T>
std::optional<T> decode_part(std::string_view text, const JsonLimits& limits) {
  auto json = from_base64url(text);
  if (!json) return std::nullopt;
  Result<T> value = from_json<T>(*json, limits);
  if (!value) return std::nullopt;
  return std::move(*value);
}

/// The three parts of a compact JWS.
struct Parts {
  std::string_view header, payload, signature, signed_text;
};

std::optional<Parts> split_token(std::string_view token) {
  if (token.size() > kTokenSizeMax) return std::nullopt;
  std::size_t first = token.find('.');
  if (first == std::string_view::npos || first > kHeaderTextSizeMax) return std::nullopt;
  std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  Parts parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1),
              token.substr(0, second)};
  if (parts.signature.size() != kSignatureTextSize) return std::nullopt;
  return parts;
}

bool signature_holds(const Parts& parts, const PublicKey& key) {
  init_sodium();
  auto signature = from_base64url(parts.signature);
  if (!signature || signature->size() != kSignatureSize) return false;
  return crypto_sign_verify_detached(unsigned_data(*signature), unsigned_data(parts.signed_text),
                                     parts.signed_text.size(), key.data()) == 0;
}

}  // namespace

SigningKey SigningKey::generate() {
  init_sodium();
  Seed seed;
  randombytes_buf(seed.data(), seed.size());
  SigningKey key(seed);
  sodium_memzero(seed.data(), seed.size());
  return key;
}

SigningKey::SigningKey(const Seed& seed) {
  init_sodium();
  crypto_sign_seed_keypair(public_key_.data(), secret_key_.data(), seed.data());
  kid_ = thumbprint(public_key_);
}

SigningKey::~SigningKey() {
  sodium_memzero(secret_key_.data(), secret_key_.size());
}

SigningKey::Seed SigningKey::seed() const {
  Seed seed;
  crypto_sign_ed25519_sk_to_seed(seed.data(), secret_key_.data());
  return seed;
}

std::array<std::uint8_t, 64> SigningKey::sign(std::string_view message) const {
  std::array<std::uint8_t, kSignatureSize> signature;
  crypto_sign_detached(signature.data(), nullptr, unsigned_data(message), message.size(), secret_key_.data());
  return signature;
}

std::string thumbprint(const PublicKey& key) {
  std::string json = R"({"crv":"Ed25519","kty":"OKP","x":")" + to_base64url(bytes_of(key)) + "\"}";
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), unsigned_data(json), json.size());
  return to_base64url(bytes_of(hash));
}

std::string sign_token(const SigningKey& key, const TokenPolicy& policy, const TokenClaims& claims) {
  Header header{std::string(kAlgorithm), std::string(kType), key.kid()};
  Payload payload;
  payload.iss = policy.issuer;
  payload.aud = policy.audience;
  payload.sub = claims.user;
  payload.sid = claims.session;
  payload.jti = claims.id;
  payload.tid = claims.tenant;
  payload.iat = to_seconds(claims.issued_at);
  payload.nbf = payload.iat;
  payload.exp = to_seconds(claims.expires_at);
  payload.scope = join(claims.scopes);
  payload.roles = claims.roles;
  payload.gen = claims.generation;
  std::string token = encode_part(header) + "." + encode_part(payload);
  auto signature = key.sign(token);
  token += '.';
  token += to_base64url(bytes_of(signature));
  return token;
}

Result<TokenClaims> verify_token(std::string_view token, const KeyRing& ring, const TokenPolicy& policy,
                                 Time now) {
  auto parts = split_token(token);
  if (!parts) return invalid_token();
  auto header = decode_part<Header>(parts->header, kHeaderLimits);
  if (!header || header->alg != kAlgorithm || header->typ != kType) return invalid_token();
  auto key = ring.find(header->kid, now);
  if (!key || !signature_holds(*parts, *key)) return invalid_token();

  auto payload = decode_part<Payload>(parts->payload, kPayloadLimits);
  if (!payload || payload->iss != policy.issuer || payload->aud != policy.audience) return invalid_token();
  auto scopes = split(payload->scope);
  if (!scopes) return invalid_token();
  const Time valid_from = from_seconds(std::max(payload->nbf, payload->iat));
  if (valid_from > now + policy.leeway) return token_not_yet_valid(valid_from, now);
  if (from_seconds(payload->exp) <= now) return expired_token(from_seconds(payload->exp), now);

  TokenClaims claims;
  claims.user = payload->sub;
  claims.session = payload->sid;
  claims.id = payload->jti;
  claims.roles = std::move(payload->roles);
  claims.scopes = std::move(*scopes);
  claims.tenant = payload->tid;
  claims.generation = payload->gen;
  claims.issued_at = from_seconds(payload->iat);
  claims.expires_at = from_seconds(payload->exp);
  claims.kid = std::move(header->kid);
  return claims;
}

std::unexpected<Error> invalid_token() {
  return fail(kInvalidToken);
}

std::unexpected<Error> expired_token(Time expires_at, Time now) {
  return fail(kExpiredToken,
              fmt::format("The access token expired {} s ago by this server's clock. Refresh it.",
                          std::chrono::floor<std::chrono::seconds>(now - expires_at).count()));
}

std::unexpected<Error> token_not_yet_valid(Time valid_from, Time now) {
  return fail(
      kTokenNotYetValid,
      fmt::format("The access token is valid only in {} s by this server's clock: it differs from the "
                  "clock of the server that issued the token.",
                  std::chrono::ceil<std::chrono::seconds>(valid_from - now).count()));
}

}  // namespace bedplate::auth
