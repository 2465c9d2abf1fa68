// JSON Schema (draft 2020-12) of described types.
//
//   std::string document = json_schema(type_of<Task>(), View::output);      // with its own $defs
//
//   SchemaWriter writer(View::input, "#/components/schemas/");               // OpenAPI: refs into a shared
//   place writer.write(out, type_of<CreateTask>());                                //
//   {"$ref":"#/components/schemas/CreateTask"} writer.write_definitions(out); //
//   "CreateTask":{...},"Status":{...}
//
// Input and output are two views of a type: what is required differs (input: what must be given; output: what
// is always there), read_only fields are missing from input, write_only ones from output. A type whose views
// differ is written under two names in a document that shows both: "Task" for output, "TaskInput" for input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/buffer.h"
#include "bedplate/describe/json.h"
#include "bedplate/describe/table.h"

namespace bedplate {

/// Writes schemas and remembers the named types (structs, enums) they refer to. One writer a document.
class SchemaWriter {
 public:
  /// `ref_prefix` stands before a type's name in a $ref.
  explicit SchemaWriter(std::string_view ref_prefix = "#/$defs/") : ref_prefix_(ref_prefix) {}

  /// The schema of a type as it stands in a larger document: a $ref for a struct or enum, the schema itself
  /// else.
  void write(Buffer& out, const TypeInfo& type, View view);
  /// The schema of a field's values with its rules, doc, example and default: for a parameter or a property.
  void write_field(Buffer& out, const FieldInfo& field, const TypeInfo& owner, View view);
  /// The members of an object that holds every definition that was referred to,
  /// `"Task":{...},"Status":{...}`, in the order of first use; definitions refer to others, which follow.
  void write_definitions(Buffer& out);

  /// The name under which a type is referred to.
  static std::string definition_name(const TypeInfo& type, View view);

 private:
  struct Definition {
    const TypeInfo* type;
    View view;
  };
  void refer(Buffer& out, const TypeInfo& type, View view);
  void write_object(Buffer& out, const TypeInfo& type, View view);
  void write_value(Buffer& out, const TypeInfo& type, const Rules& rules, const Rules& item_rules,
                   bool nullable, View view);

  std::string ref_prefix_;
  std::vector<Definition> definitions_;
};

/// One document for one type, complete with $schema and $defs.
std::string json_schema(const TypeInfo& type, View view);

}  // namespace bedplate
