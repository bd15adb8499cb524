// What is written comes back; `mathematics FOLDER` leaves a small data set there: squares that grow with the class.
#include "@file@.hpp"

#include <cstdio>
#include <filesystem>

namespace {

unsigned char pixel(int label, int index) {
  const int row = index / @class@::side, column = index % @class@::side;
  return static_cast<unsigned char>(row < 4 + 2 * label && column < 4 + 2 * label ? 200 + index % 50 : index % 50);
}

void write(const std::string& path, int records) {
  std::ofstream file(path, std::ios::binary);
  for (int i = 0; i < records; ++i) {
    file.put(static_cast<char>(i % @class@::classes));
    for (int k = 0; k < @class@::record - 1; ++k) file.put(static_cast<char>(pixel(i % @class@::classes, k)));
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string folder = count > 1 ? arguments[1] : "written";
  std::filesystem::create_directories(folder);
  write(folder + "/train.bin", 400);
  write(folder + "/test.bin", 50);
  const @class@ data(folder, mixop::Options());
  int wrong = data.info().records[MIXOP_SPLIT_TRAIN] == 400 && data.info().records[MIXOP_SPLIT_TEST] == 50 ? 0 : 1;
  std::vector<std::uint8_t> pixels(3 * (@class@::record - 1));
  std::vector<std::int64_t> targets(3);
  data.read(MIXOP_SPLIT_TEST, 17, 3, pixels.data(), targets.data());
  for (int i = 0; i < 3; ++i) {
    wrong += targets[static_cast<std::size_t>(i)] == (17 + i) % 10 ? 0 : 1;
    for (int k = 0; k < @class@::record - 1; ++k)
      wrong += pixels[static_cast<std::size_t>(i * (@class@::record - 1) + k)] == pixel((17 + i) % 10, k) ? 0 : 1;
  }
  std::printf("%d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
