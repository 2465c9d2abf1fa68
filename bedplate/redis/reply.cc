// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/reply.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "bedplate/base/text.h"

namespace bedplate::redis {
namespace {

constexpr std::size_t kLineSizeMax = 64 << 10;
constexpr std::size_t kReserveMax = 1024;    // a claimed count is believed so far
constexpr std::size_t kKeptMax = 256 << 10;  // of the buffer, while nothing is in it

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  if (text == "inf" || text == "+inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text.starts_with("nan") || text.starts_with("-nan")) return std::numeric_limits<double>::quiet_NaN();
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (error != std::errc() && error != std::errc::result_out_of_range) return std::nullopt;
  return value;
}

Reply::Kind kind_of_aggregate(char type) {
  switch (type) {
    case '%':
    case '|':
      return Reply::Kind::map;
    case '~':
      return Reply::Kind::set;
    case '>':
      return Reply::Kind::push;
    default:
      return Reply::Kind::array;
  }
}

}  // namespace

bool Reply::is_error(std::string_view code) const {
  return kind == Kind::error && text.starts_with(code) &&
         (text.size() == code.size() || text[code.size()] == ' ');
}

const Reply* Reply::find(std::string_view key) const {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::text && items[i].text == key) return &items[i + 1];
  return nullptr;
}

std::span<char> ReplyParser::room(std::size_t size) {
  if (at_ == bytes_.size()) {
    bytes_.shrink_to(kKeptMax);
    at_ = 0;
  } else if (at_ > bytes_.size() / 2) {
    bytes_.consume(at_);
    at_ = 0;
  }
  char* free = bytes_.need(size);
  return {free, std::max(size, bytes_.capacity() - bytes_.size())};
}

void ReplyParser::received(std::size_t size) {
  bytes_.advance_to(bytes_.data() + bytes_.size() + size);
}

Result<std::optional<Reply>> ReplyParser::next() {
  std::optional<Reply> done;
  for (;;) {
    const Step step = why_broken_.empty() ? read_part(done) : Step::broken;
    if (step == Step::more) return std::optional<Reply>();
    if (step == Step::broken) return fail(Category::malformed, "redis_protocol", why_broken_);
    if (step == Step::part) continue;
    size_ = items_ = 0;
    return done;
  }
}

ReplyParser::Step ReplyParser::broken(std::string_view why) {
  why_broken_ = why;
  return Step::broken;
}

// A line with its type and end is read, and nothing behind it is touched.
ReplyParser::Step ReplyParser::read_line(char& type, std::string_view& line) {
  const std::string_view bytes = unread();
  const std::size_t end = bytes.find('\n', scanned_);
  if (end == std::string_view::npos) {
    scanned_ = bytes.size();
    return bytes.size() > kLineSizeMax ? broken("A line is too long.") : Step::more;
  }
  if (end < 2 || bytes[end - 1] != '\r') return broken("A line does not end as it must.");
  type = bytes[0];
  line = bytes.substr(1, end - 2);
  return Step::part;
}

ReplyParser::Step ReplyParser::read_part(std::optional<Reply>& done) {
  char type = 0;
  std::string_view line;
  if (Step step = read_line(type, line); step != Step::part) return step;
  Reply reply;
  Step step = Step::part;
  const bool bulk = type == '$' || type == '!' || type == '=';
  if (!open_.empty() && open_.back().streamed_text) {
    if (type != ';') return broken("A streamed string is broken into.");
    return read_chunk(line, done);
  }
  if (type == '*' || type == '~' || type == '%' || type == '>' || type == '|' || (bulk && line == "?"))
    return open(type, line, done);
  if (type == '.' && line.empty()) {
    at_ += 3;
    scanned_ = 0;
    return end_streamed(done);
  }
  if (bulk) {
    step = read_bulk(type, line, reply);
  } else {
    step = read_simple(type, line, reply);
    if (step == Step::part) at_ += line.size() + 3;
  }
  if (step != Step::part) return step;
  scanned_ = 0;
  size_ += line.size() + 3;
  if (size_ > limits_.size_bytes_max || ++items_ > limits_.items_max) return broken("A reply is too large.");
  return close(std::move(reply), done);
}

ReplyParser::Step ReplyParser::read_simple(char type, std::string_view line, Reply& reply) {
  switch (type) {
    case '+':
    case '(':
      reply.kind = Reply::Kind::text;
      reply.text = line;
      return Step::part;
    case '-':
      reply.kind = Reply::Kind::error;
      reply.text = line;
      return Step::part;
    case '_':
      return line.empty() ? Step::part : broken("A null has a value.");
    case '#':
      if (line != "t" && line != "f") return broken("A boolean is neither.");
      reply.kind = Reply::Kind::boolean;
      reply.integer = line == "t";
      return Step::part;
    case ':':
      if (std::optional<std::int64_t> value = parse_integer(line)) {
        reply.kind = Reply::Kind::integer;
        reply.integer = *value;
        return Step::part;
      }
      return broken("A number cannot be read.");
    case ',':
      if (std::optional<double> value = parse_real(line)) {
        reply.kind = Reply::Kind::real;
        reply.real = *value;
        return Step::part;
      }
      return broken("A number cannot be read.");
    default:
      return broken("A type is not known.");
  }
}

