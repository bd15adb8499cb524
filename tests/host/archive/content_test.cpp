#include "host/archive/content.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "tests/catch.hpp"

using namespace mixop;

namespace {

using Bytes = std::vector<std::byte>;

MappedBytes mapped(const Bytes& bytes) {
  const int file = ::memfd_create("content-test", MFD_CLOEXEC);
  REQUIRE(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  MappedBytes result(file);
  ::close(file);
  return result;
}

template <class Write>
Bytes written(Write&& write) {
  Bytes bytes;
  const ConfinedOutput output = [&](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
  };
  ContentWriter writer(output);
  write(writer);
  return bytes;
}

std::string problem(const Bytes& bytes) {
  try {
    Content(mapped(bytes), "a.h5");
    return "";
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::bad_data);
    return e.what();
  }
}

template <class Write>
std::string problem_of(Write&& write) {
  return problem(written(write));
}

const std::vector<double> kValues = {1, 2, 3, 4, 5, 6};

StoredObject array(std::vector<std::uint64_t> shape) {
  StoredObject object;
  object.kind = StoredObject::Kind::array;
  object.type = ElementType::float64;
  object.shape = std::move(shape);
  object.bytes = std::as_bytes(std::span(kValues));
  return object;
}

void sound(ContentWriter& writer) {
  writer.object("/", {});
  writer.attribute("seed", std::int64_t{-2});
  writer.object("/a", {});
  writer.object("/a/x", array({2, 3}));
  writer.attribute("unit", std::string("nats"));
  writer.attribute("best", 0.5);
}

}  // namespace

TEST_CASE("content that was written is read", "[archive]") {
  const Content content(mapped(written(sound)), "a.h5");
  REQUIRE(content.find("/a/x") != nullptr);
  const StoredObject& x = *content.find("/a/x");
  CHECK(x.shape == std::vector<std::uint64_t>{2, 3});
  CHECK(x.bytes.size() == 48);
  CHECK(std::get<double>(x.attributes.at("best")) == 0.5);
  CHECK(std::get<std::string>(x.attributes.at("unit")) == "nats");
  CHECK(std::get<std::int64_t>(content.find("/")->attributes.at("seed")) == -2);
  CHECK(content.find("/a")->children == std::vector<std::string>{"x"});
  CHECK(content.find("/b") == nullptr);
}

TEST_CASE("content that nobody writes is refused", "[archive][hostile]") {
  CHECK(problem({}) == "a.h5: no root group");
  CHECK(problem_of([](ContentWriter& w) { w.refuse("/x: too much"); }) == "a.h5: /x: too much");
  CHECK(problem_of([](ContentWriter& w) { w.object("/a", {}); }) == "a.h5: objects out of order");
  CHECK(problem_of([](ContentWriter& w) { w.object("/", array({6})); }) == "a.h5: the root is no group");
  CHECK(problem_of([](ContentWriter& w) { w.attribute("a", 0.5); }) == "a.h5: a record of an unknown kind");
  const auto below = [](const std::string& path, const StoredObject& object) {
    return problem_of([&](ContentWriter& w) {
      w.object("/", {});
      w.object("/x", array({6}));
      w.object(path, object);
    });
  };
  CHECK(below("/x/y", {}) == "a.h5: /x/y: no group holds it");
  CHECK(below("/b/y", {}) == "a.h5: /b/y: no group holds it");
  CHECK(below("y", {}) == "a.h5: y: no group holds it");
  CHECK(below("/x", {}) == "a.h5: /x: two objects of one name");
  CHECK(below("/..", {}).find("cannot be a name in an archive") != std::string::npos);
  CHECK(below("/y\n", {}).find("cannot be a name in an archive") != std::string::npos);
  CHECK(below("/y", array({7})) == "a.h5: a field goes beyond the end");
  CHECK(below("/y", array({std::uint64_t{1} << 33, std::uint64_t{1} << 33})) ==
        "a.h5: an array of more than 2^64 bytes");
  CHECK(below("/y", array({1, 1, 1, 1, 1, 1, 1, 1, 6})) == "a.h5: too many dimensions");
  StoredObject texts = array({2});
  texts.kind = StoredObject::Kind::texts;
  CHECK(below("/y", texts) == "a.h5: texts without a size");
  const std::string broken = "caf\xe9";
  texts.text_size = 4;
  texts.shape = {1};
  texts.bytes = std::as_bytes(std::span(broken));
  CHECK(below("/y", texts) == "a.h5: /y: holds bytes that are not UTF-8");
}

TEST_CASE("mutated content is read or refused", "[archive][hostile]") {
  const Bytes whole = written(sound);
  std::mt19937 random(11);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    Bytes bytes = whole;
    for (unsigned change = 0; change <= random() % 3; ++change)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 4 == 0 ? 0xff : random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    if (!problem(bytes).empty()) ++refused;
  }
  CHECK(refused > 2500);
}
