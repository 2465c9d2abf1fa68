// SPDX-License-Identifier: Apache-2.0
// What Redis says: RESP3 (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md), and RESP2 with
// it.
//
//   ReplyParser parser;
//   std::span<char> room = parser.room(16384);
//   parser.received(read(fd, room.data(), room.size()));
//   while (true) {
//     Result<std::optional<Reply>> reply = parser.next();   // an error: the stream cannot be read any further
//     if (!reply || !*reply) break;                         // nothing: a part of one, read on
//     use(**reply);
//   }
//
// The parser takes bytes as they come, looks at each of them once, and keeps no more than one reply's worth. All types
// are read, streamed ones ("$?", "*?") too; attributes are read and dropped. What the other side can claim is bounded
// before memory is spent on it: see ReplyLimits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"
#include "bedplate/base/result.h"

namespace bedplate::redis {

/// One reply. Which members count depends on `kind`.
struct Reply {
  enum class Kind : std::uint8_t {
    null,
    text,     ///< simple, bulk and verbatim strings, big numbers: `text`
    error,    ///< `text`, "ERR something": a word in capitals, then a sentence
    integer,  ///< `integer`
    real,     ///< `real`
    boolean,  ///< `integer`, 0 or 1
    array,    ///< `items`
    set,      ///< `items`
    map,      ///< `items`: key, value, key, value
    push,     ///< `items`: out of band, belongs to no command
  };

  Kind kind = Kind::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Reply> items;

  Reply() = default;
  explicit Reply(Kind of_kind) : kind(of_kind) {}

  bool is_null() const { return kind == Kind::null; }
  bool is_error() const { return kind == Kind::error; }
  /// An error whose first word this is.
  bool is_error(std::string_view code) const;
  /// The value that a map has for a key, or null. Also of an array of pairs, as RESP2 has it.
  const Reply* find(std::string_view key) const;
};

/// How much the other side may make us hold.
struct ReplyLimits {
  std::size_t size_bytes_max = 64 << 20;  ///< of one reply, as it came
  std::size_t items_max = 1 << 20;        ///< in one reply, at all depths
  std::size_t depth_max = 32;
};

/// Not thread-safe.
class ReplyParser {
 public:
  explicit ReplyParser(ReplyLimits limits = {}) : limits_(limits) {}

  /// Where to read the next bytes to: at least `size`. Then say how many came.
  std::span<char> room(std::size_t size);
  void received(std::size_t size);

  /// The next whole reply; nothing when bytes are missing. Category::malformed `redis_protocol`: the stream is broken
  /// (the detail says how), and stays so.
  Result<std::optional<Reply>> next();

 private:
  /// A reply with parts that is being read.
  struct Open {
    Reply reply;
    std::size_t left = 0;    ///< parts still to come; kUntilEnd: until "."
    bool attribute = false;  ///< to be dropped
    bool streamed_text = false;
  };
  enum class Step : std::uint8_t { part, done, more, broken };
  static constexpr std::size_t kUntilEnd = static_cast<std::size_t>(-1);

  Step read_part(std::optional<Reply>& done);
  Step read_line(char& type, std::string_view& line);
  Step read_simple(char type, std::string_view line, Reply& reply);
  Step read_bulk(char type, std::string_view line, Reply& reply);
  Step open(char type, std::string_view line, std::optional<Reply>& done);
  Step read_chunk(std::string_view line, std::optional<Reply>& done);
  Step close(Reply reply, std::optional<Reply>& done);
  Step end_streamed(std::optional<Reply>& done);
  Step broken(std::string_view why);
  std::string_view unread() const { return bytes_.view().substr(at_); }

  const ReplyLimits limits_;
  Buffer bytes_;
  std::size_t at_ = 0;       ///< what stands before is read
  std::size_t scanned_ = 0;  ///< from at_: known to hold no end of line
  std::size_t size_ = 0;     ///< of the reply at hand, as far as it is read
  std::size_t items_ = 0;
  std::vector<Open> open_;
  std::string why_broken_;
};

}  // namespace bedplate::redis
