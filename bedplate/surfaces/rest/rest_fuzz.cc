// SPDX-License-Identifier: Apache-2.0
// Everything of a request that this room reads by itself: path, query, body binding, cursors, sorts, request ids,
// conditions. The first byte chooses the reader; the rest is its input.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/describe/any_value.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/operations/paging/cursor.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/paging/sort.h"
#include "bedplate/surfaces/rest/binding.h"
#include "bedplate/surfaces/rest/request_id.h"
#include "bedplate/surfaces/rest/router.h"

namespace bedplate::api {
namespace {

struct Search : PageQuery {
  Uuid id;
  std::vector<std::int64_t> number;
  std::optional<Time> before;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Search>("Search", fields_of<PageQuery>,
                          {
                              field<&Search::id>(),
                              field<&Search::number>(optional_with_default, unique, length{0, 5}),
                              field<&Search::before>(),
                          });
  }
};

Operation searching(Verb verb) {
  Operation operation;
  operation.name = "fuzz.search";
  operation.attributes.of<RouteOf>().route = {verb, "/search/{id}"};
  operation.input = &type_of<Search>();
  return operation;
}

Binding bound(Verb verb) {
  Binding binding;
  if (!binding.prepare(searching(verb))) std::abort();
  return binding;
}

void fuzz_router(std::string_view text) {
  static const Router router = [] {
    Router made;
    std::uint32_t target = 0;
    for (std::string_view pattern : {"/a", "/a/{x}", "/a/b", "/a/{x}/c", "/{y}/b/{z}", "/a/b/{x}/{y}/{z}"})
      if (!made.add(Verb::get, pattern, target++)) std::abort();
    made.finish();
    return made;
  }();
  RouteMatch match;
  router.find(http::Method::get, text, match);
  for (std::size_t i = 0; i < match.parameter_count; ++i)
    if (match.outcome == RouteOutcome::found && match.parameters[i].empty()) std::abort();
}

void fuzz_binding(std::string_view text, Verb verb) {
  static const Binding query = bound(Verb::get);
  static const Binding body = bound(Verb::post);
  AnyValue input(type_of<Search>());
  std::string_view id = text.substr(0, text.find('\n'));
  std::string_view rest = text.substr(std::min(text.size(), id.size() + 1));
  if (verb == Verb::get)
    (void)query.fill({&id, 1}, rest, {}, input.data());
  else
    (void)body.fill({&id, 1}, {}, rest, input.data());
}

void fuzz_cursor(std::string_view text) {
  std::optional<CursorValues> values = decode_cursor("scope", text);
  if (values && encode_cursor("scope", *values) != text) std::abort();
}

}  // namespace
}  // namespace bedplate::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate::api;
  if (size == 0) return 0;
  static constexpr SortField kSort[] = {{"a", "a"}, {"bc", "b"}};
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      fuzz_router(text);
      break;
    case 1:
      fuzz_binding(text, Verb::get);
      break;
    case 2:
      fuzz_binding(text, Verb::post);
      break;
    case 3:
      fuzz_cursor(text);
      break;
    case 4:
      (void)parse_sort(text, kSort);
      break;
    case 5:
      (void)rate_key_of_address(text);
      break;
    default: {
      RequestId id;
      id.take(text);
      if (!RequestId::fit(id.view())) std::abort();
    }
  }
  return 0;
}
