// SPDX-License-Identifier: Apache-2.0
// Build tool: `pack_zones ZONEINFO OUTPUT` writes the compiled time zones of a directory into one file, which becomes
// part of the program. The same directory gives the same bytes. The form is that of zone_pack.h.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kZonesMax = 2000;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// "2025b", from the first line of tzdata.zi ("# version 2025b") or from +VERSION.
std::string version_of(const fs::path& root) {
  constexpr std::string_view kLead = "# version ";
  std::string line;
  if (std::ifstream in(root / "tzdata.zi"); std::getline(in, line) && line.starts_with(kLead))
    return line.substr(kLead.size());
  if (std::ifstream in(root / "+VERSION"); std::getline(in, line)) return line;
  return "unknown";
}

/// Copies of others under another name, and what is this machine's own choice.
bool is_left_out(const std::string& name) {
  return name == "posix" || name == "right" || name == "localtime" || name == "posixrules" ||
         name == "Factory";
}

void collect(const fs::path& folder, const std::string& prefix, std::vector<std::string>& names) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = prefix + entry.path().filename().string();
    if (is_left_out(name)) continue;
    if (entry.is_directory())
      collect(entry.path(), name + "/", names);
    else if (entry.is_regular_file())
      names.push_back(name);
  }
}

std::string packed(const std::string& content) {
  uLongf size = ::compressBound(content.size());
  std::string out(8 + size, '\0');
  out.replace(0, 4, "BPZ1");
  for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<char>(content.size() >> (8 * i) & 0xFF);
  if (::compress2(reinterpret_cast<Bytef*>(out.data() + 8), &size,
                  reinterpret_cast<const Bytef*>(content.data()), content.size(), Z_BEST_COMPRESSION) != Z_OK)
    return {};
  out.resize(8 + size);
  return out;
}

int pack(const fs::path& root, const fs::path& output) {
  std::vector<std::string> names;
  collect(root, "", names);
  std::sort(names.begin(), names.end());
  std::string index = version_of(root) + "\n";
  std::string data;
  std::map<std::string, std::size_t> known;  // content to offset: many zones are one under several names
  std::size_t count = 0;
  for (const std::string& name : names) {
    const std::string content = read_file(root / name);
    if (!content.starts_with("TZif")) continue;
    const auto [place, is_new] = known.try_emplace(content, data.size());
    if (is_new) data += content;
    index += name + " " + std::to_string(place->second) + " " + std::to_string(content.size()) + "\n";
    ++count;
  }
  const std::string out = packed(index + "\n" + data);
  if (count == 0 || count > kZonesMax || out.empty()) {
    std::fprintf(stderr, "pack_zones: %s has %zu time zones\n", root.c_str(), count);
    return 1;
  }
  std::ofstream file(output, std::ios::binary | std::ios::trunc);
  file.write(out.data(), static_cast<std::streamsize>(out.size()));
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "pack_zones: %s cannot be written\n", output.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: pack_zones ZONEINFO OUTPUT\n");
    return 2;
  }
  return pack(argv[1], argv[2]);
}
