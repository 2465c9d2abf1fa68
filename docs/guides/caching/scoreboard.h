// SPDX-License-Identifier: Apache-2.0
// A scoreboard: players of a game score points, and everybody of their tenant sees who leads. Counting that is dear, so
// it is cached: see docs/guides/caching.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/cache/region.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/database.h"

namespace scoreboard {

struct GameRef {
  std::string game;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<GameRef>("Names a game.", {field<&GameRef::game>(length{1, 40}, "The game.")});
  }
};

struct NewScore {
  std::string game;
  std::string player;
  std::int64_t points = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<NewScore>("Points that somebody made.",
                            {
                                field<&NewScore::game>(same_as<&GameRef::game>),
                                field<&NewScore::player>(length{1, 40}, "Who."),
                                field<&NewScore::points>(range{1, 1'000'000}, "How many."),
                            });
  }
};

struct Standing {
  std::string player;
  std::int64_t points = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Standing>("A player of a game.", {
                                                       field<&Standing::player>("Who."),
                                                       field<&Standing::points>("All points together."),
                                                   });
  }
};

struct Standings {
  std::int64_t scores = 0;
  std::vector<Standing> best;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Standings>("How a game stands.", {
                                                       field<&Standings::scores>("Scores so far."),
                                                       field<&Standings::best>("The ten best, best first."),
                                                   });
  }
};

class Scoreboard final : public bedplate::cache::Loader<Standings> {
 public:
  explicit Scoreboard(bedplate::cache::LoadingCache& cache);
  /// Before it serves.
  void read_from(bedplate::sql::Database& db) { db_ = &db; }

  bedplate::Async<void> score(const bedplate::auth::Caller& caller, bedplate::sql::Transaction& tx,
                              const NewScore& input);
  bedplate::Async<Standings> standings(const bedplate::auth::Caller& caller, const GameRef& input);

 private:
  bedplate::Async<std::optional<Standings>> load(bedplate::cache::Partition whose, std::string game) override;

  bedplate::cache::Region<Standings> cached_;
  bedplate::sql::Database* db_ = nullptr;
};

/// Adds the scoreboard to a program.
void add_to(bedplate::app::Application& app, bedplate::auth::Authenticator& authenticator);

}  // namespace scoreboard
