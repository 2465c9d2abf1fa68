// SPDX-License-Identifier: Apache-2.0
// The commands of docs/guides/second-migration.md, in their order, on both engines.
#include "notebook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/kits/database_kit.h"

namespace notebook {
namespace {

namespace fs = std::filesystem;
using bedplate::EmbeddedFile;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class SecondMigrationTest : public bedplate::testing::EngineTest {
 protected:
  SecondMigrationTest() {
    fs::create_directories(sources_);
    for (const EmbeddedFile& file : migrations())
      if (file.name.starts_with("0001")) write(file);
  }
  ~SecondMigrationTest() override { fs::remove_all(directory_); }

  void write(const EmbeddedFile& file) {
    std::ofstream(sources_ / std::string(file.name), std::ios::binary) << file.bytes;
  }
  /// The program as it is with the files that the directory of its migrations has now.
  int run(std::vector<std::string> words) {
    std::vector<std::string> names, texts;
    for (const fs::directory_entry& entry : fs::directory_iterator(sources_)) {
      names.push_back(entry.path().filename().string());
      texts.push_back(read(entry.path()));
    }
    std::vector<EmbeddedFile> files;
    for (std::size_t i = 0; i < names.size(); ++i) files.push_back({names[i], texts[i]});
    bedplate::app::Application app({"notebook", "1.0.0", "Keeps notes."});
    add_to(app, files);
    words.insert(words.begin(), "notebook");
    words.insert(words.end(),
                 {"--data", (directory_ / "data").string(), "--set", "database.url=" + database_url()});
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = app.run(static_cast<int>(argv.size()), argv.data());
    out_ = ::testing::internal::GetCapturedStdout();
    error_ = ::testing::internal::GetCapturedStderr();
    return status;
  }

  const fs::path directory_ =
      fs::path(::testing::TempDir()) / ("notebook-" + bedplate::new_uuid().to_string());
  const fs::path sources_ = directory_ / "migrations";
  std::string out_;
  std::string error_;
};

TEST_P(SecondMigrationTest, IsWrittenAppliedAndTakenBack) {
  ASSERT_EQ(run({"migrate", "up"}), 0) << error_;

  // The description has gone on, the table has not.
  EXPECT_EQ(run({"migrate", "check"}), 1);
  EXPECT_THAT(
      out_,
      AllOf(HasSubstr("notebook: table notes, column due_at: expected "),
            HasSubstr("notebook: table notes, column color: expected "),
            HasSubstr("notebook: table notes, index notes_by_due_date: expected INDEX (due_at, id), found "
                      "nothing")));
  EXPECT_THAT(error_, HasSubstr("differs from what this program describes in 3 places"));

  ASSERT_EQ(run({"migrate", "new", "due_dates", "--dir", sources_.string()}), 0) << error_;
  for (const EmbeddedFile& file : migrations())
    EXPECT_EQ(read(sources_ / std::string(file.name)), file.bytes) << file.name;

  ASSERT_EQ(run({"migrate", "up"}), 0) << error_;
  ASSERT_EQ(run({"migrate", "check"}), 0) << out_ << error_;
  EXPECT_EQ(out_, "as described: 1 table\n");

  ASSERT_EQ(run({"migrate", "new", "nothing", "--dir", sources_.string()}), 0) << error_;
  EXPECT_EQ(out_, "The tables of notebook are as described: nothing to write.\n");

  ASSERT_EQ(run({"migrate", "down", "notebook"}), 0) << error_;
  EXPECT_EQ(run({"migrate", "check"}), 1);
}

TEST_P(SecondMigrationTest, WrongCallsSayWhatIsRight) {
  EXPECT_EQ(run({"migrate", "new", "Due-Dates", "--dir", sources_.string()}), 2);
  EXPECT_THAT(error_, HasSubstr("lower case letters, digits and underscores"));
  EXPECT_EQ(run({"migrate", "new", "due_dates", "--module", "notes"}), 2);
  EXPECT_THAT(error_, HasSubstr("There is no module 'notes' with described tables. There are: notebook."));
  EXPECT_EQ(run({"migrate", "new", "due_dates", "--dir", directory_.string()}), 2);
  EXPECT_THAT(error_, HasSubstr("does not hold the migrations of notebook"));
  EXPECT_EQ(run({"migrate", "new", "due_dates"}), 2);
  EXPECT_THAT(error_, HasSubstr("Say where with --dir"));
}

TEST_P(SecondMigrationTest, EveryStatementIsPrinted) {
  ASSERT_EQ(run({"sql", "notebook"}), 0) << error_;
  EXPECT_THAT(
      out_,
      AllOf(HasSubstr("-- notes.update\nUPDATE notes SET text = $2, created_at = $3, due_at = $4, color = "
                      "$5 WHERE id = $1;\n"),
            HasSubstr("\n-- notes.due\nSELECT id, text, created_at, due_at, color FROM notes WHERE due_at")));
}

INSTANTIATE_TEST_SUITE_P(, SecondMigrationTest, bedplate::testing::every_engine(),
                         bedplate::testing::engine_name);

}  // namespace
}  // namespace notebook
