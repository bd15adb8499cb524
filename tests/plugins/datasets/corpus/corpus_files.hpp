#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/plugins/datasets/support.hpp"

inline mixop::DatasetHandle open_corpus(const std::string& component, const std::string& folder) {
  return mixop::DatasetHandle(component, dataset_table("mixop_datasets_corpus.so", component), folder);
}

using Texts = std::array<std::string, MIXOP_SPLIT_COUNT>;

inline void write_texts(const TempFolder& folder, const Texts& texts) {
  folder.write("train.txt", texts[0]);
  folder.write("valid.txt", texts[1]);
  folder.write("test.txt", texts[2]);
}

inline std::vector<std::int64_t> tokens_of(const mixop::DatasetHandle& data, int split) {
  std::vector<std::int64_t> tokens(static_cast<std::size_t>(data.info().records[static_cast<std::size_t>(split)]));
  data.read(split, 0, static_cast<std::int64_t>(tokens.size()), nullptr, tokens.data());
  return tokens;
}

/// The words that a split's tokens stand for, as one text.
inline std::string words_of(const mixop::DatasetHandle& data, int split) {
  std::string words;
  for (const std::int64_t token : tokens_of(data, split))
    words += (words.empty() ? "" : "|") + data.info().class_names[static_cast<std::size_t>(token)];
  return words;
}
