// SPDX-License-Identifier: Apache-2.0
// Of 10 000 documents the few that are asked for are found by an index, on both engines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bedplate/testing/query_guard.h"
#include "extras/documents/collection.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::documents {
namespace {

using bedplate::testing::EngineKit;
using bedplate::testing::kQueryTimeMax;
using bedplate::testing::QueryGuard;
using sql::Compare;
using ::testing::IsEmpty;

struct Note {
  std::string name;
  std::int64_t size = 0;
  std::vector<std::string> labels;

  static consteval auto describe() {
    using namespace schema;
    return object<Note>("A note.", {field<&Note::name>(), field<&Note::size>(), field<&Note::labels>()});
  }
};

constexpr Declaration kNotes("notes", Scope::everyone,
                             {{"name", FieldType::text, required},
                              {"size", FieldType::integer, required},
                              {"labels", FieldType::text_list}});
constexpr sql::Column kName("name");
constexpr sql::Column kSize("size");

constexpr std::string_view kSeedSqlite = R"(
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO notes (part, id, version, created_at, updated_at, body, name, size, labels)
SELECT zeroblob(16), CAST(printf('%016d', i) AS BLOB), 1, 0, 0,
       json_object('name', 'note ' || i, 'size', i, 'labels', json_array('all', 'label ' || (i % 500))),
       'note ' || i, i, json_array('all', 'label ' || (i % 500)) FROM n;
INSERT INTO notes_labels (part, value, id) SELECT part, l.value, notes.id FROM notes, json_each(labels) l;
)";
constexpr std::string_view kSeedPostgresql = R"(
INSERT INTO notes (part, id, version, created_at, updated_at, body)
SELECT '00000000-0000-0000-0000-000000000000', lpad(to_hex(i), 32, '0')::uuid, 1, now(), now(),
       json_build_object('name', 'note ' || i, 'size', i, 'labels', json_build_array('all', 'label ' || (i % 500)))
FROM generate_series(0, 9999) i;
)";

class DocumentQueriesTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  DocumentQueriesTest()
      : notes_(kNotes, GetParam()), kit_(GetParam(), notes_.schema()), guard_(kit_.database()) {
    kit_.script(std::string(GetParam() == sql::Dialect::sqlite ? kSeedSqlite : kSeedPostgresql));
  }
  /// How many there are, asked for as a list.
  std::size_t list(sql::Where where, const PageRequest& request) {
    return kit_.get(guard_.database().read(&Collection<Note>::list, notes_, where, request)).documents.size();
  }
  sql::Where labelled(const std::string& label) const {
    sql::Where where = notes_.where();
    where.add_text(notes_.contains("labels", where.params().add(label)));
    return where;
  }
  template <class T>
  sql::Where having(sql::Column column, Compare compare, const T& value) const {
    sql::Where where = notes_.where();
    where.add(column, compare, value);
    return where;
  }

  Collection<Note> notes_;
  EngineKit kit_;
  QueryGuard guard_;
};

TEST_P(DocumentQueriesTest, ReadNoCollectionToItsEnd) {
  EXPECT_EQ(list(labelled("label 7"), PageRequest(100)), 20U);
  EXPECT_EQ(list(labelled("none"), PageRequest(100)), 0U);
  EXPECT_EQ(list(having(kName, Compare::equal, std::string("note 17")), PageRequest(100)), 1U);
  EXPECT_EQ(list(having(kSize, Compare::less, 10), PageRequest(100)), 10U);
  PageRequest sorted(10);
  sorted.sort = {{"size", true}};
  EXPECT_EQ(list(notes_.where(), sorted), 10U);
  const Uuid id = new_uuid();
  const Note note{.name = "new", .size = 1, .labels = {"label 7"}};
  const std::optional<std::int64_t> any;
  sql::Database& database = guard_.database();
  kit_.get(database.transact(&Collection<Note>::insert, notes_, id, note, Time{}));
  kit_.get(database.transact(&Collection<Note>::replace, notes_, id, note, any, Time{}));
  EXPECT_EQ(list(labelled("label 7"), PageRequest(100)), 21U);
  kit_.get(database.transact(&Collection<Note>::remove, notes_, id, any));
  EXPECT_EQ(list(labelled("label 7"), PageRequest(100)), 20U);
  EXPECT_GE(guard_.statements(), 7U);
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
}

TEST_P(DocumentQueriesTest, OverTenThousandDocumentsEachQueryAnswersInFiftyMilliseconds) {
  PageRequest sorted(20);
  sorted.sort = {{"name", false}};
  for (const std::string label : {"label 7", "all", "none"}) {
    QueryGuard guard(kit_.database());
    sql::Where where = labelled(label);
    kit_.get(guard.database().read(&Collection<Note>::list, notes_, where, sorted));
    EXPECT_GE(guard.statements(), 1U);
    EXPECT_THAT(guard.slow_queries(kit_.loop(), kQueryTimeMax), IsEmpty()) << label;
  }
}

INSTANTIATE_TEST_SUITE_P(, DocumentQueriesTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::documents
