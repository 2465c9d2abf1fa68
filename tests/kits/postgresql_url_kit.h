// SPDX-License-Identifier: Apache-2.0
// Tests of this repository that are written as an author's are, with bedplate/testing alone, find PostgreSQL by this:
// include it, and testing::DatabaseTest runs on the shared server (as its superuser).
#pragma once

#include "bedplate/testing/fresh_database.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::testing {

inline const bool kSharedPostgres = use_postgresql_for_tests([] { return shared_postgres().admin_url(); });

}  // namespace bedplate::testing
