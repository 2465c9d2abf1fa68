// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/input.h"

#include "bedplate/base/buffer.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::api::detail {
namespace {

/// The bytes that a codec would write: two values that differ nowhere in them are the same to every client.
bool same_json(const TypeInfo& type, const void* one, const void* other) {
  Buffer first;
  Buffer second;
  write_json(first, type, one, View::stored);
  write_json(second, type, other, View::stored);
  return first.view() == second.view();
}

void move_field(const FieldInfo& field, void* from, void* to) {
  const ValueOps& ops = *field.type->ops;
  ops.destroy(field.in(to));
  ops.move(field.in(to), field.in(from));
}

}  // namespace

void move_fields(InputKind kind, const TypeInfo& entity, void* from, void* to) {
  for (const FieldInfo& field : entity.object().all())
    if (takes_field(kind, field)) move_field(field, from, to);
}

bool apply_fields(InputKind kind, const TypeInfo& entity, std::uint64_t given, void* from, void* to) {
  bool changed = false;
  unsigned place = 0;
  for (const FieldInfo& field : entity.object().all()) {
    if (!takes_field(kind, field)) continue;
    const bool is_given = (given >> place++ & 1) != 0;
    if (!is_given || field.has(kKey)) continue;
    if (same_json(*field.type, field.in(from), field.in(to))) continue;
    move_field(field, from, to);
    changed = true;
  }
  return changed;
}

}  // namespace bedplate::api::detail
