// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/zones.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bedplate/schedule/zone_pack.h"
#include "zones_pack.h"

namespace bedplate::schedule {
namespace {

namespace fs = std::filesystem;

/// A zoneinfo directory of the test's own.
class ZonesTest : public testing::Test {
 protected:
  ZonesTest() {
    std::string name = (fs::temp_directory_path() / "zones-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    write("UTC", tzif_of("UTC"));
  }
  ~ZonesTest() override { fs::remove_all(root_); }

  void write(const std::string& name, std::string_view bytes) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << bytes;
  }
  static std::string tzif_of(std::string_view name) {
    return std::string(ZonePack::open(zones_pack().front().bytes)->find(name));
  }
  static std::string error_of(Zones& zones, std::string_view name) {
    const auto zone = zones.find(name);
    return zone ? "" : zone.error().detail();
  }

  fs::path root_;
};

TEST_F(ZonesTest, ReadsTheDirectoryFirst) {
  write("Europe/Berlin", tzif_of("Asia/Tokyo"));
  write("tzdata.zi", "# version 2031z\n# more\n");
  Zones zones(root_.string());
  EXPECT_EQ(zones.find("Europe/Berlin").value()->to_local(Time()).offset, std::chrono::hours(9));
  EXPECT_EQ(zones.description(), "2031z of " + root_.string());
}

TEST_F(ZonesTest, TheProgramHasWhatTheDirectoryLacks) {
  Zones zones(root_.string());
  EXPECT_EQ(zones.find("Europe/Paris").value()->name(), "Europe/Paris");
  EXPECT_EQ(zones.description(), "an unknown version of " + root_.string());
  Zones alone("/nonexistent");
  EXPECT_EQ(alone.find("Europe/Paris").value()->to_local(Time()).abbreviation, "CET");
  EXPECT_EQ(alone.description(), built_in_zone_version() + " of this program");
  EXPECT_FALSE(alone.uses_directory());
}

TEST_F(ZonesTest, TheProgramHasEveryZone) {
  const std::vector<std::string> names = built_in_zone_names();
  EXPECT_GT(names.size(), 500u);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  const auto pack = ZonePack::open(zones_pack().front().bytes);
  for (const std::string& name : names) EXPECT_TRUE(TimeZone::from_tzif(name, pack->find(name))) << name;
  for (const char* name : {"posix/Europe/Berlin", "right/Europe/Berlin", "localtime"})
    EXPECT_EQ(std::ranges::find(names, name), names.end()) << name;
  EXPECT_EQ(built_in_zone_version().size(), 5u) << built_in_zone_version();
}

TEST_F(ZonesTest, WhatWasReadStays) {
  write("Europe/Berlin", tzif_of("Asia/Tokyo"));
  Zones zones(root_.string());
  const auto before = zones.find("Europe/Berlin").value();
  write("Europe/Berlin", tzif_of("Europe/Berlin"));
  EXPECT_EQ(zones.find("Europe/Berlin").value(), before);
}

TEST_F(ZonesTest, NoNameLeadsOut) {
  fs::create_directories(root_ / "zoneinfo");
  fs::copy(root_ / "UTC", root_ / "zoneinfo" / "UTC");
  write("secret", tzif_of("Asia/Tokyo"));
  Zones zones((root_ / "zoneinfo").string());
  for (const std::string name :
       {"../secret", "..", ".", "", "/etc/localtime", "Europe/../../secret", "Europe//Berlin",
        "Europe/Berlin/", "a b", "localtime", "posixrules", "Europe/Berlin\n", "a/b/c/d/e", "M\xC3\xBCnchen"})
    EXPECT_EQ(zones.find(name).error().code(), "time_zone_unknown") << name;
  EXPECT_EQ(zones.find(std::string("UTC\0", 4)).error().code(), "time_zone_unknown");
  EXPECT_EQ(zones.find(std::string(65, 'a')).error().code(), "time_zone_unknown");
}

TEST_F(ZonesTest, ErrorsHelp) {
  Zones zones("");
  EXPECT_EQ(error_of(zones, "Europe/Berlim"),
            "There is no time zone `Europe/Berlim`. Did you mean Europe/Berlin?");
  EXPECT_EQ(
      error_of(zones, "\x1b[31mxxxxxxxxxxxxxxxxxxxxxx"),
      "There is no time zone `\\u001b[31mxxxxxxxxxxxxxxxxxxxxxx`. Time zones are named like Europe/Berlin.");
}

TEST_F(ZonesTest, FilesThatAreNoZonesAreNamed) {
  write("Bad", "TZif2 but no more");
  write("Large", std::string(200'000, 'x'));
  write("Europe/Berlin", tzif_of("Europe/Berlin"));
  fs::create_symlink("/dev/zero", root_ / "Zero");
  Zones zones(root_.string());
  EXPECT_EQ(error_of(zones, "Bad"),
            root_.string() + "/Bad cannot be read: The time zone file ends within a header.");
  EXPECT_EQ(error_of(zones, "Large"), root_.string() + "/Large cannot be read: it is larger than 128 KiB.");
  EXPECT_EQ(error_of(zones, "Zero"), root_.string() + "/Zero cannot be read: it is not a file.");
  EXPECT_EQ(zones.find("Europe").error().code(), "time_zone_unknown") << "a directory";
}

TEST(ZonePackTest, RefusesWhatIsDamaged) {
  const std::string good(zones_pack().front().bytes);
  EXPECT_TRUE(ZonePack::open(good));
  EXPECT_FALSE(ZonePack::open(""));
  EXPECT_FALSE(ZonePack::open(good.substr(0, good.size() / 2)));
  std::string other = good;
  other[0] = 'X';
  EXPECT_FALSE(ZonePack::open(other));
  other = good;
  other[7] = '\x7f';
  EXPECT_FALSE(ZonePack::open(other)) << "two gigabytes";
  other = good;
  other[1000] = static_cast<char>(other[1000] ^ 1);
  EXPECT_FALSE(ZonePack::open(other)) << "zlib's checksum";
}

TEST(ZonePackTest, RefusesAnIndexThatLeadsOut) {
  const auto pack_of = [](const std::string& content) {
    uLongf size = ::compressBound(content.size());
    std::string out(8 + size, '\0');
    out.replace(0, 5, std::string("BPZ1") + static_cast<char>(content.size()));
    ::compress(reinterpret_cast<Bytef*>(out.data() + 8), &size,
               reinterpret_cast<const Bytef*>(content.data()), content.size());
    out.resize(8 + size);
    return out;
  };
  const auto good = ZonePack::open(pack_of("1\nA 0 2\nB 1 2\n\nxyz"));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->find("B"), "yz");
  EXPECT_EQ(good->find("C"), "");
  for (const char* bad : {"1\nA 0 4\n\nxyz", "1\nA 4 0\n\nxyz", "1\nA 18446744073709551615 2\n\nxyz",
                          "1\nA 0\n\nxyz", "1\nA x 1\n\nxyz", "1\nB 0 1\nA 0 1\n\nxyz", "1\nA 0 1\n", "1"})
    EXPECT_FALSE(ZonePack::open(pack_of(bad))) << bad;
}

}  // namespace
}  // namespace bedplate::schedule
