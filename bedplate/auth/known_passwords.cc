// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/known_passwords.h"

#include <algorithm>
#include <array>
#include <string>

#include "bedplate/base/text.h"

namespace bedplate::auth {
namespace {

constexpr std::size_t kSizeMax = 32;  // none of them, with an end, is longer
constexpr std::size_t kEndMax = 6;    // "password2024", "sunshine!!"

// Words without the digits that people add: those are taken off before looking.
constexpr auto kCommon = std::to_array<std::string_view>({
    "00000000",   "0123456789",   "0987654321",    "11111111",     "1111111111",   "11223344",
    "111222333",  "112233445566", "12121212",      "123123123",    "1234554321",   "12345678",
    "123456789",  "1234567890",   "12341234",      "123456123456", "123454321",    "1234qwer",
    "123qweasd",  "12qwaszx",     "13131313",      "147258369",    "159357456",    "159753456",
    "1a2b3c4d",   "1q2w3e4r",     "1q2w3e4r5t",    "1qaz2wsx",     "1qaz2wsx3edc", "22222222",
    "55555555",   "66666666",     "77777777",      "87654321",     "88888888",     "987654321",
    "9876543210", "99999999",     "a1b2c3d4",      "aaaaaaaa",     "abcd1234",     "abcdefgh",
    "access",     "admin",        "administrator", "adminadmin",   "alexander",    "asdfasdf",
    "asdfghjk",   "asdfghjkl",    "asdfqwer",      "barcelona",    "baseball",     "basketball",
    "bismillah",  "blink182",     "butterfly",     "changeme",     "charlie",      "chocolate",
    "christian",  "computer",     "corvette",      "danielle",     "december",     "default",
    "dragon",     "einstein",     "elephant",      "facebook",     "flamingo",     "football",
    "freedom",    "garfield",     "google",        "hallo",        "hello",        "helloworld",
    "iloveyou",   "infinity",     "internet",      "jennifer",     "jonathan",     "jordan",
    "letmein",    "letmeinnow",   "liverpool",     "login",        "lovelove",     "loveyou",
    "master",     "maverick",     "mercedes",      "michelle",     "midnight",     "minecraft",
    "monkey",     "mustang",      "mypassword",    "myspace",      "newpassword",  "nicholas",
    "november",   "opensesame",   "p4ssw0rd",      "p4ssword",     "pa55w0rd",     "pa55word",
    "pakistan",   "pass",         "passpass",      "passw0rd",     "password",     "passwordpassword",
    "passwort",   "patricia",     "picture",       "pokemon",      "precious",     "princess",
    "purple",     "q1w2e3r4",     "q1w2e3r4t5",    "qazwsx",       "qazwsxedc",    "qweasdzxc",
    "qweqweqwe",  "qwer1234",     "qwerasdf",      "qwerqwer",     "qwerty",       "qwertyqwerty",
    "qwertyui",   "qwertyuiop",   "qwertz",        "qwertzuiop",   "rainbow",      "samantha",
    "samsung",    "sample",       "scorpion",      "secret",       "september",    "shadow",
    "skywalker",  "snowball",     "spiderman",     "starwars",     "sunshine",     "superman",
    "superstar",  "sweetheart",   "swordfish",     "system",       "target",       "tennis",
    "test",       "testtest",     "testing",       "trustno",      "trustnoone",   "undertaker",
    "unknown",    "username",     "valentina",     "veronica",     "victoria",     "welcome",
    "whatever",   "william",      "yankees",       "zaq12wsx",     "zaq1zaq1",     "zxcvbnm",
});
static_assert(std::ranges::all_of(kCommon, [](std::string_view each) { return each.size() <= 16; }));

bool is_common(std::string_view password) {
  return std::ranges::find(kCommon, password) != kCommon.end();
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

}  // namespace

Async<bool> CommonPasswords::contains(std::string_view password) {
  if (password.size() > kSizeMax) co_return false;
  const std::string lower = to_lower(password);
  std::string_view word = lower;
  bool found = is_common(word);
  for (std::size_t taken = 0; !found && taken < kEndMax && !word.empty() && !is_letter(word.back());
       ++taken) {
    word.remove_suffix(1);
    found = is_common(word);
  }
  co_return found;
}

}  // namespace bedplate::auth
