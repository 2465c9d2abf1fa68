// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/router.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace bedplate::api {
namespace {

constexpr std::size_t kVerbs = 5;
constexpr std::uint32_t kNone = 0xffffffff;

std::optional<Verb> verb_of(http::Method method) {
  switch (method) {
    case http::Method::get:
    case http::Method::head:
      return Verb::get;
    case http::Method::post:
      return Verb::post;
    case http::Method::put:
      return Verb::put;
    case http::Method::patch:
      return Verb::patch;
    case http::Method::del:
      return Verb::del;
    default:
      return std::nullopt;
  }
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

/// Takes the first segment off `rest` (which begins after a slash). True: another one follows.
bool take_segment(std::string_view& rest, std::string_view& segment) {
  const void* slash = rest.empty() ? nullptr : std::memchr(rest.data(), '/', rest.size());
  if (slash == nullptr) {
    segment = std::exchange(rest, {});
    return false;
  }
  std::size_t size = static_cast<std::size_t>(static_cast<const char*>(slash) - rest.data());
  segment = rest.substr(0, size);
  rest.remove_prefix(size + 1);
  return true;
}

}  // namespace

struct Router::Node {
  std::string literal;  // empty for the root and for a parameter
  std::vector<std::unique_ptr<Node>> literals;
  std::unique_ptr<Node> parameter;
  std::array<std::uint32_t, kVerbs> targets{kNone, kNone, kNone, kNone, kNone};
  std::array<std::string, kVerbs> patterns;
  std::string allow;

  bool answers() const {
    return std::ranges::any_of(targets, [](std::uint32_t target) { return target != kNone; });
  }
  const Node* find_literal(std::string_view segment) const {
    for (const auto& child : literals)
      if (child->literal == segment) return child.get();
    return nullptr;
  }
  Node& child(std::string_view segment) {
    if (is_parameter(segment)) {
      if (!parameter) parameter = std::make_unique<Node>();
      return *parameter;
    }
    for (const auto& child : literals)
      if (child->literal == segment) return *child;
    literals.push_back(std::make_unique<Node>());
    literals.back()->literal = segment;
    return *literals.back();
  }
  void finish() {
    if (answers()) {
      for (std::size_t i = 0; i < kVerbs; ++i) {
        if (targets[i] == kNone) continue;
        allow += verb_name(static_cast<Verb>(i));
        allow += static_cast<Verb>(i) == Verb::get ? ", HEAD, " : ", ";
      }
      allow += "OPTIONS";
    }
    for (const auto& child : literals) child->finish();
    if (parameter) parameter->finish();
  }
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Result<void> Router::add(Verb verb, std::string_view pattern, std::uint32_t target) {
  Node* node = root_.get();
  std::string_view rest = pattern.substr(1);
  std::size_t segments = 0;
  std::size_t parameters = 0;
  bool more = pattern != "/";
  while (more) {
    std::string_view segment;
    more = take_segment(rest, segment);
    ++segments;
    if (is_parameter(segment)) ++parameters;
    node = &node->child(segment);
  }
  if (segments > kRouteSegmentsMax || parameters > kRouteParametersMax)
    return bedplate::fail(Category::invalid, "route_too_long",
                          fmt::format("The route {} has more than {} segments or {} parameters.", pattern,
                                      kRouteSegmentsMax, kRouteParametersMax));
  auto slot = static_cast<std::size_t>(verb);
  if (node->targets[slot] != kNone)
    return bedplate::fail(Category::conflict, "route_conflict",
                          fmt::format("{0} {1} and {0} {2} match the same requests; one of them has to go.",
                                      verb_name(verb), node->patterns[slot], pattern));
  node->targets[slot] = target;
  node->patterns[slot] = pattern;
  return {};
}

void Router::finish() {
  root_->finish();
}

const Router::Node* Router::descend(const Node& node, std::string_view rest, std::size_t depth,
                                    RouteMatch& match) const {
  std::string_view segment;
  bool more = take_segment(rest, segment);
  if (segment.empty() || depth > kRouteSegmentsMax) return nullptr;
  if (const Node* child = node.find_literal(segment)) {
    const Node* end =
        more ? descend(*child, rest, depth + 1, match) : (child->allow.empty() ? nullptr : child);
    if (end) return end;
  }
  if (!node.parameter) return nullptr;
  const Node& child = *node.parameter;
  std::size_t count = match.parameter_count;
  match.parameters[count] = segment;
  match.parameter_count = count + 1;
  const Node* end = more ? descend(child, rest, depth + 1, match) : (child.allow.empty() ? nullptr : &child);
  if (!end) match.parameter_count = count;
  return end;
}

void Router::find(http::Method method, std::string_view path, RouteMatch& match) const {
  match.outcome = RouteOutcome::not_found;
  match.parameter_count = 0;
  if (path.empty() || path[0] != '/') return;
  const Node* node = path.size() == 1 ? (root_->allow.empty() ? nullptr : root_.get())
                                      : descend(*root_, path.substr(1), 1, match);
  if (!node) return;
  match.allow = node->allow;
  if (method == http::Method::options) {
    match.outcome = RouteOutcome::options;
    return;
  }
  std::optional<Verb> verb = verb_of(method);
  if (!verb || node->targets[static_cast<std::size_t>(*verb)] == kNone) {
    match.outcome = RouteOutcome::method_not_allowed;
    return;
  }
  match.outcome = RouteOutcome::found;
  match.target = node->targets[static_cast<std::size_t>(*verb)];
  match.pattern = node->patterns[static_cast<std::size_t>(*verb)];
}

std::vector<std::string_view> parameter_names(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1))
    names.push_back(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
  return names;
}

}  // namespace bedplate::api