// The bytes of a bulk are taken once all of them are there; until then the line stays unread.
ReplyParser::Step ReplyParser::read_bulk(char type, std::string_view line, Reply& reply) {
  std::optional<std::int64_t> claimed = parse_integer(line);
  if (type == '$' && claimed == -1) {
    at_ += line.size() + 3;
    return Step::part;
  }
  if (!claimed || *claimed < 0) return broken("The size of a string cannot be read.");
  const auto size = static_cast<std::size_t>(*claimed);
  if (size > limits_.size_bytes_max || size_ + size > limits_.size_bytes_max)
    return broken("A reply is too large.");
  std::string_view bytes = unread().substr(line.size() + 3);
  if (bytes.size() < size + 2) return Step::more;
  if (bytes.substr(size, 2) != "\r\n") return broken("A string does not end as it must.");
  bytes = bytes.substr(0, size);
  if (type == '=') {  // "txt:" or "mkd:", then the text
    if (size < 4 || bytes[3] != ':') return broken("A verbatim string does not say what it is.");
    bytes.remove_prefix(4);
  }
  reply.kind = type == '!' ? Reply::Kind::error : Reply::Kind::text;
  reply.text = bytes;
  size_ += size + 2;
  at_ += line.size() + 3 + size + 2;
  return Step::part;
}

ReplyParser::Step ReplyParser::open(char type, std::string_view line, std::optional<Reply>& done) {
  Open opened;
  opened.attribute = type == '|';
  std::size_t parts = kUntilEnd;
  if (line == "?") {
    if (type == '!' || type == '=' || type == '>' || type == '|')
      return broken("This type cannot be streamed.");
    opened.streamed_text = type == '$';
    opened.reply.kind = opened.streamed_text ? Reply::Kind::text : kind_of_aggregate(type);
  } else {
    std::optional<std::int64_t> claimed = parse_integer(line);
    const bool null = type == '*' && claimed == -1;
    if (!null && (!claimed || *claimed < 0)) return broken("The size of a list cannot be read.");
    parts = null ? 0 : static_cast<std::size_t>(*claimed);
    if (parts > limits_.items_max) return broken("A reply is too large.");
    opened.reply.kind = null ? Reply::Kind::null : kind_of_aggregate(type);
    if (opened.reply.kind == Reply::Kind::map) parts *= 2;
    opened.reply.items.reserve(std::min(parts, kReserveMax));
  }
  at_ += line.size() + 3;
  scanned_ = 0;
  size_ += line.size() + 3;
  if (size_ > limits_.size_bytes_max || ++items_ > limits_.items_max) return broken("A reply is too large.");
  if (open_.size() >= limits_.depth_max) return broken("A reply is too deep.");
  if (parts == 0 && opened.attribute) return Step::part;
  if (parts == 0) return close(std::move(opened.reply), done);
  opened.left = parts;
  open_.push_back(std::move(opened));
  return Step::part;
}

ReplyParser::Step ReplyParser::read_chunk(std::string_view line, std::optional<Reply>& done) {
  if (line == "0") {
    at_ += 4;
    scanned_ = 0;
    Reply text = std::move(open_.back().reply);
    open_.pop_back();
    return close(std::move(text), done);
  }
  Reply chunk;
  if (Step step = read_bulk(';', line, chunk); step != Step::part) return step;
  scanned_ = 0;
  size_ += line.size() + 3;
  if (size_ > limits_.size_bytes_max) return broken("A reply is too large.");
  open_.back().reply.text += chunk.text;
  return Step::part;
}

ReplyParser::Step ReplyParser::end_streamed(std::optional<Reply>& done) {
  if (open_.empty() || open_.back().left != kUntilEnd) return broken("Something ends that was not begun.");
  Reply whole = std::move(open_.back().reply);
  if (whole.kind == Reply::Kind::map && whole.items.size() % 2 != 0) return broken("A map lacks a value.");
  open_.pop_back();
  return close(std::move(whole), done);
}

// `reply` is whole: it goes into what is open around it, and may make that whole in turn.
ReplyParser::Step ReplyParser::close(Reply reply, std::optional<Reply>& done) {
  for (;;) {
    if (open_.empty()) {
      done.emplace(std::move(reply));
      return Step::done;
    }
    Open& around = open_.back();
    around.reply.items.push_back(std::move(reply));
    if (around.left == kUntilEnd || --around.left > 0) return Step::part;
    const bool attribute = around.attribute;
    reply = std::move(around.reply);
    open_.pop_back();
    if (attribute) return Step::part;  // what it says something about follows
  }
}

}  // namespace bedplate::redis
