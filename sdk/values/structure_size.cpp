#include "mixop/structure_size.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "mixop/error.hpp"

namespace mixop {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorCode::plugin, message);
}

std::int64_t windows(std::int64_t side, const Stage& stage, std::size_t axis) {
  const std::int64_t reach = stage.dilation[axis] * (stage.kernel[axis] - 1) + 1;
  const std::int64_t room = side + 2 * stage.padding[axis] - reach;
  return room < 0 ? 0 : room / stage.stride[axis] + 1;
}

ImageShape windowed(const ImageShape& input, const Stage& stage, std::int64_t channels) {
  const ImageShape output{channels, windows(input.height, stage, 0), windows(input.width, stage, 1)};
  require(output.height > 0 && output.width > 0, "a convolution or pool of a " + std::to_string(stage.kernel[0]) + "x" +
                                                     std::to_string(stage.kernel[1]) + " window reads " +
                                                     text_of(input) + ", which is smaller than the window");
  return output;
}

/// One structure on one input: shapes of its values, and who reads them.
class Sizing {
 public:
  Sizing(const Structure& structure, const ImageShape& input)
      : stages_(structure.stages()), readers_(1 + stages_.size(), 0) {
    shapes_.push_back(input);
    for (const Stage& stage : stages_)
      for (const int value : stage.inputs) ++readers_.at(static_cast<std::size_t>(value));
  }

  StructureSize run() {
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      shapes_.push_back(shape_after(stages_[i]));
      count(stages_[i]);
      if (puts_out(i)) size_.activations += numbers_of(shapes_.back());
    }
    size_.output = shapes_.back();
    return size_;
  }

 private:
  const ImageShape& read(const Stage& stage, std::size_t i = 0) const {
    return shapes_.at(static_cast<std::size_t>(stage.inputs.at(i)));
  }

  ImageShape shape_after(const Stage& stage) const {
    const ImageShape& input = read(stage);
    switch (stage.kind) {
      case StageKind::zero:
        return {input.channels, (input.height + stage.stride[0] - 1) / stage.stride[0],
                (input.width + stage.stride[1] - 1) / stage.stride[1]};
      case StageKind::conv:
        require(input.channels == stage.in,
                "a convolution of " + std::to_string(stage.in) + " channels reads " + text_of(input));
        return windowed(input, stage, stage.out);
      case StageKind::batch_norm:
        require(input.channels == stage.in,
                "a batch norm of " + std::to_string(stage.in) + " channels reads " + text_of(input));
        return input;
      case StageKind::max_pool:
      case StageKind::avg_pool:
        return windowed(input, stage, input.channels);
      case StageKind::global_avg_pool:
        return {input.channels, 1, 1};
      case StageKind::linear:
        require(numbers_of(input) == stage.in,
                "a linear layer of " + std::to_string(stage.in) + " numbers reads " + text_of(input));
        return {stage.out, 1, 1};
      case StageKind::shift:  // an odd side gets its row back
        return {input.channels, input.height - 1 + input.height % 2, input.width - 1 + input.width % 2};
      case StageKind::shuffle:
        require(input.channels % stage.groups == 0,
                "a shuffle in " + std::to_string(stage.groups) + " groups reads " + text_of(input));
        return input;
      case StageKind::add:
        require(read(stage, 1) == input, "a sum reads " + text_of(input) + " and " + text_of(read(stage, 1)));
        return input;
      case StageKind::multiply:
        return product(input, read(stage, 1));
      case StageKind::concat:
        return concatenated(stage);
      default:
        return input;
    }
  }

  static ImageShape product(const ImageShape& a, const ImageShape& b) {
    const ImageShape &large = numbers_of(a) >= numbers_of(b) ? a : b, &small = &large == &a ? b : a;
    const bool pixels = small.height == large.height && small.width == large.width;
    const bool pixel = small.height == 1 && small.width == 1;
    require((pixels || pixel) && (small.channels == large.channels || small.channels == 1),
            "a product reads " + text_of(a) + " and " + text_of(b));
    return large;
  }

  ImageShape concatenated(const Stage& stage) const {
    ImageShape output = read(stage);
    for (std::size_t i = 1; i < stage.inputs.size(); ++i) {
      const ImageShape& next = read(stage, i);
      require(next.height == output.height && next.width == output.width,
              "a concatenation reads " + text_of(output) + " and " + text_of(next));
      output.channels += next.channels;
    }
    return output;
  }

  void count(const Stage& stage) {
    if (stage.kind == StageKind::conv) {
      const std::int64_t weights = stage.out * (stage.in / stage.groups) * stage.kernel[0] * stage.kernel[1];
      size_.parameters += weights + (stage.bias ? stage.out : 0);
      size_.multiply_adds += weights * shapes_.back().height * shapes_.back().width;
    } else if (stage.kind == StageKind::linear) {
      size_.parameters += stage.in * stage.out + (stage.bias ? stage.out : 0);
      size_.multiply_adds += stage.in * stage.out;
    } else if (stage.kind == StageKind::batch_norm && stage.affine) {
      size_.parameters += 2 * stage.out;
    }
  }

  /// Whether nothing keeps the stage's output for a backward pass.
  static bool output_is_free(StageKind kind) {
    return kind == StageKind::conv || kind == StageKind::batch_norm || kind == StageKind::concat;
  }

  bool puts_out(std::size_t i) const {
    const Stage& stage = stages_[i];
    if (stage.kind == StageKind::identity || stage.kind == StageKind::shift) return false;
    if (stage.kind == StageKind::relu) {
      const auto input = static_cast<std::size_t>(stage.inputs[0]);
      return input == 0 || readers_[input] > 1 || !output_is_free(stages_[input - 1].kind);
    }
    return stage.kind != StageKind::conv || !goes_into_concat_alone(i + 1);
  }

  bool goes_into_concat_alone(std::size_t value) const {
    return readers_[value] == 1 && std::any_of(stages_.begin(), stages_.end(), [&](const Stage& stage) {
             return stage.kind == StageKind::concat &&
                    std::find(stage.inputs.begin(), stage.inputs.end(), static_cast<int>(value)) != stage.inputs.end();
           });
  }

  const std::vector<Stage>& stages_;
  std::vector<int> readers_;
  std::vector<ImageShape> shapes_;
  StructureSize size_;
};

}  // namespace

std::string text_of(const ImageShape& shape) {
  return std::to_string(shape.channels) + "x" + std::to_string(shape.height) + "x" + std::to_string(shape.width);
}

StructureSize size_of(const Structure& structure, const ImageShape& input) { return Sizing(structure, input).run(); }

}  // namespace mixop
