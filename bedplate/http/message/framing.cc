// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/framing.h"

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"
#include "bedplate/http/message/url.h"

namespace bedplate::http {
namespace {

constexpr Rejection kBadLength = {400, "bad_content_length", "Content-Length is not valid."};
constexpr Rejection kRepeatedLength = {400, "repeated_content_length",
                                       "There is more than one Content-Length."};
constexpr Rejection kTwoLengths = {400, "ambiguous_body_length",
                                   "Content-Length and Transfer-Encoding do not go together."};
constexpr Rejection kBadCoding = {400, "bad_transfer_encoding", "Transfer-Encoding is not valid here."};
constexpr Rejection kUnknownCoding = {501, "transfer_encoding_not_implemented",
                                      "The only transfer coding is chunked."};
constexpr Rejection kNoHost = {400, "host_missing", "The Host header field is missing."};
constexpr Rejection kRepeatedHost = {400, "host_repeated", "There is more than one Host header field."};
constexpr Rejection kBadHost = {400, "bad_host", "The Host header field is not valid."};
constexpr Rejection kRepeatedField = {400, "repeated_header",
                                      "A header field that may stand only once is repeated."};
constexpr Rejection kBadExpect = {417, "expectation_failed", "The only expectation is 100-continue."};

const Rejection* read_length(const RequestHead& head, Framing& out) {
  if (head.is_repeated(FieldId::content_length)) return &kRepeatedLength;
  const std::string_view text = head.value(FieldId::content_length);
  if (text.empty() || text.size() > 19) return &kBadLength;
  std::uint64_t size = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return &kBadLength;
    size = size * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (size > static_cast<std::uint64_t>(INT64_MAX)) return &kBadLength;
  out.body = size == 0 ? BodyKind::none : BodyKind::sized;
  out.size = size;
  return nullptr;
}

const Rejection* read_transfer_encoding(const RequestHead& head, Framing& out) {
  if (head.has(FieldId::content_length)) return &kTwoLengths;
  if (head.minor_version == 0 || head.is_repeated(FieldId::transfer_encoding)) return &kBadCoding;
  std::string_view rest = head.value(FieldId::transfer_encoding);
  if (!equal_ignoring_case(rest, "chunked")) {
    bool chunked_last = false;
    while (!rest.empty()) {
      const std::string_view coding = next_list_member(rest);
      if (chunked_last || !is_token(coding)) return &kBadCoding;
      chunked_last = equal_ignoring_case(coding, "chunked");
    }
    return chunked_last ? &kUnknownCoding : &kBadCoding;
  }
  out.body = BodyKind::chunked;
  return nullptr;
}

const Rejection* read_host(const RequestHead& head, std::string_view known_host) {
  if (!head.has(FieldId::host)) return head.minor_version >= 1 ? &kNoHost : nullptr;
  if (head.is_repeated(FieldId::host)) return &kRepeatedHost;
  const std::string_view host = head.value(FieldId::host);
  if (host.empty()) return &kBadHost;
  return host == known_host || is_valid_authority(host) ? nullptr : &kBadHost;
}

void read_connection(const RequestHead& head, Framing& out) {
  for (const Field& field : head.fields) {
    if (field.id != FieldId::connection) continue;
    if (list_has_token(field.value, "close")) {
      out.keep_alive = false;
      return;
    }
    if (list_has_token(field.value, "keep-alive")) out.keep_alive = true;
  }
}

}  // namespace

const Rejection* read_framing(const RequestHead& head, Framing& out, std::string_view known_host) {
  out = Framing();
  out.keep_alive = head.minor_version >= 1;
  if (const Rejection* rejection = read_host(head, known_host)) return rejection;
  if (head.has(FieldId::transfer_encoding)) {
    if (const Rejection* rejection = read_transfer_encoding(head, out)) return rejection;
  } else if (head.has(FieldId::content_length)) {
    if (const Rejection* rejection = read_length(head, out)) return rejection;
  }
  if (head.is_repeated(FieldId::authorization) || head.is_repeated(FieldId::content_type))
    return &kRepeatedField;
  if (head.has(FieldId::connection)) read_connection(head, out);
  if (head.has(FieldId::expect) && head.minor_version >= 1) {
    if (head.is_repeated(FieldId::expect) ||
        !equal_ignoring_case(head.value(FieldId::expect), "100-continue"))
      return &kBadExpect;
    out.expects_continue = out.body != BodyKind::none;
  }
  return nullptr;
}

}  // namespace bedplate::http
