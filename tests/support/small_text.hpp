#pragma once

#include "host/config/config.hpp"
#include "tests/support/plugins.hpp"

namespace mixop::test {

inline DatasetHandle drawn_text(const std::string& train = "1200", const std::string& vocabulary = "40") {
  return DatasetHandle("synthetic_text", plugins().dataset("synthetic_text"), "",
                       {{"train", train}, {"valid", "300"}, {"test", "200"}, {"vocabulary", vocabulary}});
}

inline const DatasetHandle& small_text() {
  static const DatasetHandle data = drawn_text();
  return data;
}

/// What searches and trainings on drawn text share: a narrow cell, few columns, all dropouts and penalties on.
inline Config text_config(RunKind kind) {
  Config config = default_config(kind);
  config.seed = 5;
  config.threads = 1;
  config.device = "cpu";
  config.data.name = "synthetic_text";
  config.data.bptt = 12;
  config.space.name = "darts_rnn";
  config.space.width = 8;
  config.weights = {
      .lr = 5, .schedule = "constant", .lr_min = 5, .gamma = 0.97, .momentum = 0, .decay = 1e-6, .clip = 0.25};
  return config;
}

inline ComponentOptions without_dropout() {
  ComponentOptions options;
  for (const char* name : {"dropout", "dropouth", "dropoutx", "dropouti", "dropoute"}) options["darts_rnn"][name] = "0";
  return options;
}

inline ComponentOptions text_options() {
  return {{"darts_rnn",
           {{"dropout", "0.2"},
            {"dropouth", "0.1"},
            {"dropoutx", "0.2"},
            {"dropouti", "0.1"},
            {"dropoute", "0.1"},
            {"alpha", "0.01"},
            {"beta", "0.01"}}}};
}

}  // namespace mixop::test
