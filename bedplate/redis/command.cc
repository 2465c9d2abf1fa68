// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/command.h"

#include <array>

namespace bedplate::redis {
namespace {

constexpr int kSlots = 16384;
constexpr std::size_t kUsualSize = 96;  // of a GET: one allocation in place of several

// CRC-16/XMODEM, as the Cluster specification asks for.
constexpr std::array<std::uint16_t, 256> make_crc_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}
constexpr std::array<std::uint16_t, 256> kCrcTable = make_crc_table();

std::uint16_t crc16(std::string_view bytes) {
  std::uint16_t crc = 0;
  for (char c : bytes)
    crc = static_cast<std::uint16_t>((crc << 8) ^
                                     kCrcTable[((crc >> 8) ^ static_cast<unsigned char>(c)) & 0xff]);
  return crc;
}

}  // namespace

int slot_of(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close != open + 1) key = key.substr(open + 1, close - open - 1);
  }
  return crc16(key) % kSlots;
}

Command::Command(std::span<const std::string_view> words) {
  begin(words.size());
  for (std::string_view word : words) append(word);
}

Command&& Command::with_key(std::string_view key) && {
  own_key_ = key;
  return std::move(*this);
}

int Command::slot() const {
  if (!own_key_.empty()) return slot_of(own_key_);
  return words_ < 2 || publishes_ ? -1 : slot_of(std::string_view(wire_).substr(key_at_, key_size_));
}

void Command::begin(std::size_t words) {
  wire_.reserve(kUsualSize);
  wire_ += '*';
  wire_ += std::to_string(words);
  wire_ += "\r\n";
}

void Command::append(std::string_view word) {
  if (words_ == 0) publishes_ = word == "PUBLISH";
  wire_ += '$';
  wire_ += std::to_string(word.size());
  wire_ += "\r\n";
  if (words_ == 1) {
    key_at_ = wire_.size();
    key_size_ = word.size();
  }
  wire_ += word;
  wire_ += "\r\n";
  ++words_;
}

}  // namespace bedplate::redis
