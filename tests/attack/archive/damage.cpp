// archive_damage FILE STRIDE: damages FILE in every way that storage does, and counts what Archive::open makes of it. A
// bit is flipped in every STRIDE-th byte and every bit of the user block, the file is cut at every STRIDE-th byte and
// grown. Ends with 1 where anything was not refused as bad data.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "host/archive/archive.hpp"
#include "host/archive/file.hpp"
#include "host/archive/user_block.hpp"

namespace {

using namespace mixop;

class Victim {
 public:
  explicit Victim(const std::string& path)
      : path_(path), sound_(read_file(path)), descriptor_(::open(path.c_str(), O_RDWR)) {}
  ~Victim() { ::close(descriptor_); }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;

  std::size_t size() const { return sound_.size(); }

  void flip(std::size_t at, unsigned bit) {
    const std::byte wrong = sound_[at] ^ static_cast<std::byte>(1u << bit);
    put(at, &wrong, 1);
    expect_refusal("bit " + std::to_string(bit) + " of byte " + std::to_string(at));
    put(at, &sound_[at], 1);
  }
  /// From the end towards the start; restore() makes the file whole again.
  void cut(std::size_t length) {
    resize(length);
    expect_refusal("cut to " + std::to_string(length));
  }
  void grow(std::size_t more, std::byte with) {
    const std::vector<std::byte> tail(more, with);
    put(size(), tail.data(), tail.size());
    expect_refusal("grown by " + std::to_string(more));
    resize(size());
  }
  void restore() {
    resize(size());
    put(0, sound_.data(), size());
  }
  bool opens() const { return problem().empty(); }

  std::size_t cases = 0, wrong = 0;

 private:
  void put(std::size_t at, const std::byte* data, std::size_t count) {
    if (::pwrite(descriptor_, data, count, static_cast<off_t>(at)) != static_cast<ssize_t>(count)) std::abort();
  }
  void resize(std::size_t length) {
    if (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) std::abort();
  }
  /// How the file was refused; "" where it was not.
  std::string problem() const {
    try {
      (void)Archive::open(path_);
    } catch (const Error& error) {
      return error.code() == ErrorCode::bad_data ? error.what() : "not bad data: " + std::string(error.what());
    }
    return "";
  }
  void expect_refusal(const std::string& damage) {
    ++cases;
    const std::string found = problem();
    if (found.rfind(path_ + ": ", 0) == 0) return;
    ++wrong;
    std::cerr << damage << ": " << (found.empty() ? "was not noticed" : found) << std::endl;
  }

  std::string path_;
  std::vector<std::byte> sound_;
  int descriptor_;
};

}  // namespace

int main(int, char** arguments) {
  const std::size_t stride = std::strtoull(arguments[2], nullptr, 10);
  Victim victim(arguments[1]);
  if (stride == 0 || !victim.opens()) {
    std::cerr << "usage: archive_damage SOUND-ARCHIVE STRIDE" << std::endl;
    return 2;
  }
  auto report = [&, before = std::size_t{0}](const char* what) mutable {
    std::cout << victim.cases - before << " " << what << "; ";
    before = victim.cases;
  };
  for (std::size_t at = 0; at < victim.size(); at += stride) victim.flip(at, at / stride % 8);
  report("flipped bits");
  for (std::size_t bit = 0; bit < 8 * kUserBlockSize; ++bit) victim.flip(bit / 8, bit % 8);
  report("flipped bits of the user block");
  for (const std::size_t more : {1, 8, 97, 511, 512, 4096})
    for (const std::byte with : {std::byte{0}, std::byte{0xff}}) victim.grow(more, with);
  report("appended tails");
  for (std::size_t length = (victim.size() - 1) / stride * stride;; length -= stride) {
    victim.cut(length);
    if (length == 0) break;
  }
  report("cuts");
  victim.restore();
  std::cout << victim.wrong << " not refused" << std::endl;
  return victim.wrong == 0 && victim.opens() ? 0 : 1;
}
