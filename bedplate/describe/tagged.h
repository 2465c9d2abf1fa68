// SPDX-License-Identifier: Apache-2.0
// Tagged: one of several described structs, told apart by a field of the JSON object.
//
//   struct Card { std::string number; ... describe() ... };
//   struct Transfer { std::string iban; ... };
//   struct Payment {
//     Tagged<"method", Card, Transfer> how;              // {"method": "card", "number": "..."}
//     ...
//   };
//
// It is a std::variant: std::get, std::visit, std::holds_alternative. The value of the field is the snake_case name of
// the struct ("card"); no alternative has a field of its own with the discriminator's name. A plain std::variant is
// written as an object with one key instead: {"card": {"number": "..."}}. In schemas it is a oneOf with OpenAPI's
// `discriminator`. In a row it is JSON.
#pragma once

#include <variant>

#include "bedplate/describe/names.h"

namespace bedplate {

template <detail::FixedText Discriminator, class... Alternatives>
class Tagged : public std::variant<Alternatives...> {
 public:
  using Variant = std::variant<Alternatives...>;
  using Variant::Variant;
  using Variant::operator=;
  static constexpr detail::FixedText kDiscriminator = Discriminator;
};

}  // namespace bedplate

template <bedplate::detail::FixedText Discriminator, class... Alternatives>
struct std::variant_size<bedplate::Tagged<Discriminator, Alternatives...>>
    : std::variant_size<std::variant<Alternatives...>> {};
template <std::size_t I, bedplate::detail::FixedText Discriminator, class... Alternatives>
struct std::variant_alternative<I, bedplate::Tagged<Discriminator, Alternatives...>>
    : std::variant_alternative<I, std::variant<Alternatives...>> {};
