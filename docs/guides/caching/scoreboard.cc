// SPDX-License-Identifier: Apache-2.0
#include "scoreboard.h"

#include "bedplate/execution/invalidation.h"
#include "bedplate/surfaces/rest/route.h"
#include "scoreboard_migrations.h"

namespace scoreboard {

namespace api = bedplate::api;
namespace cache = bedplate::cache;
namespace sql = bedplate::sql;
using bedplate::Async;
using bedplate::ok;
using bedplate::auth::Caller;

static cache::Policy policy() {
  cache::Policy policy;
  policy.fresh = std::chrono::seconds(60);  // what a lost invalidation costs at most
  policy.stale = std::chrono::seconds(10);  // shown once more, while it is counted anew behind the answer
  return policy;
}

Scoreboard::Scoreboard(cache::LoadingCache& cache) : cached_(cache, "standings", policy(), *this) {}

Async<void> Scoreboard::score(const Caller&, sql::Transaction& tx, const NewScore& input) {
  co_await ok(tx.run("INSERT INTO scores (tenant, game, player, points) VALUES ($1, $2, $3, $4)", tx.tenant(),
                     input.game, input.player, input.points));
  api::invalidate_after_commit(tx, cached_, cache::Partition::of_tenant(tx.tenant()), input.game);
}

Async<Standings> Scoreboard::standings(const Caller& caller, const GameRef& input) {
  std::optional<Standings> found =
      co_await ok(cached_.get_or_load(cache::Partition::of_tenant(caller.tenant()), input.game));
  co_return std::move(found).value_or(Standings());
}

static Async<Standings> count(sql::Reader& db, const std::string& game) {
  Standings standings;
  standings.scores = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM scores WHERE game = $1", game));
  standings.best =
      co_await ok(db.all<Standing>("SELECT player, sum(points) AS points FROM scores WHERE game = $1 "
                                   "GROUP BY player ORDER BY 2 DESC, player LIMIT 10",
                                   game));
  co_return standings;
}

Async<std::optional<Standings>> Scoreboard::load(cache::Partition whose, std::string game) {
  sql::CallContext context(whose.tenant());
  Standings standings = co_await ok(db_->read(context, &count, game));
  co_return standings;
}

static api::Api scoreboard_api(Scoreboard& board) {
  using namespace bedplate::api;
  return Api("scoreboard", "Who leads.")
      .command<&Scoreboard::score>("score", board, post("/v1/games/{game}/scores"), needs("play"),
                                   summary("Score"))
      .pure<&Scoreboard::standings>("standings", board, get("/v1/games/{game}/standings"), needs("play"),
                                    summary("How a game stands"));
}

void add_to(bedplate::app::Application& app, bedplate::auth::Authenticator& authenticator) {
  app.migrations("scoreboard", scoreboard_migrations());
  app.wire([&](bedplate::app::Host& host) {
    auto& board = host.make<Scoreboard>(host.cache());
    host.authenticate_with(authenticator);
    host.on_start([&] {
      board.read_from(host.database());
      return bedplate::Result<void>();
    });
    host.serve(scoreboard_api(board));
  });
}

}  // namespace scoreboard
