// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/router.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace bedplate::api {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  void add(Verb verb, std::string_view pattern, std::uint32_t target) {
    Result<void> added = router_.add(verb, pattern, target);
    ASSERT_TRUE(added) << added.error().detail();
  }
  RouteMatch find(http::Method method, std::string_view path) {
    RouteMatch match;
    router_.find(method, path, match);
    return match;
  }
  Router router_;
};

TEST_F(RouterTest, FindsLiteralsAndParameters) {
  add(Verb::get, "/v1/tasks", 1);
  add(Verb::get, "/v1/tasks/{id}", 2);
  add(Verb::get, "/v1/users/{user}/tasks/{task}", 3);
  router_.finish();
  EXPECT_EQ(find(http::Method::get, "/v1/tasks").target, 1u);
  RouteMatch one = find(http::Method::get, "/v1/tasks/42");
  EXPECT_EQ(one.outcome, RouteOutcome::found);
  EXPECT_EQ(one.target, 2u);
  EXPECT_EQ(one.pattern, "/v1/tasks/{id}");
  ASSERT_EQ(one.parameter_count, 1u);
  EXPECT_EQ(one.parameters[0], "42");
  RouteMatch two = find(http::Method::get, "/v1/users/ann/tasks/7");
  ASSERT_EQ(two.parameter_count, 2u);
  EXPECT_EQ(two.parameters[0], "ann");
  EXPECT_EQ(two.parameters[1], "7");
}

TEST_F(RouterTest, LiteralBeatsParameterAndFallsBack) {
  add(Verb::get, "/tasks/{id}", 1);
  add(Verb::get, "/tasks/search", 2);
  add(Verb::get, "/tasks/{id}/notes", 3);
  add(Verb::get, "/tasks/search/help", 4);
  router_.finish();
  EXPECT_EQ(find(http::Method::get, "/tasks/search").target, 2u);
  EXPECT_EQ(find(http::Method::get, "/tasks/other").target, 1u);
  RouteMatch fallback = find(http::Method::get, "/tasks/search/notes");
  EXPECT_EQ(fallback.target, 3u);
  ASSERT_EQ(fallback.parameter_count, 1u);
  EXPECT_EQ(fallback.parameters[0], "search");
}

TEST_F(RouterTest, SaysWhichMethodsAPathAnswers) {
  add(Verb::get, "/tasks", 1);
  add(Verb::post, "/tasks", 2);
  add(Verb::del, "/tasks/{id}", 3);
  router_.finish();
  RouteMatch match = find(http::Method::put, "/tasks");
  EXPECT_EQ(match.outcome, RouteOutcome::method_not_allowed);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(find(http::Method::get, "/tasks/1").allow, "DELETE, OPTIONS");
  EXPECT_EQ(find(http::Method::options, "/tasks").outcome, RouteOutcome::options);
  EXPECT_EQ(find(http::Method::head, "/tasks").target, 1u);
  EXPECT_EQ(find(http::Method::other, "/tasks").outcome, RouteOutcome::method_not_allowed);
}

TEST_F(RouterTest, DoesNotFindWhatIsNotThere) {
  add(Verb::get, "/tasks", 1);
  add(Verb::get, "/tasks/{id}", 2);
  router_.finish();
  for (std::string_view path : {"", "/", "tasks", "/task", "/tasks/", "//tasks", "/tasks//", "/tasks/1/",
                                "/tasks/1/2", "/Tasks", "*", "/tasks/1//"})
    EXPECT_EQ(find(http::Method::get, path).outcome, RouteOutcome::not_found) << path;
}

TEST_F(RouterTest, RefusesRoutesThatMatchTheSame) {
  add(Verb::get, "/tasks/{id}", 1);
  add(Verb::put, "/tasks/{id}", 2);
  Result<void> same = router_.add(Verb::get, "/tasks/{task}", 3);
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code(), "route_conflict");
  EXPECT_NE(same.error().detail().find("/tasks/{id}"), std::string::npos);
}

TEST_F(RouterTest, ServesTheRoot) {
  add(Verb::get, "/", 9);
  router_.finish();
  EXPECT_EQ(find(http::Method::get, "/").target, 9u);
  EXPECT_EQ(find(http::Method::get, "/x").outcome, RouteOutcome::not_found);
}

// The tree against the plain definition: of all patterns that fit, the one that is literal earliest.
using Segments = std::vector<std::string>;

std::string join(const Segments& segments) {
  std::string path;
  for (const std::string& segment : segments) path += "/" + segment;
  return path;
}

bool fits(const Segments& pattern, const Segments& path) {
  if (pattern.size() != path.size()) return false;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (pattern[i] != "{p}" && pattern[i] != path[i]) return false;
  return true;
}

bool beats(const Segments& a, const Segments& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] == "{p}") != (b[i] == "{p}")) return b[i] == "{p}";
  return false;
}

RC_GTEST_PROP(RouterProperty, FindsTheMostLiteralPattern, ()) {
  // Small sizes: all that matters happens within four segments.
  const auto segment = rc::gen::element<std::string>("a", "b", "c", "{p}");
  const auto literal = rc::gen::element<std::string>("a", "b", "c", "d");
  auto some = [](const auto& one) {
    return rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<Segments>(one)));
  };
  auto patterns = *rc::gen::resize(12, rc::gen::container<std::vector<Segments>>(some(segment)));
  Router router;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < patterns.size(); ++i)
    if (known.emplace(join(patterns[i]), i).second)
      RC_ASSERT(router.add(Verb::get, join(patterns[i]), static_cast<std::uint32_t>(i)).has_value());
  router.finish();
  auto path = *some(literal);
  const Segments* best = nullptr;
  for (const auto& [text, index] : known)
    if (fits(patterns[index], path) && (!best || beats(patterns[index], *best))) best = &patterns[index];
  RouteMatch match;
  std::string text = join(path);
  router.find(http::Method::get, text, match);
  RC_ASSERT((match.outcome == RouteOutcome::found) == (best != nullptr));
  if (!best) return;
  RC_ASSERT(match.pattern == join(*best));
  std::size_t parameter = 0;
  for (std::size_t i = 0; i < path.size(); ++i)
    if ((*best)[i] == "{p}") RC_ASSERT(match.parameters[parameter++] == path[i]);
  RC_ASSERT(parameter == match.parameter_count);
}

}  // namespace
}  // namespace bedplate::api
