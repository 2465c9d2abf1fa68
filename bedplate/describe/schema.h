// SPDX-License-Identifier: Apache-2.0
// JSON Schema (draft 2020-12) of described types.
//
//   std::string document = json_schema(type_of<Task>(), View::output);      // complete, with its own $defs
//
//   SchemaWriter writer("#/components/schemas/");            // OpenAPI: refs into a shared place
//   for (const TypeInfo* type : types) writer.collect(*type, View::input);   // first all of them, then write
//   writer.write(out, *types[0], View::input);               // {"$ref":"#/components/schemas/CreateTask"}
//   writer.write_definitions(out);                           // "CreateTask":{...},"Status":{...}
//
//
// Input and output are two views of a struct: what is required differs (input: what must be given; output:
// what is always there), read_only fields are missing from input (those of the struct that it `edits` stand
// there with readOnly, for they are ignored), write_only ones from output. A struct that a document shows in
// both views, and whose views differ, has two definitions: "Task" for output, "TaskInput" for input. Two types
// of one name are told apart by a number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/table.h"

namespace bedplate {

/// Writes schemas and remembers the named types (structs, enums) that they refer to. One writer a document.
/// Views are View::input and View::output.
class SchemaWriter {
 public:
  /// `ref_prefix` stands before a type's name in a $ref.
  explicit SchemaWriter(std::string_view ref_prefix = "#/$defs/") : ref_prefix_(ref_prefix) {}

  /// Makes the named types in `type` known, so that names can be chosen well: what is written without it, is
  /// collected then. Bit i of `fields_elsewhere`: field i of the struct comes from elsewhere (a path) and is no part
  /// of this schema of it.
  void collect(const TypeInfo& type, View view, std::uint64_t fields_elsewhere = 0);

  /// The schema of a type as it stands in a larger document: a $ref for a struct or enum, the schema itself
  /// else.
  void write(Buffer& out, const TypeInfo& type, View view, std::uint64_t fields_elsewhere = 0);
  /// The schema of a field with its rules, doc, example and default: for a property, a parameter, a setting.
  void write_field(Buffer& out, const FieldInfo& field, const TypeInfo& owner, View view);
  /// Every definition that was collected, as the members of an object: `"Task":{...},"Status":{...}`.
  void write_definitions(Buffer& out);

  /// The name under which a struct or an enum is referred to.
  std::string_view name_of(const TypeInfo& type, View view, std::uint64_t fields_elsewhere = 0);

 private:
  /// What makes one definition of a struct another than the next.
  struct Part {
    std::uint64_t fields_elsewhere = 0;
    std::string_view discriminator{};  ///< of a Tagged: a field beside its own
    std::string_view tag{};
    bool operator==(const Part&) const = default;
  };
  struct Definition {
    const TypeInfo* type;
    View view;
    Part part;
    std::string name;
  };
  static Part part_of(const VariantOps& variant, std::size_t alternative);
  Definition* find(const TypeInfo& type, View view, const Part& part);
  void collect_part(const TypeInfo& type, View view, const Part& part);
  std::string_view name_of_part(const TypeInfo& type, View view, const Part& part);
  void collect_fields(const TypeInfo& type, View view);
  void choose_name(Definition& definition);
  void write_reference(Buffer& out, const TypeInfo& type, View view, const Part& part, bool nullable);
  void write_members(Buffer& out, const TypeInfo& type, const Rules& rules, const Rules& item_rules,
                     bool nullable, View view);
  void write_tagged(Buffer& out, const TypeInfo& type, bool nullable, View view);
  void write_variant(Buffer& out, const TypeInfo& type, bool nullable, View view);
  void write_object(Buffer& out, const TypeInfo& type, View view, const Part& part);
  void write_ignored_fields(Buffer& out, const TypeInfo& type, std::uint64_t fields_elsewhere);

  std::string ref_prefix_;
  std::vector<Definition> definitions_;
};

/// One document for one type, complete with $schema and $defs.
std::string json_schema(const TypeInfo& type, View view);

}  // namespace bedplate
