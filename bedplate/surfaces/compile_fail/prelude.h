// SPDX-License-Identifier: Apache-2.0
// What every case here begins with.
#pragma once

#include "bedplate/operations/api.h"
#include "bedplate/surfaces/rest/route.h"

namespace bedplate::api {

struct In {
  std::int64_t id = 0;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<In>("doc", {field<&In::id>()});
  }
};
struct Out {
  std::string text;
  std::int64_t version = 0;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Out>("doc", {field<&Out::text>(), field<&Out::version>()});
  }
};

struct Service {
  Async<Out> read(const Caller&, sql::Reader&, const In&);
  Async<Out> write(const Caller&, sql::Transaction&, const In&);
  Async<void> forget(sql::Transaction&, const In&);
  Result<Out> now(const In&);
  Result<Out> blocks(sql::Reader&, const In&);
  Out plain(const In&);
  Async<Out> by_value(const Caller&, In);
  Async<Out> reads_and_writes(sql::Reader&, sql::Transaction&, const In&);
};

}  // namespace bedplate::api
