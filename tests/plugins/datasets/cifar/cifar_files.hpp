#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/plugins/datasets/support.hpp"

inline mixop::DatasetHandle open_cifar(const std::string& component, const std::string& folder) {
  return mixop::DatasetHandle(component, dataset_table("mixop_datasets_cifar.so", component), folder);
}

/// The pixels of one image: a pattern that depends on `salt`.
inline std::string image(int salt) {
  std::string bytes;
  for (int i = 0; i < 3072; ++i) bytes += static_cast<char>((i * 7 + salt * 31) & 255);
  return bytes;
}

inline std::string byte(int value) { return std::string(1, static_cast<char>(value)); }

inline std::string little_endian(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

/// SHORT_BINSTRING.
inline std::string text(const std::string& value) { return "U" + byte(static_cast<int>(value.size())) + value; }

/// A batch as Python 2's cPickle (protocol 2) wrote the published files; a test changes one part of it.
struct PickledBatch {
  std::string label_key = "labels";
  std::vector<int> labels = {3, 7};
  std::uint64_t files = 2;
  int rows = 2, columns = 3072;
  std::string pixels = image(0) + image(1);
  std::string dtype = "u1";
  std::string fortran = "\x89";
  std::string more;  // further items of the dict

  std::string array() const {
    const std::string shape = "M" + little_endian(static_cast<std::uint64_t>(rows), 2) + "M" +
                              little_endian(static_cast<std::uint64_t>(columns), 2) + "\x86";
    const std::string maker =
        "cnumpy.core.multiarray\n_reconstruct\nq\x06"
        "cnumpy\nndarray\nq\x07K" +
        byte(0) +
        "\x85U\x01"
        "b\x87Rq\x08";
    const std::string type = "cnumpy\ndtype\nq\x09" + text(dtype) + "K" + byte(0) +
                             "K\x01\x87Rq\x0a(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" + byte(0) + "tb";
    return maker + "(K\x01" + shape + type + fortran + "T" + little_endian(pixels.size(), 4) + pixels + "tb";
  }
  std::string items() const {
    std::string bytes =
        text("batch_label") + "q\x02" + text("training batch 1 of 5") + "q\x03" + text(label_key) + "q\x04]q\x05(";
    for (const int label : labels) bytes += "K" + byte(label);
    bytes += "e" + text("data") + array() + text("filenames") + "]q\x0b(";
    for (std::uint64_t i = 0; i < files; ++i)
      bytes += text("image_" + std::to_string(i) + ".png") + "r" + little_endian(300 + i, 4);
    return bytes + "e" + more;
  }
  std::string bytes() const { return "\x80\x02}q\x01(" + items() + "u."; }
};
