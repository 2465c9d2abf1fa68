// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/chunked.h"

#include <algorithm>

#include "bedplate/base/text.h"
#include "bedplate/http/message/chars.h"
#include "bedplate/http/message/parser.h"

namespace bedplate::http {
namespace {

constexpr unsigned kSizeDigitsMax = 16;

// RFC 9110 section 6.5.1: fields that say how to read, route or authorise a message come too late in a
// trailer.
bool is_forbidden_in_trailer(FieldId id) {
  switch (id) {
    case FieldId::authorization:
    case FieldId::cache_control:
    case FieldId::connection:
    case FieldId::content_encoding:
    case FieldId::content_length:
    case FieldId::content_range:
    case FieldId::content_type:
    case FieldId::cookie:
    case FieldId::expect:
    case FieldId::forwarded:
    case FieldId::host:
    case FieldId::idempotency_key:
    case FieldId::if_match:
    case FieldId::if_modified_since:
    case FieldId::if_none_match:
    case FieldId::if_range:
    case FieldId::if_unmodified_since:
    case FieldId::keep_alive:
    case FieldId::max_forwards:
    case FieldId::pragma:
    case FieldId::proxy_authorization:
    case FieldId::range:
    case FieldId::set_cookie:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::x_forwarded_for:
      return true;
    default:
      return false;
  }
}

}  // namespace

void ChunkedDecoder::reset() {
  state_ = State::size;
  digits_ = 0;
  left_ = data_size_ = overhead_ = 0;
  trailer_size_ = trailer_count_ = 0;
  line_.clear();
}

void ChunkedDecoder::read_size_byte(char c) {
  if (chars::is(c, chars::kHex)) {
    if (++digits_ > kSizeDigitsMax || left_ >> 58 != 0) {
      state_ = State::failed;
      return;
    }
    left_ = left_ << 4 | static_cast<std::uint64_t>(hex_digit_value(c));
    return;
  }
  if (digits_ == 0)
    state_ = State::failed;
  else if (c == ';')
    state_ = State::extension;
  else if (c == ' ' || c == '\t')
    state_ = State::size_blank;
  else
    state_ = c == '\r' ? State::size_lf : State::failed;
}

bool ChunkedDecoder::is_trailer_line_valid() const {
  Field field;
  const char* end = line_.data() + line_.size();
  const LineParse parse = parse_field_line(line_.data(), end, field);
  return parse.state == ParseState::complete && parse.next == end && !is_forbidden_in_trailer(field.id);
}

void ChunkedDecoder::read_trailer_byte(char c) {
  line_.push_back(c);
  if (++trailer_size_ > kTrailerSizeMax) {
    state_ = State::failed;
    return;
  }
  if (c != '\n') return;
  if (line_ == "\r\n") {
    state_ = State::done;
    return;
  }
  if (++trailer_count_ > kTrailerCountMax || !is_trailer_line_valid()) state_ = State::failed;
  line_.clear();
}

void ChunkedDecoder::read_framing_byte(char c) {
  switch (state_) {
    case State::size:
      read_size_byte(c);
      break;
    case State::size_blank:
      if (c == ';')
        state_ = State::extension;
      else if (c != ' ' && c != '\t')
        state_ = State::failed;
      break;
    case State::extension:
      if (c == '\r')
        state_ = State::size_lf;
      else if (!chars::is(c, chars::kValue))
        state_ = State::failed;
      break;
    case State::size_lf:
      digits_ = 0;
      state_ = c != '\n' ? State::failed : left_ == 0 ? State::trailer : State::data;
      break;
    case State::data_cr:
      state_ = c == '\r' ? State::data_lf : State::failed;
      break;
    case State::data_lf:
      state_ = c == '\n' ? State::size : State::failed;
      break;
    case State::trailer:
      read_trailer_byte(c);
      return;  // has a bound of its own
    case State::data:
    case State::done:
    case State::failed:
      return;
  }
  if (++overhead_ > kOverheadMax + data_size_) state_ = State::failed;
}

std::string_view ChunkedDecoder::next(std::string_view& input) {
  std::size_t at = 0;
  while (at < input.size() && state_ != State::done && state_ != State::failed) {
    if (state_ == State::data) {
      const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - at));
      const std::string_view piece = input.substr(at, size);
      left_ -= size;
      data_size_ += size;
      if (left_ == 0) state_ = State::data_cr;
      input.remove_prefix(at + size);
      return piece;
    }
    read_framing_byte(input[at++]);
  }
  input.remove_prefix(at);
  return {};
}

char* write_chunk_head(char* out, std::size_t size) {
  char digits[16];
  std::size_t count = 0;
  do {
    digits[count++] = "0123456789abcdef"[size & 15];
    size >>= 4;
  } while (size != 0);
  while (count != 0) *out++ = digits[--count];
  *out++ = '\r';
  *out++ = '\n';
  return out;
}

}  // namespace bedplate::http
