// SPDX-License-Identifier: Apache-2.0
#include "services/identity/signing_keys.h"

#include <gtest/gtest.h>

#include "bedplate/base/text.h"
#include "tests/kits/identity_kit.h"

namespace bedplate::identity {
namespace {

using namespace std::chrono_literals;

class SigningKeysTest : public fixture::IdentityTest {
 protected:
  SigningKeysTest() {
    rotation_.age = 100s;
    rotation_.published_ahead = 20s;
    rotation_.token_life = 30s;
    EXPECT_TRUE(run(db_->transact(&store::forget_all_tokens)));
  }
  std::vector<std::string> published(const auth::KeyRing& ring) {
    std::vector<std::string> kids;
    for (const auth::RingKey& key : ring.published(clock_.now())) kids.push_back(key.key.kid());
    return kids;
  }
  std::string signer(const auth::KeyRing& ring) {
    auto key = ring.signing_key(clock_.now());
    return key ? key->kid() : "";
  }

  KeyRotation rotation_;
};

TEST_P(SigningKeysTest, ReplacesAKeyByAge) {
  auth::KeyRing ring;
  SigningKeys keys(sealing_, ring, rotation_);
  ASSERT_FALSE(*run(keys.refresh(*db_, clock_.now())));
  const std::string first = signer(ring);
  ASSERT_FALSE(first.empty());

  clock_.advance(99s);
  ASSERT_FALSE(*run(keys.refresh(*db_, clock_.now())));
  EXPECT_EQ(published(ring).size(), 1u);

  clock_.advance(1s);  // 100: the successor is published
  ASSERT_FALSE(*run(keys.refresh(*db_, clock_.now())));
  ASSERT_EQ(published(ring).size(), 2u);
  EXPECT_EQ(signer(ring), first);
  const std::string second = published(ring)[0];

  clock_.advance(20s);  // 120: it signs
  ASSERT_FALSE(*run(keys.refresh(*db_, clock_.now())));
  EXPECT_EQ(signer(ring), second);
  EXPECT_EQ(published(ring).size(), 2u);

  clock_.advance(30s);  // 150: the last token of the first has expired
  EXPECT_TRUE(*run(keys.refresh(*db_, clock_.now())));
  EXPECT_EQ(published(ring), std::vector<std::string>{second});
}

TEST_P(SigningKeysTest, AFleetSharesThem) {
  auth::KeyRing ring_a;
  auth::KeyRing ring_b;
  SigningKeys a(sealing_, ring_a, rotation_);
  SigningKeys b(sealing_, ring_b, rotation_);
  ASSERT_TRUE(run(a.refresh(*db_, clock_.now())));
  ASSERT_TRUE(run(b.refresh(*db_, clock_.now())));
  EXPECT_EQ(signer(ring_a), signer(ring_b));
  clock_.advance(110s);
  ASSERT_TRUE(run(a.refresh(*db_, clock_.now())));
  ASSERT_TRUE(run(b.refresh(*db_, clock_.now())));
  EXPECT_EQ(published(ring_a), published(ring_b));
  EXPECT_EQ(published(ring_a).size(), 2u);
}

TEST_P(SigningKeysTest, AnotherKeyFileIsAnErrorThatSaysSo) {
  auth::KeyRing ring;
  SigningKeys keys(sealing_, ring, rotation_);
  ASSERT_TRUE(run(keys.refresh(*db_, clock_.now())));
  auth::KeyRing other_ring;
  SigningKeys other(auth::SealingKey::generate(), other_ring, rotation_);
  auto refreshed = run(other.refresh(*db_, clock_.now()));
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), "wrong_key_file");
  EXPECT_NE(refreshed.error().detail().find("identity.key_file"), std::string::npos);
}

Async<std::string> first_seed(sql::Reader& db) {
  std::string seed = co_await ok(db.value<std::string>("SELECT sealed_seed FROM identity_signing_keys"));
  co_return seed;
}

TEST_P(SigningKeysTest, TheDatabaseHoldsNoKeyInTheClear) {
  auth::KeyRing ring;
  SigningKeys keys(sealing_, ring, rotation_);
  ASSERT_TRUE(run(keys.refresh(*db_, clock_.now())));
  auto seed = ring.signing_key(clock_.now())->seed();
  std::string sealed = *run(db_->read(&first_seed));
  EXPECT_EQ(sealed.find(to_base64url({reinterpret_cast<const char*>(seed.data()), seed.size()})),
            std::string::npos);
  EXPECT_TRUE(sealing_.unseal(sealed));
  EXPECT_FALSE(auth::SealingKey::generate().unseal(sealed));
}

INSTANTIATE_TEST_SUITE_P(Engines, SigningKeysTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
