// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/result.h"

#include "bedplate/base/text.h"

#include <utility>

namespace bedplate {

int http_status(Category category) {
  switch (category) {
    case Category::malformed:
      return 400;
    case Category::unauthenticated:
      return 401;
    case Category::forbidden:
      return 403;
    case Category::not_found:
      return 404;
    case Category::method_not_allowed:
      return 405;
    case Category::not_acceptable:
      return 406;
    case Category::request_timeout:
      return 408;
    case Category::conflict:
      return 409;
    case Category::gone:
      return 410;
    case Category::precondition_failed:
      return 412;
    case Category::too_large:
      return 413;
    case Category::uri_too_long:
      return 414;
    case Category::unsupported_media_type:
      return 415;
    case Category::expectation_failed:
      return 417;
    case Category::invalid:
      return 422;
    case Category::rate_limited:
      return 429;
    case Category::headers_too_large:
      return 431;
    case Category::internal:
      return 500;
    case Category::not_implemented:
      return 501;
    case Category::unavailable:
      return 503;
    case Category::timeout:
      return 504;
    case Category::cancelled:
      return 499;
  }
  return 500;
}

Error::Error(Category category, std::string_view code, std::string detail)
    : body_(new Body{.category = category, .code = std::string(code), .detail = std::move(detail)}) {}

Error Error::clone() const {
  Error copy(category(), code(), detail());
  *copy.body_ = *body_;
  return copy;
}

std::string Error::summary() const {
  constexpr std::size_t kSizeMax = 1024;
  std::string text = code() + ": " + detail();
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  if (!is_valid_utf8(text)) return code();
  return std::string(utf8_prefix(text, kSizeMax));
}

Error&& Error::with_faults(std::vector<Fault> faults, bool more) && {
  body_->faults = std::move(faults);
  body_->more_faults = more;
  return std::move(*this);
}

Error&& Error::with_subject(std::string subject) && {
  body_->subject = std::move(subject);
  return std::move(*this);
}

Error&& Error::with_retry_after(std::chrono::seconds wait) && {
  body_->retry_after = wait;
  return std::move(*this);
}

Error&& Error::keeping_writes() && {
  body_->keeps_writes = true;
  return std::move(*this);
}

std::unexpected<Error> fail(Category category, std::string_view code, std::string detail) {
  return std::unexpected<Error>(std::in_place, category, code, std::move(detail));
}

std::unexpected<Error> fail(const ErrorCode& error) {
  return fail(error, std::string(error.detail));
}

std::unexpected<Error> fail(const ErrorCode& error, std::string detail) {
  return fail(error.category, error.code, std::move(detail));
}

std::unexpected<Error> refuse_and_commit(Error error) {
  return std::unexpected<Error>(std::move(error).keeping_writes());
}

}  // namespace bedplate
