#pragma once

#include <ATen/ATen.h>

#include <string>

#include "mixop/options.hpp"
#include "mixop/plugin.hpp"
#include "mixop/strategy.hpp"

// Ends a search once the validation loss has been below a limit for some epochs in a row.
class @class@ : public mixop::Stopper {
 public:
  static constexpr MixopOptionSpec options[] = {
      mixop::option(MIXOP_OPTION_REAL, "loss", "0.5", "The limit of the validation loss."),
      mixop::option(MIXOP_OPTION_INTEGER, "epochs", "2", "For so many epochs in a row, from 1 on."),
  };

  explicit @class@(const mixop::Options& given) : loss_(given.real("loss")), epochs_(given.integer("epochs")) {
    if (epochs_ < 1)
      throw mixop::Error(mixop::ErrorCode::usage, "@name@.epochs: expected a number from 1 on, found " + given.text("epochs"));
  }

  std::string reason_to_stop(const mixop::EpochReport& report) override {
    below_ = report.valid_loss < loss_ ? below_ + 1 : 0;
    return below_ < epochs_ ? "" : "the validation loss has been below " + std::to_string(loss_) + " for " + std::to_string(below_) + " epochs";
  }

  // What a search that was killed must find again.
  mixop::NamedTensors save() const override { return {{"below", at::scalar_tensor(below_, at::kLong)}}; }
  void load(const mixop::NamedTensors& state) override {
    const auto found = state.find("below");
    if (found == state.end() || found->second.numel() != 1)
      throw mixop::Error(mixop::ErrorCode::bad_data, "@name@ finds no number 'below' in its state");
    below_ = found->second.item<std::int64_t>();
  }

 private:
  double loss_;
  std::int64_t epochs_, below_ = 0;
};
