#include <algorithm>
#include <cstring>
#include <span>

#include "host/archive/archive.hpp"
#include "host/archive/user_block.hpp"
#include "tests/catch.hpp"
#include "tests/host/archive/sample_archive.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::archive_error;
using test::TemporaryFolder;

TEST_CASE("look-ups of what is not there name file and path", "[archive]") {
  const TemporaryFolder folder;
  const auto path = folder.write("a.h5", test::sample_archive().finish());
  const Archive archive = Archive::open(path);
  const auto problem = [&](auto&& body) {
    const std::string text = archive_error(ErrorCode::bad_data, body);
    return text.rfind(path.string() + ": ", 0) == 0 ? text.substr(path.string().size() + 2) : text;
  };
  CHECK(problem([&] { archive.array("/no/such"); }) == "/no/such: is not there");
  CHECK(problem([&] { archive.array("weights"); }) == "weights: is not there");
  CHECK(problem([&] { archive.array("/weights"); }) == "/weights: expected an array or a text, found a group");
  CHECK(problem([&] { archive.children("/operations"); }) == "/operations: expected a group, found an array");
  CHECK(problem([&] { archive.array("/operations"); }) ==
        "/operations: expected an array of uint8, int32, int64, float32 or float64, found another type");
  CHECK(problem([&] { archive.text("/operations"); }) == "/operations: expected one text, found 2");
  CHECK(problem([&] { archive.text("/metrics/loss"); }) ==
        "/metrics/loss: expected texts of fixed length, found another type");
  CHECK(problem([&] { archive.attribute("/", "none"); }) == "/@none: is not there");
  CHECK(problem([&] { archive.real("/", "seed"); }) == "/@seed: expected float64, found another type");
  CHECK(problem([&] { archive.integer("/metrics", "unit"); }) == "/metrics@unit: expected int64, found another type");
  CHECK(problem([&] { archive.text("/metrics/loss", "best"); }) ==
        "/metrics/loss@best: expected a text, found another type");
  CHECK(problem([&] { archive.values<float>("/metrics/loss"); }) == "/metrics/loss: expected float32, found float64");
  CHECK(archive_error(ErrorCode::bad_data, [&] { archive.array("/metrics/loss").values<float>("/metrics/loss"); }) ==
        "/metrics/loss: expected float32, found float64");
}

TEST_CASE("a file that is missing or no archive is refused", "[archive]") {
  const TemporaryFolder folder;
  CHECK(archive_error(ErrorCode::bad_data, [&] { Archive::open(folder.path() / "absent.h5"); }) ==
        (folder.path() / "absent.h5").string() + ": opening failed: No such file or directory");
  CHECK(archive_error(ErrorCode::bad_data, [&] { Archive::open(folder.path()); }) ==
        folder.path().string() + ": not a regular file");
}

TEST_CASE("a right digest over bytes that are no HDF5 file is refused", "[archive][hostile]") {
  const TemporaryFolder folder;
  std::string bytes(kUserBlockSize, '\0');
  bytes += "hello";
  const auto block = make_user_block(std::as_bytes(std::span(bytes)).subspan(kUserBlockSize));
  std::memcpy(bytes.data(), block.data(), block.size());
  const auto file = folder.write("text.h5", bytes);
  CHECK(archive_error(ErrorCode::bad_data, [&] {
          Archive::open(file);
        }).rfind(file.string() + ": not a readable HDF5 file: ", 0) == 0);
}

