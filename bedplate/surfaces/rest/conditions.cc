// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"
#include "bedplate/http/message/etag.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kAnyVersion = "*";

bool is_text_of_a_tag(char c) {
  return c > ' ' && c < 0x7f && c != '"' && c != ',' && c != '*';
}

/// The field is no list of entity tags. Most often the quotes were forgotten: then it says what to write.
std::unexpected<Error> malformed(std::string_view field, std::string_view code, std::string_view list) {
  std::string_view text = trim(list);
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') text = text.substr(1, text.size() - 2);
  const bool bare =
      !text.empty() && text.size() <= kEtagSizeMax && std::ranges::all_of(text, is_text_of_a_tag);
  return bedplate::fail(Category::malformed, code,
                        fmt::format("{0} is * or a list of entity tags in double quotes: {1} `{0}: \"{2}\"`.",
                                    field, bare ? "write" : "such as", bare ? text : std::string_view("7")));
}

std::unexpected<Error> malformed_if_match(std::string_view list) {
  return malformed("If-Match", "malformed_if_match", list);
}
std::unexpected<Error> malformed_if_none_match(std::string_view list) {
  return malformed("If-None-Match", "malformed_if_none_match", list);
}

/// The versions that a list of tags names; weak ones only where `weak_too`. Nothing: it is no list of tags. A tag that
/// is no version of ours matches none.
std::optional<std::vector<std::int64_t>> versions_in(std::string_view list, bool weak_too) {
  std::vector<std::int64_t> versions;
  if (!http::if_match(list, {}).valid) return std::nullopt;
  for (std::string_view member = http::next_list_member(list); !member.empty();
       member = http::next_list_member(list)) {
    const std::optional<http::EntityTag> tag = http::parse_etag(member);
    if (!tag) return std::nullopt;
    if (tag->weak && !weak_too) continue;
    if (std::optional<std::uint64_t> version = http::etag_version(member))
      versions.push_back(static_cast<std::int64_t>(*version));
  }
  return versions;
}

// Of an operation that changes something and compares no versions.
Result<void> refuse_conditions(RequestContext& exchange) {
  http::Request& request = exchange.request;
  if (request.has_field(http::FieldId::if_match) &&
      trim(request.field_list(http::FieldId::if_match)) != kAnyVersion)
    return bedplate::fail(Category::precondition_failed, "if_match_not_supported",
                          "This operation does not compare versions; send the request without If-Match.");
  const Readable readable = exchange.endpoint->readable;
  if (!request.has_field(http::FieldId::if_none_match) || readable == Readable::nothing) return {};
  const bool any = trim(request.field_list(http::FieldId::if_none_match)) == kAnyVersion;
  // What has no version has none that a list could name.
  if (!any && readable == Readable::unversioned) return {};
  return bedplate::fail(Category::precondition_failed, "if_none_match_not_supported",
                        "This operation does not compare versions; send the request without If-None-Match.");
}

}  // namespace

bool is_read(const RequestContext& exchange) {
  return exchange.endpoint->route.route.verb == Verb::get;
}

std::string_view write_etag(const Operation& operation, const void* output, char* text) {
  if (!operation.version_of || !output) return {};
  char* end = text;
  *end++ = '"';
  end = write_int(end, operation.version_of(output));
  *end++ = '"';
  return {text, static_cast<std::size_t>(end - text)};
}

Result<void> take_conditions(RequestContext& exchange, void* input) {
  http::Request& request = exchange.request;
  const bool match = request.has_field(http::FieldId::if_match);
  const bool none_match = request.has_field(http::FieldId::if_none_match);
  if (!match && !none_match) return {};
  const Operation& operation = exchange.operation();
  const std::string_view wanted = request.field_list(http::FieldId::if_match);
  const std::string_view unwanted = request.field_list(http::FieldId::if_none_match);
  if (is_read(exchange)) {
    if (match && !http::if_match(wanted, {}).valid) return malformed_if_match(wanted);
    if (none_match && operation.version_of && !http::if_match(unwanted, {}).valid)
      return malformed_if_none_match(unwanted);
    return {};
  }
  if (!operation.set_if_match) return refuse_conditions(exchange);
  IfMatch condition;
  if (match && trim(wanted) != kAnyVersion) {
    std::optional<std::vector<std::int64_t>> versions = versions_in(wanted, false);
    if (!versions) return malformed_if_match(wanted);
    condition = IfMatch(std::move(*versions));
  }
  if (none_match && trim(unwanted) == kAnyVersion) {
    condition.except_any();
  } else if (none_match) {
    std::optional<std::vector<std::int64_t>> versions = versions_in(unwanted, true);
    if (!versions) return malformed_if_none_match(unwanted);
    condition.except(std::move(*versions));
  }
  operation.set_if_match(input, std::move(condition));
  return {};
}

Result<void> check_if_match(RequestContext& exchange, const void* output) {
  const Operation& operation = exchange.operation();
  if (!is_read(exchange) || !exchange.request.has_field(http::FieldId::if_match)) return {};
  char text[kEtagSizeMax];
  const std::string_view etag = write_etag(operation, output, text);
  const http::TagList tags = http::if_match(exchange.request.field_list(http::FieldId::if_match), etag);
  if (tags.any || tags.matches) return {};
  Error error(Category::precondition_failed, "version_mismatch",
              "The version is none of those that If-Match names.");
  if (!etag.empty())
    return std::unexpected(std::move(error).with_subject(std::to_string(operation.version_of(output))));
  return std::unexpected(std::move(error));
}

}  // namespace bedplate::api
