#pragma once

#include <map>
#include <string>

#include "mixop/genotype.hpp"

namespace mixop {

/// A picture of a genotype's cells as the address of an image, in which no script ever runs, or why there is none.
struct Picture {
  std::string image;
  std::string problem;
};

/// Draws cells by Graphviz, each genotype once. After a picture that took too long no other is begun.
class Pictures {
 public:
  const Picture& of(const Genotype& genotype);

 private:
  std::map<std::string, Picture> drawn_;  // by their graphs
  bool too_slow_ = false;
};

/// An SVG as the address of an image.
std::string image_address(const std::string& svg);

}  // namespace mixop