TEST_CASE("everything that was put in comes out", "[archive]") {
  const TemporaryFolder folder;
  const Archive archive = Archive::open(folder.write("a.h5", test::sample_archive().finish()));
  CHECK(archive.integer("/", "seed") == 2);
  CHECK(archive.text("/config/resolved") == "{\"seed\": 2}");
  CHECK(archive.texts("/operations") == std::vector<std::string>{"none", "skip_connect"});
  CHECK(archive.array("/alphas/normal").shape == std::vector<std::uint64_t>{2, 3, 2});
  CHECK(archive.array("/alphas/normal").values<double>("") == std::vector<double>(12, 0.25));
  CHECK(archive.array("/weights/stem.0.weight").values<float>("") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(archive.array("/buffers/tracked").shape.empty());
  CHECK(archive.array("/buffers/tracked").values<std::int64_t>("") == std::vector<std::int64_t>{7});
  CHECK(archive.array("/buffers/empty").shape == std::vector<std::uint64_t>{0, 4});
  CHECK(archive.real("/metrics/loss", "best") == 0.5);
  CHECK(std::get<std::string>(archive.attribute("/metrics", "unit")) == "nats");
  CHECK(archive.text("/metrics", "unit") == "nats");
  CHECK(archive.name() == (folder.path() / "a.h5").string());
  CHECK(archive.values<double>("/metrics/loss") == std::vector<double>{2.3, 0.5});
}

TEST_CASE("children come in the order in which they were added", "[archive]") {
  const TemporaryFolder folder;
  const Archive archive = Archive::open(folder.write("a.h5", test::sample_archive().finish()));
  CHECK(archive.children("/weights") == std::vector<std::string>{"stem.0.weight", "a.last"});
  CHECK(archive.children("/") ==
        std::vector<std::string>{"config", "operations", "alphas", "metrics", "weights", "buffers"});
  CHECK(archive.attributes("/alphas/normal").empty());
  CHECK(archive.attributes("/metrics/loss") == std::vector<std::string>{"best"});
  CHECK(archive.has("/"));
  CHECK_FALSE(archive.has("/weights/none"));
  CHECK_FALSE(archive.has("/operations/none"));
  CHECK(archive.is_group("/weights"));
  CHECK_FALSE(archive.is_group("/operations"));
}

TEST_CASE("large arrays and long or empty texts survive", "[archive]") {
  const TemporaryFolder folder;
  std::vector<float> values(1500 * 700);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 977) * 0.37f;
  std::string page;
  for (int i = 0; i < 100000; ++i) page += "line " + std::to_string(i) + "\n";
  ArchiveBuilder builder;
  builder.array<float>("/large", {1500, 700}, values);
  builder.array<float>("/wide", {1, values.size()}, values);
  builder.text("/page", page);
  builder.text("/empty", "");
  builder.texts("/none", {});
  builder.group("/group");
  const Archive archive = Archive::open(folder.write("a.h5", builder.finish()));
  CHECK(archive.array("/large").values<float>("") == values);
  CHECK(archive.array("/wide").values<float>("") == values);
  CHECK(archive.text("/page") == page);
  CHECK(archive.text("/empty").empty());
  CHECK(archive.texts("/none").empty());
  CHECK(archive.children("/group").empty());
}

TEST_CASE("one flipped bit anywhere in the file is noticed", "[archive][damage]") {
  const TemporaryFolder folder;
  const auto sound = test::sample_archive().finish();
  REQUIRE_NOTHROW(Archive::open(folder.write("sound.h5", sound)));
  std::size_t unnoticed = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    auto damaged = sound;
    damaged[at] ^= static_cast<std::byte>(1u << (at % 8));
    if (archive_error(ErrorCode::bad_data, [&] { check_user_block(damaged, "a.h5"); }).rfind("a.h5: ", 0) != 0)
      ++unnoticed;
  }
  CHECK(unnoticed == 0);
}

TEST_CASE("a file that is cut or grown is noticed", "[archive][damage]") {
  const TemporaryFolder folder;
  const auto sound = test::sample_archive().finish();
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{511}, std::size_t{512},
                                 sound.size() - 1, sound.size() + 1}) {
    auto cut = sound;
    cut.resize(size);
    const auto path = folder.write("cut.h5", cut);
    CHECK_THROWS_AS(Archive::open(path), Error);
  }
}

TEST_CASE("damage that carries a matching digest is refused by HDF5 or read without harm", "[archive][damage]") {
  const TemporaryFolder folder;
  const auto sound = test::sample_archive().finish();
  std::size_t refused = 0;
  for (std::size_t at = kUserBlockSize; at < sound.size(); at += 31) {
    auto damaged = sound;
    damaged[at] ^= std::byte{0x41};
    const auto block = make_user_block(std::span(damaged).subspan(kUserBlockSize));
    std::copy(block.begin(), block.end(), damaged.begin());
    const auto path = folder.write("a.h5", damaged);
    const std::string problem = archive_error(ErrorCode::bad_data, [&] {
      const Archive archive = Archive::open(path);
      archive.array("/alphas/normal");
      archive.array("/weights/stem.0.weight");
      archive.text("/config/resolved");
    });
    CHECK(problem.rfind("wrong code", 0) != 0);
    if (!problem.empty()) ++refused;
  }
  CHECK(refused > 10);
}
