// SPDX-License-Identifier: Apache-2.0
// Router: finds what answers a method and a path.
//
//   Router router;
//   ok = router.add(Verb::get, "/v1/tasks/{id}", 7);        // Result<void>: a conflict says with what
//   router.finish();
//   RouteMatch match;
//   router.find(Method::get, "/v1/tasks/42", match);        // match.target == 7, match.parameters[0] == "42"
//
// - Segment by segment, a literal beats a parameter; where the literal leads nowhere, the parameter is tried.
// - The path alone decides: when it is known but the method is not, that is 405 with Allow, even if another
//   pattern would also fit the path. HEAD is answered by GET's target, OPTIONS by the surface.
// - A parameter is one segment and never empty. A trailing slash is another path, and not found.
// - Paths are matched as decoded, case-sensitively.
// - find() allocates nothing; views point into the path. Thread-safe once finished.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/http/message/method.h"
#include "bedplate/surfaces/rest/route.h"

namespace bedplate::api {

inline constexpr std::size_t kRouteParametersMax = 8;
inline constexpr std::size_t kRouteSegmentsMax = 24;

enum class RouteOutcome : std::uint8_t {
  found,
  not_found,
  method_not_allowed,  ///< the path is known: `allow` lists its methods
  options,             ///< the path is known and the method is OPTIONS
};

struct RouteMatch {
  RouteOutcome outcome = RouteOutcome::not_found;
  std::uint32_t target = 0;
  std::string_view allow;    ///< "GET, HEAD, OPTIONS"; set unless not_found
  std::string_view pattern;  ///< "/v1/tasks/{id}" as it was added for the target; set when found
  std::size_t parameter_count = 0;
  std::array<std::string_view, kRouteParametersMax> parameters;  ///< in the order of the pattern
};

class Router {
 public:
  Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  /// `pattern` has the form that Route checks. Fails with Category::conflict `route_conflict` when the method and
  /// the shape of the path (parameter names aside) are taken, with Category::invalid when there are too many
  /// segments or parameters.
  Result<void> add(Verb verb, std::string_view pattern, std::uint32_t target);
  /// After the last add(), before the first find().
  void finish();

  void find(http::Method method, std::string_view path, RouteMatch& match) const;

 private:
  struct Node;
  const Node* descend(const Node& node, std::string_view rest, std::size_t depth, RouteMatch& match) const;

  std::unique_ptr<Node> root_;
};

/// The names in a pattern, in order: {"id"} of "/v1/tasks/{id}".
std::vector<std::string_view> parameter_names(std::string_view pattern);

}  // namespace bedplate::api
