// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/answer.h"

#include <cstring>

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"

namespace bedplate::http {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view kLength = "Content-Length: ";
constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kKeepAlive = "Connection: keep-alive\r\n";
constexpr std::size_t kFixedSizeMax = 192;  // all of the above, the longest status line, and the number

inline char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_status_line(char* out, int status) {
  if (status == 200) return put(out, kOk);
  out = put(out, "HTTP/1.1 ");
  out = write_uint(out, static_cast<std::uint64_t>(status));
  *out++ = ' ';
  out = put(out, reason_phrase(status));
  return put(out, "\r\n");
}

bool may_transform(const Response& response) {
  return !response.compression_forbidden() && response.field(FieldId::content_encoding).empty() &&
         response.field(FieldId::content_range).empty() && response.status() != 206 &&
         !list_has_token(response.field(FieldId::cache_control), "no-transform");
}

void add_vary(Response& response) {
  const std::string_view vary = response.field(FieldId::vary);
  if (vary == "*" || list_has_token(vary, "Accept-Encoding")) return;
  response.add_field(FieldId::vary, "Accept-Encoding");
}

// "7" becomes "7-gzip". Weak tags promise no bytes and stay.
void add_etag_suffix(Response& response, Coding coding) {
  const std::string_view etag = response.field(FieldId::etag);
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return;
  std::string tagged(etag.substr(0, etag.size() - 1));
  tagged.append("-").append(coding_name(coding)).append("\"");
  response.set_field(FieldId::etag, tagged);
}

// A 304 names the tag that the 200 would have had: the one of the coding that the client holds.
void match_not_modified(Request& request, Response& response, Coding coding) {
  const std::string_view etag = response.field(FieldId::etag);
  if (etag.size() < 2 || coding == Coding::identity) return;
  std::string tagged(etag.substr(0, etag.size() - 1));
  tagged.append("-").append(coding_name(coding)).append("\"");
  if (request.field_list(FieldId::if_none_match).find(tagged) != std::string_view::npos)
    response.set_field(FieldId::etag, tagged);
}

std::uint64_t body_size_of(const Response& response) {
  const std::string_view fixed = response.static_body();
  return fixed.data() ? fixed.size() : response.body().size();
}

}  // namespace

void append_answer_head(Buffer& out, const Response& response, std::string_view date_line,
                        const AnswerFraming& framing) {
  const std::string_view lines = response.field_lines();
  char* p = out.need(kFixedSizeMax + date_line.size() + lines.size());
  p = put_status_line(p, response.status());
  p = put(p, date_line);
  if (!lines.empty()) p = put(p, lines);
  if (framing.length == AnswerLength::sized) {
    p = put(p, kLength);
    p = write_uint(p, framing.size);
    p = put(p, "\r\n");
  } else if (framing.length == AnswerLength::chunked) {
    p = put(p, kChunked);
  }
  if (framing.close)
    p = put(p, kClose);
  else if (framing.say_keep_alive)
    p = put(p, kKeepAlive);
  p = put(p, "\r\n");
  out.advance_to(p);
}

namespace {

// Sets Vary where the choice was the client's.
Coding choose_body_coding(Request& request, Response& response, const CodingRules& rules) {
  const bool streamed = response.body_source() != nullptr;
  const bool small = !streamed && body_size_of(response) < rules.size_min;
  const bool asked = request.has_field(FieldId::accept_encoding);
  // Nearly every small answer ends here. Only a client that refuses identity gets it compressed all the same.
  if (small && (!asked || request.field(FieldId::accept_encoding).find("=0") == std::string_view::npos))
    return Coding::identity;
  if (is_bodiless(response.status()) || !may_transform(response)) return Coding::identity;
  if (!is_compressible(response.field(FieldId::content_type))) return Coding::identity;
  if (!small) add_vary(response);
  if (!asked) return Coding::identity;
  const CodingChoice choice = choose_coding(request.field_list(FieldId::accept_encoding));
  if (choice.coding == Coding::identity || (small && !choice.identity_refused)) return Coding::identity;
  if (small) add_vary(response);
  return choice.coding;
}

// RFC 9110 section 15.4.5: a 304 has the Vary of the 200. How large that was is not known here, so each that could
// have been compressed counts.
void finish_not_modified(Request& request, Response& response, const CodingRules& rules) {
  const bool compressible = is_compressible(response.field(FieldId::content_type));
  response.remove_field(FieldId::content_type);  // of a body that is not sent
  if (!rules.enabled) return;
  if (compressible && may_transform(response)) add_vary(response);
  if (request.has_field(FieldId::accept_encoding))
    match_not_modified(request, response, choose_coding(request.field_list(FieldId::accept_encoding)).coding);
}

}  // namespace

Coding negotiate_coding(Request& request, Response& response, const CodingRules& rules) {
  if (response.status() == 304) {
    finish_not_modified(request, response, rules);
    return Coding::identity;
  }
  if (!rules.enabled) return Coding::identity;
  const Coding coding = choose_body_coding(request, response, rules);
  if (coding == Coding::identity) return coding;
  response.set_field(FieldId::content_encoding, coding_name(coding));
  add_etag_suffix(response, coding);
  return coding;
}

}  // namespace bedplate::http
