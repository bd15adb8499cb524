#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/data/dataset_handle.hpp"
#include "host/runtime/network.hpp"

namespace mixop {

/// What a network classifies: images, or words by those before them.
struct NetworkData {
  ImageShape shape;          ///< zeros for text
  std::int64_t classes = 0;  ///< or words of the vocabulary
  std::string class_digest;  ///< of their names in their order: SHA-256 of one line each
  std::vector<std::string> class_names{};      ///< of images
  std::vector<double> mean{}, deviation{};     ///< of images' channels, by which pixels are normalised

  /// Whether a network for one is a network for the other.
  friend bool operator==(const NetworkData& a, const NetworkData& b) {
    return a.shape.channels == b.shape.channels && a.shape.height == b.shape.height && a.shape.width == b.shape.width &&
           a.classes == b.classes && a.class_digest == b.class_digest;
  }
};

/// The shape and classes of an image data set, the vocabulary of a text.
NetworkData network_data(const DatasetInfo& info);

/// Throws usage unless a network of `file` is one for what the data set `data` has, too.
void require_same_data(const NetworkData& network, const NetworkData& found, const std::string& file,
                       const std::string& data);

/// SHA-256 of names in their order, one line each.
std::string digest_of_names(const std::vector<std::string>& names);

/// "3x32x32 images of 10 classes", "text of 10000 words".
std::string data_text(const NetworkData& data);

}  // namespace mixop
