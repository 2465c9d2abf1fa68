// SPDX-License-Identifier: Apache-2.0
// Partition: whose values they are. It is a part of every key of a Region, so that nobody is answered with another's.
//
//   co_await ok(cached_.get_or_load(cache::Partition::of_tenant(caller.tenant()), id));   // this tenant's
//   co_await ok(cached_.get_or_load(cache::Partition::shared(), id));                     // the same for everybody
//
// There is no default: whoever reads or erases says it, and a loader is told it, for the tenant of its own read
// (sql/call_context.h). A caller without a tenant has a partition too, which is neither a tenant's nor everybody's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/id.h"

namespace bedplate::cache {

class Partition {
 public:
  static Partition shared() { return Partition(kShared, std::nullopt); }
  /// Nothing: of those without a tenant.
  static Partition of_tenant(const std::optional<Uuid>& tenant) {
    return Partition(tenant ? kTenant : kNoTenant, tenant);
  }

  /// What a read for it runs as: CallContext(partition.tenant()).
  const std::optional<Uuid>& tenant() const { return tenant_; }
  bool operator==(const Partition&) const = default;

  /// As it stands in a key: kTextSize characters, so that no id can pass for a partition. Never two alike.
  static constexpr std::size_t kTextSize = 37;
  std::string to_text() const { return kind_ + tenant_.value_or(Uuid()).to_string(); }
  static std::optional<Partition> from_text(std::string_view text) {
    if (text.size() != kTextSize) return std::nullopt;
    const std::optional<Uuid> id = Uuid::parse(text.substr(1));
    if (!id) return std::nullopt;
    if (text[0] == kTenant) return of_tenant(id);
    if (text[0] == kNoTenant) return of_tenant(std::nullopt);
    return text[0] == kShared ? std::optional(shared()) : std::nullopt;
  }

 private:
  static constexpr char kShared = 's';
  static constexpr char kTenant = 't';
  static constexpr char kNoTenant = 'n';
  Partition(char kind, const std::optional<Uuid>& tenant) : kind_(kind), tenant_(tenant) {}

  char kind_;
  std::optional<Uuid> tenant_;
};

}  // namespace bedplate::cache
