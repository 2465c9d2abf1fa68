// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/sealing_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "bedplate/base/id.h"

namespace bedplate::auth {
namespace {

class SealingKeyTest : public testing::Test {
 protected:
  SealingKeyTest() : folder_(std::filesystem::temp_directory_path() / ("sealing_" + new_uuid().to_string())) {
    std::filesystem::create_directory(folder_);
  }
  ~SealingKeyTest() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view text, ::mode_t mode) {
    std::ofstream(path()) << text;
    ::chmod(path().c_str(), mode);
  }
  std::string path() const { return folder_ / "identity.key"; }
  std::string error_of_load() const {
    auto key = SealingKey::load_or_make(path());
    return key ? "" : key.error().detail();
  }

  std::filesystem::path folder_;
};

TEST_F(SealingKeyTest, SealsAndUnseals) {
  SealingKey key = SealingKey::generate();
  std::string sealed = key.seal("a secret");
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  EXPECT_EQ(key.unseal(sealed), "a secret");
  EXPECT_NE(key.seal("a secret"), sealed);
  EXPECT_EQ(key.unseal(key.seal("")), "");
}

TEST_F(SealingKeyTest, UnsealsNothingElse) {
  SealingKey key = SealingKey::generate();
  std::string sealed = key.seal("a secret");
  EXPECT_FALSE(SealingKey::generate().unseal(sealed));
  EXPECT_FALSE(key.unseal(""));
  EXPECT_FALSE(key.unseal("abc!"));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(key.unseal(bad)) << i;
  }
}

TEST_F(SealingKeyTest, MakesTheFileOnceAndForItsOwnerOnly) {
  auto first = SealingKey::load_or_make(path());
  ASSERT_TRUE(first) << first.error().detail();
  struct stat status;
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_size, 44);
  auto second = SealingKey::load_or_make(path());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->unseal(first->seal("x")), "x");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);  // no draft is left
}

TEST_F(SealingKeyTest, OfManyThatStartAtOnceAllHaveTheSameKey) {
  std::vector<std::string> sealed(8);
  std::vector<std::thread> threads;
  for (std::string& one : sealed)
    threads.emplace_back([this, &one] { one = SealingKey::load_or_make(path())->seal("x"); });
  for (std::thread& thread : threads) thread.join();
  auto key = SealingKey::load_or_make(path());
  for (const std::string& one : sealed) EXPECT_EQ(key->unseal(one), "x");
}

TEST_F(SealingKeyTest, SaysWhatIsWrongWithTheFile) {
  const std::string good = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  write(good + "\r\n", 0600);
  EXPECT_EQ(error_of_load(), "");
  write(good, 0644);
  EXPECT_NE(error_of_load().find("chmod 600"), std::string::npos) << error_of_load();
  write(good, 0660);
  EXPECT_NE(error_of_load().find("chmod 600"), std::string::npos);
  write(good, 0640);  // a secret mounted for a group
  EXPECT_EQ(error_of_load(), "");
  for (std::string_view bad : {"", "short", "not base64url at all, but some forty-three..", "\n"}) {
    write(bad, 0600);
    EXPECT_NE(error_of_load().find("32 bytes"), std::string::npos) << error_of_load();
  }
  std::filesystem::remove(path());
  std::filesystem::create_directory(path());
  EXPECT_NE(error_of_load(), "");
  auto nowhere = SealingKey::load_or_make(folder_ / "missing" / "key");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error().detail().find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace bedplate::auth
