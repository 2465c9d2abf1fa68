// SPDX-License-Identifier: Apache-2.0
// Request targets and queries (RFC 3986, RFC 9112 section 3.2, and the form encoding of HTML for queries).
//
//   std::string scratch;
//   QueryReader reader(request.query(), scratch);
//   while (reader.next()) use(reader.name(), reader.value());
//   if (!reader.ok()) refuse();                                  // a bad escape: 400
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::http {

/// Decodes %XX once and appends to `out`. False: an escape is cut short or not hexadecimal, or the text holds
/// a NUL (as %00 or as itself). `plus_is_space`: as HTML forms have it.
bool percent_decode(std::string_view text, std::string& out, bool plus_is_space = false);

/// Appends with everything escaped but the unreserved characters (RFC 3986 section 2.3): safe inside one path
/// segment or one query value.
void percent_encode(std::string_view text, std::string& out);
std::string percent_encode(std::string_view text);

/// How a request target was written.
enum class TargetForm { origin, absolute, asterisk, authority };

struct Target {
  TargetForm form = TargetForm::origin;
  std::string_view authority;  ///< absolute and authority form: host[:port]
  std::string_view
      path;  ///< decoded and normalised; views the target, or the storage where it had to be changed
  std::string_view query;  ///< after "?", as it stands
};

enum class TargetError {
  none,
  bad_character,  ///< a byte that may not stand in a target ("#", quotes, control characters, bytes above
                  ///< 0x7e)
  bad_form,       ///< none of the four forms
  bad_authority,  ///< of an absolute target: empty, with user information, or not valid
  bad_escape,     ///< "%" without two hexadecimal digits, or %00
  encoded_slash,  ///< %2F or %5C in the path: whether it separates would depend on who reads it
  bad_utf8,       ///< the decoded path is not UTF-8
};

/// Reads a request target. Dot segments go away as in RFC 3986 section 5.2.4, after decoding, and never climb
/// above the root. Empty segments stay. `storage` is cleared and used only where the path differs from its
/// raw form.
TargetError parse_target(std::string_view text, bool is_connect, std::string& storage, Target& out);

/// host[:port] as in a Host field (RFC 9110 section 7.2): a name, an IPv4 address or an IPv6 address in
/// brackets; the port at most 65535. Not empty, no user information.
bool is_valid_authority(std::string_view text);
/// The host without port; an IPv6 address keeps its brackets.
std::string_view host_of(std::string_view authority);

/// Goes through name=value pairs separated by "&". A name without "=" has an empty value; empty pairs are
/// skipped.
class QueryReader {
 public:
  /// Both live as long as the reader. What next() gives is valid until the next call; nothing is copied where
  /// there is nothing to decode.
  QueryReader(std::string_view query, std::string& scratch) : rest_(query), scratch_(scratch) {}

  /// False: the end, or a bad escape (see ok()).
  bool next();
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }
  /// Where the pair began in the query; after a bad escape or a byte that is not UTF-8, where that stands.
  std::size_t offset() const { return offset_; }
  /// No bad escape and no invalid UTF-8 so far. %00 is a character like any other: who reads the value refuses it.
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  std::string& scratch_;
  std::string_view name_;
  std::string_view value_;
  std::size_t next_offset_ = 0;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace bedplate::http
