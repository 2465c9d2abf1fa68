// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/known_passwords.h"

#include <gtest/gtest.h>

#include <string>

namespace bedplate::auth {
namespace {

bool is_known(std::string_view password) {
  CommonPasswords common;
  return *common.contains(password).run_without_waiting();
}

TEST(CommonPasswords, KnowsWhatEverybodyTries) {
  for (std::string_view each :
       {"password", "Password1", "PASSWORD123!", "12345678", "123456789", "qwertyuiop", "iloveyou",
        "Welcome2024", "letmein1!", "p4ssw0rd", "admin123", "Zxcvbnm1", "welcome123456"})
    EXPECT_TRUE(is_known(each)) << each;
}

TEST(CommonPasswords, LeavesOthersAlone) {
  for (std::string_view each :
       {"correct horse battery staple", "k7w2m-9qxtd-4hfzp-s3vbn", "password is my secret",
        "sunshine over oslo", "12345 pancakes", "", "welcome12345678", "3.1415926535"})
    EXPECT_FALSE(is_known(each)) << each;
  EXPECT_FALSE(is_known(std::string(128, '1')));
  EXPECT_FALSE(is_known("password" + std::string(30, '\xff')));
}

}  // namespace
}  // namespace bedplate::auth
