// What is written comes back, and each defect of a file is named.
#include "grey_binary.hpp"

#include <cstdio>
#include <filesystem>

namespace {

const mixop::Options options(std::map<std::string, std::string>{{"flip", "false"}});

std::string file(int records, int height, int width, int classes) {
  std::string bytes = "GREY";
  for (const int number : {records, 0, height, width, classes, 0})
    bytes += {static_cast<char>(number), static_cast<char>(number >> 8)};
  for (int i = 0; i < records; ++i) bytes += static_cast<char>(i % classes);
  for (int i = 0; i < records * height * width; ++i) bytes += static_cast<char>(i % 251);
  return bytes;
}

void write(const std::string& name, const std::string& bytes) {
  std::ofstream("written/" + name, std::ios::binary) << bytes;
}

/// 0 where opening says so.
int refused(const std::string& test, const std::string& problem) {
  write("test.grey", test);
  try {
    GreyBinary("written", options);
  } catch (const mixop::Error& error) {
    if (std::string(error.what()).find(problem) != std::string::npos) return 0;
    std::printf("found: %s\n", error.what());
  }
  std::printf("not said: %s\n", problem.c_str());
  return 1;
}

}  // namespace

int main() {
  std::filesystem::create_directories("written");
  write("train.grey", file(300, 5, 6, 3));
  write("test.grey", file(20, 5, 6, 3));
  int wrong = 0;
  {
    const GreyBinary data("written", options);
    const MixopDatasetInfo info = data.info();
    wrong += info.records[MIXOP_SPLIT_TRAIN] == 300 && info.records[MIXOP_SPLIT_TEST] == 20 ? 0 : 1;
    wrong += info.height == 5 && info.width == 6 && info.classes == 3 && info.horizontal_flip == 0 ? 0 : 1;
    std::vector<std::uint8_t> pixels(3 * 30);
    std::vector<std::int64_t> targets(3);
    data.read(MIXOP_SPLIT_TRAIN, 200, 3, pixels.data(), targets.data());
    for (int i = 0; i < 3; ++i) wrong += targets[static_cast<std::size_t>(i)] == (200 + i) % 3 ? 0 : 1;
    for (int i = 0; i < 90; ++i) wrong += pixels[static_cast<std::size_t>(i)] == (200 * 30 + i) % 251 ? 0 : 1;
  }
  std::string defect = file(20, 5, 6, 3);
  defect[16] = 3;
  wrong += refused(defect, "has class 3 in record 0; expected less than 3");
  wrong += refused(file(20, 5, 6, 3) + "x", "has 637 bytes; its header asks for 636");
  wrong += refused(file(20, 5, 6, 3).substr(0, 15), "does not begin with a header");
  wrong += refused(file(20, 3, 6, 3), "sides of 4 to 4096 pixels");
  wrong += refused(file(20, 6, 5, 3), "expected those of train.grey, 5x6 pixels in 3 classes");
  std::printf("%d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
